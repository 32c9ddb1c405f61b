/** Where the sandbox's validator connects to for a name. */
import type { ConnectOverride } from '../adapters/http/fetcher.ts';

const MAX_HOSTS = 10_000;

export interface HostTable {
  /** Enters a name, exact or `*.suffix`. False when the table is full. */
  put(name: string, target: ConnectOverride): boolean;
  /** The entry of the name, else of the nearest wildcard above it, else the default. */
  find(name: string): ConnectOverride;
  /** Forgets all entries. */
  reset(): void;
}

/** Makes a table in which every name leads to `fallback` until it is entered. */
export function createHostTable(fallback: ConnectOverride): HostTable {
  const hosts = new Map<string, ConnectOverride>();
  const fold = (name: string): string => name.toLowerCase().replace(/\.$/, '');
  return {
    put(name, target) {
      const key = fold(name);
      if (!hosts.has(key) && hosts.size >= MAX_HOSTS) return false;
      hosts.set(key, target);
      return true;
    },
    find(name) {
      let suffix = fold(name);
      const exact = hosts.get(suffix);
      if (exact !== undefined) return exact;
      for (let dot = suffix.indexOf('.'); dot >= 0; dot = suffix.indexOf('.')) {
        suffix = suffix.slice(dot + 1);
        const wildcard = hosts.get(`*.${suffix}`);
        if (wildcard !== undefined) return wildcard;
      }
      return fallback;
    },
    reset: () => hosts.clear(),
  };
}
