import { DerError, type DerReader } from '../der/read.ts';
import * as der from '../der/write.ts';
import { type DistinguishedName, encodeName, readName } from './distinguished-name.ts';

/** GeneralName of RFC 5280 section 4.2.1.6; x400Address and ediPartyName are not supported. */
export type GeneralName =
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'ip'; readonly bytes: Uint8Array }
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'uri'; readonly value: string }
  | { readonly kind: 'directoryName'; readonly name: DistinguishedName }
  /** `value` is the complete DER of the value inside `[0] EXPLICIT`. */
  | { readonly kind: 'otherName'; readonly oid: string; readonly value: Uint8Array }
  | { readonly kind: 'registeredId'; readonly oid: string };

const ia5 = (number: number, value: string): der.Der => der.contextPrimitive(number, Buffer.from(value, 'latin1'));

/** DER of one GeneralName. Text must be ASCII (A-labels, RFC 5280 section 7.2). */
export function encodeGeneralName(name: GeneralName): Uint8Array {
  switch (name.kind) {
    case 'otherName':
      return der.context(0, der.oid(name.oid), der.context(0, name.value));
    case 'email':
      return ia5(1, name.value);
    case 'dns':
      return ia5(2, name.value);
    case 'directoryName':
      return der.context(4, encodeName(name.name));
    case 'uri':
      return ia5(6, name.value);
    case 'ip':
      return der.contextPrimitive(7, name.bytes);
    case 'registeredId':
      return der.contextPrimitive(8, der.oidContent(name.oid));
  }
}

/** DER of GeneralNames, in the order given. */
export function encodeGeneralNames(names: readonly GeneralName[]): Uint8Array {
  return der.sequence(...names.map(encodeGeneralName));
}

function readOtherName(reader: DerReader): GeneralName {
  const fields = reader.enter(0xa0);
  const oid = fields.oid();
  const explicit = fields.enter(0xa0);
  const value = explicit.any().bytes;
  explicit.end();
  fields.end();
  return { kind: 'otherName', oid, value };
}

function readDirectoryName(reader: DerReader): GeneralName {
  const explicit = reader.enter(0xa4);
  const name = readName(explicit);
  explicit.end();
  return { kind: 'directoryName', name };
}

/**
 * Reads the next value of `reader` as a GeneralName. Text is ASCII but otherwise unchecked; an IP address has 4 or 16 octets.
 * @throws DerError
 */
export function readGeneralName(reader: DerReader): GeneralName {
  const at = reader.offset;
  switch (reader.peek) {
    case 0xa0:
      return readOtherName(reader);
    case 0x81:
      return { kind: 'email', value: reader.ascii(0x81) };
    case 0x82:
      return { kind: 'dns', value: reader.ascii(0x82) };
    case 0xa4:
      return readDirectoryName(reader);
    case 0x86:
      return { kind: 'uri', value: reader.ascii(0x86) };
    case 0x87: {
      const bytes = reader.content(0x87);
      if (bytes.length !== 4 && bytes.length !== 16) {
        throw new DerError('der.badValue', at, `IP address of ${bytes.length} octets`);
      }
      return { kind: 'ip', bytes };
    }
    case 0x88:
      return { kind: 'registeredId', oid: reader.oid(0x88) };
    default:
      throw new DerError('der.badTag', at, 'unsupported kind of GeneralName');
  }
}

/** Reads the next value of `reader` as GeneralNames, which must not be empty. @throws DerError */
export function readGeneralNames(reader: DerReader): GeneralName[] {
  const sequence = reader.sequence();
  const names: GeneralName[] = [];
  do names.push(readGeneralName(sequence));
  while (!sequence.done);
  return names;
}
