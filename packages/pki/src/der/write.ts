/**
 * DER writer (X.690). Every function returns the complete encoding of one value as bytes; values nest by
 * passing encodings as parts. Inputs are trusted: the callers build structures, hostile bytes only meet the reader.
 */

export type Der = Uint8Array;

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
} as const;

function lengthOfLength(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x100) return 2;
  if (length < 0x10000) return 3;
  if (length < 0x1000000) return 4;
  return 5;
}

/** Bytes needed for tag and length of a value with `length` content octets. */
export function headerLength(length: number): number {
  return 1 + lengthOfLength(length);
}

/** Writes tag and definite length into `target` at `offset`; returns the offset behind them. */
export function writeHeader(target: Uint8Array, offset: number, tag: number, length: number): number {
  let at = offset;
  target[at++] = tag;
  const n = lengthOfLength(length);
  if (n === 1) {
    target[at++] = length;
    return at;
  }
  target[at++] = 0x80 | (n - 1);
  for (let shift = (n - 2) * 8; shift >= 0; shift -= 8) target[at++] = (length >>> shift) & 0xff;
  return at;
}

/** One value of the given tag whose content is the parts, one after the other. */
export function tlv(tag: number, ...parts: readonly Der[]): Der {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = Buffer.allocUnsafe(headerLength(length) + length);
  let at = writeHeader(out, 0, tag, length);
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const sequence = (...parts: readonly Der[]): Der => tlv(TAG.sequence, ...parts);

/** SET with its members in the order given (for SET types of one member). */
export const set = (...parts: readonly Der[]): Der => tlv(TAG.set, ...parts);

/** SET OF: members are sorted by their encodings (X.690 section 11.6). */
export function setOf(...parts: readonly Der[]): Der {
  return tlv(TAG.set, ...[...parts].sort((a, b) => Buffer.compare(a, b)));
}

/** Context-specific constructed tag, as EXPLICIT tagging and IMPLICIT constructed types use it. */
export const context = (number: number, ...parts: readonly Der[]): Der => tlv(0xa0 | number, ...parts);

/** Context-specific primitive tag, as IMPLICIT tagging of primitive types uses it. */
export const contextPrimitive = (number: number, content: Uint8Array): Der => tlv(0x80 | number, content);

const NULL = Uint8Array.of(0x05, 0x00);
const TRUE = Uint8Array.of(0x01, 0x01, 0xff);
const FALSE = Uint8Array.of(0x01, 0x01, 0x00);

export const nullValue = (): Der => NULL;
export const boolean = (value: boolean): Der => (value ? TRUE : FALSE);

/** Content octets of a non-negative INTEGER given as big-endian magnitude. */
function unsignedContent(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.subarray(start);
  if (trimmed.length === 0) return Uint8Array.of(0);
  if ((trimmed[0] ?? 0) < 0x80) return trimmed;
  const out = new Uint8Array(trimmed.length + 1);
  out.set(trimmed, 1);
  return out;
}

/** Non-negative INTEGER from its big-endian magnitude (leading zeros allowed). */
export const unsignedInteger = (magnitude: Uint8Array): Der => tlv(TAG.integer, unsignedContent(magnitude));

/** Non-negative INTEGER. */
export function integer(value: number | bigint): Der {
  if (value < 0) throw new RangeError('negative INTEGER');
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  return unsignedInteger(Buffer.from(hex, 'hex'));
}

export const enumerated = (value: number): Der => tlv(TAG.enumerated, Uint8Array.of(value));

function base128(value: bigint): number[] {
  const out = [Number(value & 0x7fn)];
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) out.unshift(Number(rest & 0x7fn) | 0x80);
  return out;
}

/** Content octets of an OBJECT IDENTIFIER given as dotted decimal text. @throws RangeError when it is none */
export function oidContent(dotted: string): Der {
  if (!/^[0-2](?:\.(?:0|[1-9]\d*))+$/.test(dotted)) throw new RangeError('not an object identifier');
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map((arc) => BigInt(arc));
  if (first < 2n && second > 39n) throw new RangeError('not an object identifier');
  return Uint8Array.from([first * 40n + second, ...rest].flatMap(base128));
}

/** Enough for every identifier of ours; beyond it (identifiers from requests) encodings are not kept. */
const OID_CACHE_SIZE = 1024;
const oidCache = new Map<string, Der>();

/** OBJECT IDENTIFIER from dotted decimal text. @throws RangeError when it is none */
export function oid(dotted: string): Der {
  const known = oidCache.get(dotted);
  if (known !== undefined) return known;
  const encoded = tlv(TAG.oid, oidContent(dotted));
  if (oidCache.size < OID_CACHE_SIZE) oidCache.set(dotted, encoded);
  return encoded;
}

export const octetString = (...parts: readonly Der[]): Der => tlv(TAG.octetString, ...parts);

/** BIT STRING of whole octets unless `unusedBits` (0 to 7) says otherwise. */
export function bitString(content: Uint8Array, unusedBits = 0): Der {
  return tlv(TAG.bitString, Uint8Array.of(unusedBits), content);
}

/** BIT STRING of named bits: bit 0 is the most significant bit, trailing zero bits are removed (X.690 11.2.2). */
export function namedBits(bits: readonly number[]): Der {
  const highest = Math.max(-1, ...bits);
  const content = new Uint8Array((highest >> 3) + 1);
  for (const bit of bits) content[bit >> 3] = (content[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitString(content, highest < 0 ? 0 : 7 - (highest & 7));
}

const text = (tag: number, value: string, encoding: 'utf8' | 'latin1'): Der => tlv(tag, Buffer.from(value, encoding));
export const utf8String = (value: string): Der => text(TAG.utf8String, value, 'utf8');
export const printableString = (value: string): Der => text(TAG.printableString, value, 'latin1');
export const ia5String = (value: string): Der => text(TAG.ia5String, value, 'latin1');

const twoDigits = (value: number): string => String(value).padStart(2, '0');

function timeDigits(at: Date): string {
  return (
    twoDigits(at.getUTCMonth() + 1) +
    twoDigits(at.getUTCDate()) +
    twoDigits(at.getUTCHours()) +
    twoDigits(at.getUTCMinutes()) +
    twoDigits(at.getUTCSeconds())
  );
}

/** GeneralizedTime without fraction; `instant` is milliseconds since the epoch, cut to the second. */
export function generalizedTime(instant: number): Der {
  const at = new Date(instant);
  return text(TAG.generalizedTime, `${String(at.getUTCFullYear()).padStart(4, '0')}${timeDigits(at)}Z`, 'latin1');
}

/** Time of RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
export function time(instant: number): Der {
  const at = new Date(instant);
  const year = at.getUTCFullYear();
  if (year < 1950 || year > 2049) return generalizedTime(instant);
  return text(TAG.utcTime, `${twoDigits(year % 100)}${timeDigits(at)}Z`, 'latin1');
}

/** Concatenation of encodings. */
export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
