/** Readers of single configuration values; each gives undefined for what it cannot read. */
import { BlockList, isIP, isIPv4 } from 'node:net';
import { DURATION_PATTERN } from './schema.ts';

export interface ListenAddress {
  /** Address or host name to bind; `::` for every interface. */
  readonly host: string;
  readonly port: number;
}

const UNIT_MS = { W: 604_800_000, D: 86_400_000, H: 3_600_000, M: 60_000, S: 1_000 } as const;

/** ISO 8601 duration to milliseconds. */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(DURATION_PATTERN).test(text)) return undefined;
  let ms = 0;
  for (const [, count = '0', unit] of text.matchAll(/(\d+)([WDHMS])/g)) {
    ms += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return ms;
}

/** `host:port`, `:port` (every interface) or `[v6]:port`; port 0 lets the system choose. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, v6, host = '', digits] = match;
  const port = Number(digits);
  if (port > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) return undefined;
  return { host: v6 ?? (host === '' ? '::' : host), port };
}

/** Absolute base URL of one of the schemes, without query or credentials; returned without trailing slash. */
export function parseBaseUrl(text: string, schemes: readonly string[]): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!plain || !schemes.includes(url.protocol.slice(0, -1))) return undefined;
  return url.href.replace(/\/+$/, '');
}

/** Address or CIDR network. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || isIP(address) === 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128));
}

/** Tells whether an address lies in one of the networks. */
export function networkMatcher(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  }
  return (address) => {
    const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
    return isIP(plain) !== 0 && list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
  };
}

const LOOPBACK = networkMatcher(['127.0.0.0/8', '::1/128']);

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || LOOPBACK(host);
}

/** Host as part of a URL for clients on this machine or network: wildcards and loopback become `localhost`. */
export function hostForUrl(host: string): string {
  if (host === '::' || host === '0.0.0.0' || isLoopbackHost(host)) return 'localhost';
  return isIP(host) === 6 ? `[${host}]` : host;
}
