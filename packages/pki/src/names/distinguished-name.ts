import type { DerReader } from '../der/read.ts';
import { DerError } from '../der/read.ts';
import * as der from '../der/write.ts';
import { ATTRIBUTE_OID, type AttributeKey, type AttributeSyntax, attributeRule } from './attribute-types.ts';

export interface AttributeTypeAndValue {
  /** Dotted OID. */
  readonly type: string;
  readonly value: string;
  /** Tag of the string type the value was read with; absent when the value was not parsed from DER. */
  readonly tag?: number;
}

/** Attributes that together name one level; nearly always one. */
export type Rdn = readonly AttributeTypeAndValue[];

/** RDNs in DER order: the most general (country, domain component) first. */
export type DistinguishedName = readonly Rdn[];

/** More than any real name has: a bound on what hostile input costs. */
export const MAX_RDNS = 64;
export const MAX_ATTRIBUTES_PER_RDN = 16;

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
const ASCII = /^[\u0000-\u007f]*$/;

/** Whether every character belongs to PrintableString (X.680 section 41.4). */
export const isPrintable = (value: string): boolean => PRINTABLE.test(value);

/**
 * String type for a value. A DirectoryString keeps PrintableString when it was read as one, so that a name
 * read from a certificate encodes to the same bytes; everything else becomes UTF8String. A value that does
 * not fit the type its attribute demands becomes UTF8String too and is reported by {@link checkNameBounds}.
 */
function encodeValue(syntax: AttributeSyntax, value: string, tag: number | undefined): der.Der {
  switch (syntax) {
    case 'printable':
      return isPrintable(value) ? der.printableString(value) : der.utf8String(value);
    case 'ia5':
      return ASCII.test(value) ? der.ia5String(value) : der.utf8String(value);
    case 'directory':
      return tag === der.TAG.printableString && isPrintable(value) ? der.printableString(value) : der.utf8String(value);
  }
}

function encodeAttribute({ type, value, tag }: AttributeTypeAndValue): der.Der {
  return der.sequence(der.oid(type), encodeValue(attributeRule(type)?.syntax ?? 'directory', value, tag));
}

/** DER of a Name (RFC 5280 section 4.1.2.4); the members of a multi-valued RDN are sorted as DER demands. */
export function encodeName(dn: DistinguishedName): Uint8Array {
  return der.sequence(...dn.map((rdn) => der.setOf(...rdn.map(encodeAttribute))));
}

function readAttribute(reader: DerReader): AttributeTypeAndValue {
  const fields = reader.sequence();
  const type = fields.oid();
  const { tag, text } = fields.string();
  fields.end();
  return { type, value: text, tag };
}

/**
 * Reads the next value of `reader` as a Name. Attribute values must be character strings; empty values are
 * kept, for a CSR may have them.
 * @throws DerError
 */
export function readName(reader: DerReader): DistinguishedName {
  const rdns: Rdn[] = [];
  const sequence = reader.sequence();
  while (!sequence.done) {
    if (rdns.length === MAX_RDNS) throw new DerError('der.tooLarge', sequence.offset, 'name of too many RDNs');
    const members = sequence.setOf();
    const rdn: AttributeTypeAndValue[] = [];
    do {
      if (rdn.length === MAX_ATTRIBUTES_PER_RDN) {
        throw new DerError('der.tooLarge', members.offset, 'RDN of too many attributes');
      }
      rdn.push(readAttribute(members));
    } while (!members.done);
    rdns.push(rdn);
  }
  return rdns;
}

/** Values of one attribute type, most general RDN first; `type` is a short name or a dotted OID. */
export function attributes(dn: DistinguishedName, type: AttributeKey | (string & {})): string[] {
  const oid = type in ATTRIBUTE_OID ? ATTRIBUTE_OID[type as AttributeKey] : type;
  return dn.flatMap((rdn) => rdn.filter((member) => member.type === oid).map((member) => member.value));
}

/** Value of an attribute type in the most specific RDN that has it. */
export function attribute(dn: DistinguishedName, type: AttributeKey | (string & {})): string | undefined {
  return attributes(dn, type).at(-1);
}

/** One RDN per attribute, in the order given (most general first). */
export function nameOf(...members: readonly (readonly [type: AttributeKey, value: string])[]): DistinguishedName {
  return members.map(([type, value]) => [{ type: ATTRIBUTE_OID[type], value }]);
}

/**
 * Violations of X.520 upper bounds and of the character sets that attribute types demand, as sentences for the
 * requester; empty when there are none. Lengths count characters.
 */
export function checkNameBounds(dn: DistinguishedName): string[] {
  const problems: string[] = [];
  for (const { type, value } of dn.flat()) {
    const known = attributeRule(type);
    const label = known?.key ?? type;
    if (/\p{Cc}/u.test(value)) problems.push(`${label} has a control character`);
    if (!value.isWellFormed()) problems.push(`${label} is not valid Unicode`);
    const length = [...value].length;
    if (known === undefined) {
      if (length === 0) problems.push(`${label} is empty`);
      continue;
    }
    if (length < known.minLength || length > known.maxLength) {
      const range =
        known.minLength === known.maxLength ? `${known.maxLength}` : `${known.minLength} to ${known.maxLength}`;
      problems.push(`${label} has ${length} characters where ${range} are allowed`);
    }
    if (known.syntax === 'printable' && !isPrintable(value)) {
      problems.push(`${label} has a character outside PrintableString`);
    }
    if (known.syntax === 'ia5' && !ASCII.test(value)) problems.push(`${label} has a character outside ASCII`);
  }
  return problems;
}

/** Case and insignificant space do not matter in comparisons (RFC 5280 section 7.1, RFC 4518). */
function comparable({ type, value }: AttributeTypeAndValue): string {
  return `${type}=${value.normalize('NFKC').toLowerCase().trim().replace(/\s+/gu, ' ')}`;
}

/** Whether two names are the same after the string preparation of RFC 5280 section 7.1; string types do not matter. */
export function nameEquals(a: DistinguishedName, b: DistinguishedName): boolean {
  if (a.length !== b.length) return false;
  return a.every((rdn, index) => {
    const other = b[index];
    if (other === undefined || rdn.length !== other.length) return false;
    const left = rdn.map(comparable).sort();
    const right = other.map(comparable).sort();
    return left.every((value, at) => value === right[at]);
  });
}
