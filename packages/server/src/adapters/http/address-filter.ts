/**
 * Keeps the validator from being used to reach what only this machine or its network can reach (server-side request
 * forgery). Sources: IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890), RFC 6052, RFC 3056, RFC 5214.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** A network in CIDR form: the address bytes (4 or 16) and the prefix length in bits. */
interface Network {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

const FORBIDDEN_IPV4 = networks(
  '0.0.0.0/8', // "this" network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT, and the metadata service of one cloud
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // metadata and control service of one cloud, in public space
  '169.254.0.0/16', // link-local, and the metadata services of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // former 6to4 relay anycast
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and limited broadcast
);

/** The only range assigned for global unicast; everything outside is local, special or unassigned. */
const GLOBAL_UNICAST_IPV6 = network('2000::/3');
const FORBIDDEN_IPV6 = networks(
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '3fff::/20', // documentation
);
const IPV4_MAPPED = network('::ffff:0:0/96');
/** Prefixes whose addresses carry an IPv4 address that the packets end up at, with its offset in bytes. */
const IPV4_EMBEDDING = [
  { prefix: network('64:ff9b::/96'), offset: 12 }, // NAT64
  { prefix: network('2002::/16'), offset: 2 }, // 6to4
];

/**
 * Whether the validator must not connect to `ip` (textual IPv4 or IPv6). Text that is not an address is forbidden.
 * `allowedNetworks` are CIDRs or single addresses that are permitted in spite of the rules; malformed ones permit
 * nothing. An IPv6 address that stands for an IPv4 one is judged by the IPv4 address.
 */
export function isForbiddenAddress(ip: string, allowedNetworks: readonly string[]): boolean {
  const bytes = parseAddress(ip);
  if (!bytes) return true;
  return isForbidden(
    bytes,
    allowedNetworks.flatMap((text) => parseNetwork(text) ?? []),
  );
}

/** Whether the text is a CIDR or a single address that {@link isForbiddenAddress} understands. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

function isForbidden(bytes: Uint8Array, allowed: readonly Network[]): boolean {
  if (allowed.some((candidate) => contains(candidate, bytes))) return false;
  if (bytes.length === 4) return FORBIDDEN_IPV4.some((candidate) => contains(candidate, bytes));
  if (contains(IPV4_MAPPED, bytes)) return isForbidden(bytes.subarray(12), allowed);
  for (const { prefix, offset } of IPV4_EMBEDDING) {
    if (contains(prefix, bytes)) return isForbidden(bytes.subarray(offset, offset + 4), allowed);
  }
  if (!contains(GLOBAL_UNICAST_IPV6, bytes)) return true;
  if (FORBIDDEN_IPV6.some((candidate) => contains(candidate, bytes))) return true;
  return isIsatap(bytes) && isForbidden(bytes.subarray(12), allowed);
}

/** ISATAP interface identifier `[02]00:5efe:a.b.c.d` (RFC 5214 section 6.1). */
function isIsatap(bytes: Uint8Array): boolean {
  return ((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

function contains({ bytes, prefixBits }: Network, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  const whole = prefixBits >> 3;
  for (let i = 0; i < whole; i += 1) if (bytes[i] !== address[i]) return false;
  const mask = (0xff00 >> (prefixBits & 7)) & 0xff;
  return mask === 0 || ((bytes[whole] ?? 0) & mask) === ((address[whole] ?? 0) & mask);
}

function networks(...texts: string[]): Network[] {
  return texts.map(network);
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (!parsed) throw new Error(`not a network: ${text}`);
  return parsed;
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const bytes = parseAddress(address);
  if (!bytes || rest.length > 0) return undefined;
  if (prefix === undefined) return { bytes, prefixBits: bytes.length * 8 };
  const prefixBits = Number(prefix);
  return /^\d{1,3}$/.test(prefix) && prefixBits <= bytes.length * 8 ? { bytes, prefixBits } : undefined;
}

/** 4 or 16 bytes. Scoped addresses (`fe80::1%eth0`) count as malformed: a zone never belongs to a public name. */
function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const front = parseGroups(head);
  const back = parseGroups(tail ?? '');
  const bytes = new Uint8Array(16);
  bytes.set(front);
  bytes.set(back, 16 - back.length);
  return bytes;
}

function parseGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
