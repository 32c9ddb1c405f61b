import { DerError, DerReader } from '../der/read.ts';
import * as der from '../der/write.ts';
import { fail, ok, type Result } from '../result.ts';
import { attributeRule, attributeTypeByName } from './attribute-types.ts';
import {
  type AttributeTypeAndValue,
  type DistinguishedName,
  MAX_ATTRIBUTES_PER_RDN,
  MAX_RDNS,
  type Rdn,
} from './distinguished-name.ts';

export type NameErrorCode =
  | 'name.tooLong'
  | 'name.badAttributeType'
  | 'name.syntax'
  | 'name.badEscape'
  | 'name.badHexValue'
  | 'name.badUtf8';

/** Why text is not a distinguished name; `offset` counts UTF-16 units from the start of the text. */
export interface NameError {
  readonly code: NameErrorCode;
  readonly detail: string;
  readonly offset: number;
}

const MAX_TEXT = 16_384;

const SPECIAL = /["+,;<>\\]/g;
const OID_TEXT = /^(?:OID\.)?([0-2](?:\.(?:0|[1-9]\d{0,38}))+)$/i;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function escapeValue(value: string): string {
  const escaped = value
    .replace(SPECIAL, '\\$&')
    .replace(/\p{Cc}/gu, (control) => hexOf(Buffer.from(control)).replace(/../g, '\\$&'))
    .replace(/^[ #]/, '\\$&');
  // A single space is both first and last: it must not be escaped twice.
  return escaped.length > 1 && escaped.endsWith(' ') && escaped !== '\\ ' ? `${escaped.slice(0, -1)}\\ ` : escaped;
}

function formatAttribute({ type, value, tag }: AttributeTypeAndValue): string {
  const keyword = attributeRule(type)?.keyword;
  if (keyword !== undefined) return `${keyword}=${escapeValue(value)}`;
  const encoded =
    tag === der.TAG.printableString || tag === der.TAG.ia5String
      ? der.tlv(tag, Buffer.from(value, 'latin1'))
      : der.utf8String(value);
  return `${type}=#${hexOf(encoded)}`;
}

/**
 * Text of a name as RFC 4514 writes it: the most specific RDN first. Types outside the attribute table appear as
 * `1.2.3=#<hex of the DER value>` (section 2.4).
 */
export function formatName(dn: DistinguishedName): string {
  return dn
    .map((rdn) => rdn.map(formatAttribute).join('+'))
    .reverse()
    .join(',');
}

/** Raised inside the parser only; {@link parseName} turns it into its error value. */
class NameSyntaxError extends Error {
  readonly problem: NameError;
  constructor(code: NameErrorCode, offset: number, detail: string) {
    super(detail);
    this.problem = { code, detail, offset };
  }
}

class NameParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #fail(code: NameErrorCode, detail: string, offset = this.#at): never {
    throw new NameSyntaxError(code, offset, detail);
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ') this.#at++;
  }

  name(): DistinguishedName {
    this.#skipSpace();
    if (this.#at === this.#text.length) return [];
    const rdns: Rdn[] = [];
    do {
      if (rdns.length === MAX_RDNS) this.#fail('name.tooLong', `more than ${MAX_RDNS} RDNs`);
      rdns.push(this.#rdn());
    } while (this.#take(','));
    if (this.#at < this.#text.length) this.#fail('name.syntax', 'comma expected');
    return rdns.reverse();
  }

  #take(separator: string): boolean {
    if (this.#text[this.#at] !== separator) return false;
    this.#at++;
    return true;
  }

  #rdn(): Rdn {
    const members: AttributeTypeAndValue[] = [];
    do {
      if (members.length === MAX_ATTRIBUTES_PER_RDN) {
        this.#fail('name.tooLong', `more than ${MAX_ATTRIBUTES_PER_RDN} attributes in one RDN`);
      }
      members.push(this.#attribute());
    } while (this.#take('+'));
    return members;
  }

  #attribute(): AttributeTypeAndValue {
    this.#skipSpace();
    const start = this.#at;
    const equals = this.#text.indexOf('=', start);
    if (equals < 0) this.#fail('name.syntax', 'attribute type and "=" expected');
    const typeText = this.#text.slice(start, equals).trimEnd();
    const type = OID_TEXT.exec(typeText)?.[1] ?? attributeTypeByName(typeText);
    if (type === undefined || !isEncodable(type)) this.#fail('name.badAttributeType', 'unknown attribute type', start);
    this.#at = equals + 1;
    this.#skipSpace();
    return this.#text[this.#at] === '#' ? this.#hexValue(type) : { type, value: this.#stringValue() };
  }

  #hexValue(type: string): AttributeTypeAndValue {
    const start = this.#at;
    const hex = /#((?:[0-9a-fA-F]{2})+)(?= *(?:[,+]|$))/y;
    hex.lastIndex = start;
    const digits = hex.exec(this.#text)?.[1];
    if (digits === undefined) this.#fail('name.badHexValue', 'pairs of hexadecimal digits expected after "#"');
    this.#at = hex.lastIndex;
    this.#skipSpace();
    try {
      const reader = new DerReader(Buffer.from(digits, 'hex'));
      const { tag, text } = reader.string();
      reader.end();
      return { type, value: text, tag };
    } catch (error) {
      if (error instanceof DerError) this.#fail('name.badHexValue', 'no DER character string after "#"', start);
      throw error;
    }
  }

  /** Text up to an unescaped separator. Spaces at either end belong to the value only when escaped. */
  #stringValue(): string {
    const octets: Buffer[] = [];
    let significant = 0;
    const start = this.#at;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === ',' || character === '+') break;
      if (character === '\\') {
        octets.push(this.#escaped());
        significant = octets.length;
        continue;
      }
      if ('";<>\0'.includes(character)) this.#fail('name.syntax', 'character must be escaped');
      const plain = /[^\\,+";<>\0 ]+| /y;
      plain.lastIndex = this.#at;
      const run = plain.exec(this.#text)?.[0] ?? character;
      octets.push(Buffer.from(run, 'utf8'));
      if (run !== ' ') significant = octets.length;
      this.#at += run.length;
    }
    try {
      return utf8.decode(Buffer.concat(octets.slice(0, significant)));
    } catch {
      return this.#fail('name.badUtf8', 'escaped octets are not UTF-8', start);
    }
  }

  #escaped(): Buffer {
    const pair = /\\([0-9a-fA-F]{2})/y;
    pair.lastIndex = this.#at;
    const hex = pair.exec(this.#text)?.[1];
    if (hex !== undefined) {
      this.#at += 3;
      return Buffer.from(hex, 'hex');
    }
    const next = this.#text[this.#at + 1];
    if (next === undefined || !' "#+,;<=>\\'.includes(next)) this.#fail('name.badEscape', 'no such escape');
    this.#at += 2;
    return Buffer.from(next);
  }
}

function isEncodable(type: string): boolean {
  const [first, second = ''] = type.split('.');
  return first === '2' || (second.length <= 2 && Number(second) < 40);
}

/**
 * Parses RFC 4514 text (`CN=host.example,O=Example\, Inc.,C=DE`), most specific RDN first, into DER order.
 * Descriptors and common long names are known in any case; types may be dotted OIDs, values may be `#hex`;
 * spaces around separators are ignored. Empty text is the empty name.
 */
export function parseName(text: string): Result<DistinguishedName, NameError> {
  if (text.length > MAX_TEXT) {
    return fail({ code: 'name.tooLong', detail: `text of more than ${MAX_TEXT} characters`, offset: MAX_TEXT });
  }
  if (!text.isWellFormed()) return fail({ code: 'name.badUtf8', detail: 'text is not valid Unicode', offset: 0 });
  try {
    return ok(new NameParser(text).name());
  } catch (error) {
    if (error instanceof NameSyntaxError) return fail(error.problem);
    throw error;
  }
}
