/**
 * Strict DER reader (X.690): definite minimal lengths only, low tag numbers only, bounded size and depth.
 * Reading throws {@link DerError}; every public parser of this package turns it into an error value.
 */
import { TAG } from './write.ts';

export type DerErrorCode =
  | 'der.truncated'
  | 'der.trailingData'
  | 'der.tooLarge'
  | 'der.tooDeep'
  | 'der.badTag'
  | 'der.badLength'
  | 'der.badValue';

/** Why bytes are not the expected DER; `offset` counts from the start of the outermost input. */
export class DerError extends Error {
  readonly code: DerErrorCode;
  readonly offset: number;
  constructor(code: DerErrorCode, offset: number, message: string) {
    super(`${message} at offset ${offset}`);
    this.name = 'DerError';
    this.code = code;
    this.offset = offset;
  }
}

export interface DerLimits {
  /** Largest accepted input in bytes. */
  readonly maxBytes: number;
  /** Deepest accepted nesting. */
  readonly maxDepth: number;
}

export const DEFAULT_LIMITS: DerLimits = { maxBytes: 1 << 20, maxDepth: 32 };

/** One value found by {@link DerReader.any}. */
export interface DerValue {
  readonly tag: number;
  /** Tag, length and content. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Cursor over a run of DER values. Views into the input are returned, never copies. */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #base: number;
  readonly #depth: number;
  readonly #limits: DerLimits;
  #at = 0;

  constructor(bytes: Uint8Array, limits: DerLimits = DEFAULT_LIMITS, base = 0, depth = 0) {
    if (depth === 0 && bytes.length > limits.maxBytes) {
      throw new DerError('der.tooLarge', 0, `input of ${bytes.length} bytes is larger than ${limits.maxBytes}`);
    }
    if (depth > limits.maxDepth) throw new DerError('der.tooDeep', base, `nested deeper than ${limits.maxDepth}`);
    this.#bytes = bytes;
    this.#base = base;
    this.#depth = depth;
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Tag of the next value, or undefined at the end. */
  get peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  #fail(code: DerErrorCode, message: string, at = this.#at): never {
    throw new DerError(code, this.#base + at, message);
  }

  /** Where the next value starts, counted from the start of the outermost input. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Demands that nothing is left. @throws DerError `der.trailingData` */
  end(): void {
    if (!this.done) this.#fail('der.trailingData', 'unexpected data');
  }

  #next(): { tag: number; start: number; from: number; to: number } {
    const bytes = this.#bytes;
    const start = this.#at;
    const tag = bytes[start];
    if (tag === undefined) this.#fail('der.truncated', 'value expected');
    if (tag === 0) this.#fail('der.badTag', 'end-of-contents');
    if ((tag & 0x1f) === 0x1f) this.#fail('der.badTag', 'high tag number');
    const first = bytes[start + 1];
    if (first === undefined) this.#fail('der.truncated', 'length expected');
    let from = start + 2;
    let length = first;
    if (first >= 0x80) {
      const count = first & 0x7f;
      if (count === 0) this.#fail('der.badLength', 'indefinite length');
      if (count > 4) this.#fail('der.badLength', 'length of more than four octets');
      length = 0;
      for (let i = 0; i < count; i++) {
        const octet = bytes[from++];
        if (octet === undefined) this.#fail('der.truncated', 'length cut short');
        length = length * 256 + octet;
      }
      if (length < 0x80 || length < 256 ** (count - 1)) this.#fail('der.badLength', 'length is not minimal');
    }
    const to = from + length;
    if (to > bytes.length) this.#fail('der.truncated', `value of ${length} bytes runs past the end`);
    this.#at = to;
    return { tag, start, from, to };
  }

