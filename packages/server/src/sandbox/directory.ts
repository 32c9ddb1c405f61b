/** Where a sandbox keeps its database: a directory that vanishes with it, or one that the caller names. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Preloaded } from './preload.ts';

/** Values that a kept sandbox shows again at its next start. */
export interface KeptValues {
  readonly preloaded: Preloaded;
  /** Base64. */
  readonly tsigSecret: string;
}

export interface SandboxDirectory {
  readonly path: string;
  /** What an earlier run left; undefined at the first start. */
  readonly kept: KeptValues | undefined;
  /** Remembers the values for the next run; nothing happens in a directory that vanishes. */
  keep(values: KeptValues): void;
  /** Removes a directory that vanishes. */
  remove(): void;
}

const KEPT_FILE = 'sandbox.json';
const DATABASE_FILE = 'certwright.db';

/** A new TSIG secret, base64. */
export const newTsigSecret = (): string => randomBytes(32).toString('base64');

/** Opens `data`, or makes a directory that vanishes at the latest when the process exits. Throws with a sentence for the user. */
export function openDirectory(data: string | undefined): SandboxDirectory {
  return data === undefined ? vanishing() : lasting(resolve(data));
}

function vanishing(): SandboxDirectory {
  const path = mkdtempSync(join(tmpdir(), 'certwright-sandbox-'));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', remove);
  return { path, kept: undefined, keep: () => undefined, remove };
}

function lasting(path: string): SandboxDirectory {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const file = join(path, KEPT_FILE);
  const isKept = existsSync(file);
  if (!isKept && existsSync(join(path, DATABASE_FILE))) {
    throw new Error(`${path} holds the data of a real server; give the sandbox a directory of its own with --data`);
  }
  return {
    path,
    kept: isKept ? (JSON.parse(readFileSync(file, 'utf8')) as KeptValues) : undefined,
    keep: (values) => writeFileSync(file, `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600 }),
    remove: () => undefined,
  };
}
