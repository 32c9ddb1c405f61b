/** Names that end in one of these, and single labels, belong to no registry: RFC 6762, RFC 6761, RFC 8375, ICANN's `internal`. */
const INTERNAL_SUFFIXES: readonly string[] = ['local', 'localhost', 'internal', 'home.arpa'];

/** Whether nobody can hold the DNS name publicly; names reserved for examples and tests count as public. */
export function isInternalName(name: string): boolean {
  const base = name.startsWith('*.') ? name.slice(2) : name;
  if (!base.includes('.')) return true;
  return INTERNAL_SUFFIXES.some((suffix) => base === suffix || base.endsWith(`.${suffix}`));
}

type Prefix = readonly [octets: readonly number[], bits: number];

/** Special-purpose registries of IANA (RFC 6890) without the ranges for documentation, which stand in for public ones. */
const RESERVED_V4: readonly Prefix[] = [
  [[0], 8],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[169, 254], 16],
  [[172, 16], 12],
  [[192, 0, 0], 24],
  [[192, 168], 16],
  [[198, 18], 15],
  [[224], 3],
];
const RESERVED_V6: readonly Prefix[] = [
  [[0x00], 8],
  [[0x01, 0x00], 8],
  [[0xfc], 7],
  [[0xfe, 0x80], 9],
  [[0xff], 8],
];

function hasPrefix(bytes: Uint8Array, [octets, bits]: Prefix): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : (0xff00 >> (bits - bit)) & 0xff;
    if ((((bytes[bit >> 3] ?? 0) ^ (octets[bit >> 3] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

/** Whether no public host can have the address (4 or 16 octets). */
export function isReservedAddress(bytes: Uint8Array): boolean {
  return (bytes.length === 4 ? RESERVED_V4 : RESERVED_V6).some((prefix) => hasPrefix(bytes, prefix));
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const MAILBOX = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);

/** Local part and domain of an RFC 822 mailbox without quoting, or undefined. */
export function splitMailbox(text: string): { readonly local: string; readonly domain: string } | undefined {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  if (at < 1 || local.length > 64 || !MAILBOX.test(local)) return undefined;
  return { local, domain: text.slice(at + 1) };
}

/** Whether the text is a URI with scheme and a scheme-specific part (RFC 5280 section 4.2.1.6 forbids relative ones). */
export const isAbsoluteUri = (text: string): boolean => /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/.test(text);

/** Whether the text is a URL that relying parties without TLS can follow. */
export const isHttpUrl = (text: string): boolean => /^http:\/\/[A-Za-z0-9.[\]:-]+(?:\/[!-~]*)?$/.test(text);