  /** The next value of whatever tag. */
  any(): DerValue {
    const { tag, start, from, to } = this.#next();
    return { tag, bytes: this.#bytes.subarray(start, to), content: this.#bytes.subarray(from, to) };
  }

  /** Content of the next value, which must have this tag. */
  content(tag: number): Uint8Array {
    const at = this.#at;
    const value = this.#next();
    if (value.tag !== tag) {
      this.#fail('der.badTag', `tag 0x${tag.toString(16)} expected, 0x${value.tag.toString(16)} found`, at);
    }
    return this.#bytes.subarray(value.from, value.to);
  }

  /** Reader over the content of the next value, which must have this (constructed) tag. */
  enter(tag: number): DerReader {
    const at = this.#at;
    const content = this.content(tag);
    const base = this.#base + at + (this.#at - at - content.length);
    return new DerReader(content, this.#limits, base, this.#depth + 1);
  }

  sequence(): DerReader {
    return this.enter(TAG.sequence);
  }

  /** Members of a SET; their order is checked as SET OF demands (X.690 section 11.6). */
  setOf(): DerReader {
    const at = this.#at;
    const content = this.content(TAG.set);
    const base = this.#base + at + (this.#at - at - content.length);
    const check = new DerReader(content, this.#limits, base, this.#depth + 1);
    let previous: Uint8Array | undefined;
    while (!check.done) {
      const { bytes } = check.any();
      if (previous !== undefined && Buffer.compare(previous, bytes) > 0) {
        this.#fail('der.badValue', 'SET OF is not in order', at);
      }
      previous = bytes;
    }
    return new DerReader(content, this.#limits, base, this.#depth + 1);
  }

  /** Reader over `[number]` constructed when it comes next, else undefined. */
  optionalContext(number: number): DerReader | undefined {
    return this.peek === (0xa0 | number) ? this.enter(0xa0 | number) : undefined;
  }

  /** Content of `[number]` primitive when it comes next, else undefined. */
  optionalContextPrimitive(number: number): Uint8Array | undefined {
    return this.peek === (0x80 | number) ? this.content(0x80 | number) : undefined;
  }

  boolean(): boolean {
    const at = this.#at;
    const content = this.content(TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      this.#fail('der.badValue', 'BOOLEAN must be 00 or FF', at);
    }
    return content[0] === 0xff;
  }

  /** Content octets (two's complement, minimal) of the next INTEGER. */
  integerBytes(tag: number = TAG.integer): Uint8Array {
    const at = this.#at;
    const content = this.content(tag);
    const [first, second] = content;
    if (first === undefined) this.#fail('der.badValue', 'empty INTEGER', at);
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
      this.#fail('der.badValue', 'INTEGER is not minimal', at);
    }
    return content;
  }

  /** The next INTEGER when it lies in 0 to 2^31-1. */
  smallInteger(tag: number = TAG.integer): number {
    const at = this.#at;
    const content = this.integerBytes(tag);
    if (content.length > 4 || (content[0] ?? 0) >= 0x80) this.#fail('der.badValue', 'INTEGER out of range', at);
    let value = 0;
    for (const octet of content) value = value * 256 + octet;
    return value;
  }

  enumerated(): number {
    return this.smallInteger(TAG.enumerated);
  }

  /** OBJECT IDENTIFIER as dotted decimal text. */
  oid(tag: number = TAG.oid): string {
    const at = this.#at;
    const content = this.content(tag);
    const last = content[content.length - 1];
    if (last === undefined || last >= 0x80) this.#fail('der.badValue', 'OBJECT IDENTIFIER cut short', at);
    if (content.length > 64) this.#fail('der.badValue', 'OBJECT IDENTIFIER too long', at);
    let dotted = '';
    let arc = 0;
    let big: bigint | undefined;
    let fresh = true;
    for (const octet of content) {
      if (fresh && octet === 0x80) this.#fail('der.badValue', 'OBJECT IDENTIFIER is not minimal', at);
      // Arcs have no upper bound (UUIDs take 128 bits): past 2^45 the sum goes on as a bigint.
      if (big === undefined && arc >= 2 ** 38) big = BigInt(arc);
      if (big === undefined) arc = arc * 128 + (octet & 0x7f);
      else big = (big << 7n) | BigInt(octet & 0x7f);
      fresh = octet < 0x80;
      if (!fresh) continue;
      if (dotted !== '') dotted += `.${big ?? arc}`;
      else if (big !== undefined) dotted = `2.${big - 80n}`;
      else dotted = arc < 40 ? `0.${arc}` : arc < 80 ? `1.${arc - 40}` : `2.${arc - 80}`;
      arc = 0;
      big = undefined;
    }
    return dotted;
  }

  null(): void {
    const at = this.#at;
    if (this.content(TAG.null).length !== 0) this.#fail('der.badValue', 'NULL with content', at);
  }

  octetString(): Uint8Array {
    return this.content(TAG.octetString);
  }

  /** BIT STRING; padding bits must be zero. */
  bitString(): { readonly bytes: Uint8Array; readonly unusedBits: number } {
    const at = this.#at;
    const content = this.content(TAG.bitString);
    const unusedBits = content[0];
    const bytes = content.subarray(1);
    if (unusedBits === undefined || unusedBits > 7 || (bytes.length === 0 && unusedBits > 0)) {
      this.#fail('der.badValue', 'BIT STRING with bad padding', at);
    }
    const last = bytes[bytes.length - 1] ?? 0;
    if ((last & ((1 << unusedBits) - 1)) !== 0) this.#fail('der.badValue', 'BIT STRING padding is not zero', at);
    return { bytes, unusedBits };
  }

  /** UTCTime or GeneralizedTime in the only form RFC 5280 section 4.1.2.5 allows, as milliseconds since the epoch. */
  time(): number {
    const at = this.#at;
    const { tag, content } = this.any();
    const digits = Buffer.from(content).toString('latin1');
    const match =
      tag === TAG.utcTime
        ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits)
        : tag === TAG.generalizedTime
          ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits)
          : null;
    if (match === null) this.#fail('der.badValue', 'time expected', at);
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
    const full = tag === TAG.utcTime ? (year < 50 ? 2000 + year : 1900 + year) : year;
    const instant = Date.UTC(full, month - 1, day, hour, minute, second);
    const back = new Date(instant);
    if (
      back.getUTCFullYear() !== full ||
      back.getUTCMonth() !== month - 1 ||
      back.getUTCDate() !== day ||
      hour > 23 ||
      minute > 59 ||
      second > 59
    ) {
      this.#fail('der.badValue', 'no such time', at);
    }
    return instant;
  }

  /** The next character string (any of the string types of X.520) as text. */
  text(): string {
    return this.string().text;
  }

  /** The next character string with the tag of its string type. */
  string(): { readonly tag: number; readonly text: string } {
    const at = this.#at;
    const { tag, content } = this.any();
    return { tag, text: this.#decodeText(tag, content, at) };
  }

  /** Content of the next value, which must have this tag and hold ASCII only (IA5String under an IMPLICIT tag). */
  ascii(tag: number = TAG.ia5String): string {
    const at = this.#at;
    return this.#decodeText(TAG.ia5String, this.content(tag), at);
  }

  #decodeText(tag: number, content: Uint8Array, at: number): string {
    switch (tag) {
      case TAG.utf8String:
        return this.#decodeUtf8(content, at);
      case TAG.printableString:
      case TAG.numericString:
      case TAG.ia5String:
      case TAG.visibleString:
        for (const octet of content) {
          if (octet > 0x7f) this.#fail('der.badValue', 'string has an octet above 7F', at);
        }
        return view(content).toString('latin1');
      case TAG.teletexString:
        // T.61 in name only: what certificates hold under this tag is ISO 8859-1.
        return view(content).toString('latin1');
      case TAG.bmpString: {
        if (content.length % 2 !== 0) this.#fail('der.badValue', 'BMPString of odd length', at);
        const decoded = Buffer.from(content).swap16().toString('utf16le');
        if (!decoded.isWellFormed()) this.#fail('der.badValue', 'BMPString with half a surrogate pair', at);
        return decoded;
      }
      case TAG.universalString:
        return this.#decodeUcs4(content, at);
      default:
        return this.#fail('der.badTag', 'character string expected', at);
    }
  }

  #decodeUtf8(content: Uint8Array, at: number): string {
    try {
      return utf8.decode(content);
    } catch {
      return this.#fail('der.badValue', 'UTF8String is not UTF-8', at);
    }
  }

  #decodeUcs4(content: Uint8Array, at: number): string {
    if (content.length % 4 !== 0) this.#fail('der.badValue', 'UniversalString of odd length', at);
    const points = view(content);
    let decoded = '';
    for (let i = 0; i < points.length; i += 4) {
      const point = points.readUInt32BE(i);
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        this.#fail('der.badValue', 'UniversalString with no such character', at);
      }
      decoded += String.fromCodePoint(point);
    }
    return decoded;
  }
}

/** The same octets as a Buffer, without a copy. */
function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads exactly one SEQUENCE that fills `bytes`; returns the reader over its content. @throws DerError */
export function readSequence(bytes: Uint8Array, limits: DerLimits = DEFAULT_LIMITS): DerReader {
  const outer = new DerReader(bytes, limits);
  const inner = outer.sequence();
  outer.end();
  return inner;
}
