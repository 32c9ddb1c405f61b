/**
 * Domain names between wire and text (RFC 1035 sections 3.1, 4.1.4 and 5.1). The text form is canonical: ASCII lower
 * case, no trailing dot, '' for the root; every byte that is not a letter, digit, `-`, `_` or `*` is written `\DDD`,
 * so that a dot always separates labels.
 */

/** A message or text that does not follow the protocol's format; answered with FORMERR. */
export class DnsFormatError extends Error {}

const MAX_LABEL_BYTES = 63;
const MAX_NAME_BYTES = 255;
/** Real compression needs a few jumps; a chain of pointers only burns time. */
const MAX_POINTER_JUMPS = 32;
const PLAIN_BYTE = /[a-z0-9_*-]/;

/** Reads the name at `offset`; `next` is the offset behind it. Throws {@link DnsFormatError}. */
export function readName(message: Buffer, offset: number): { readonly name: string; readonly next: number } {
  const labels: string[] = [];
  let position = offset;
  let next: number | undefined;
  let wireBytes = 1;
  let jumps = 0;
  for (;;) {
    const length = message[position];
    if (length === undefined) throw new DnsFormatError('name runs past the message');
    if (length === 0) return { name: labels.join('.'), next: next ?? position + 1 };
    if (length >= 0xc0) {
      const low = message[position + 1];
      const target = ((length & 0x3f) << 8) | (low ?? 0);
      jumps += 1;
      if (low === undefined || target >= position || jumps > MAX_POINTER_JUMPS) {
        throw new DnsFormatError('bad compression pointer');
      }
      next ??= position + 2;
      position = target;
      continue;
    }
    if (length > MAX_LABEL_BYTES) throw new DnsFormatError('unknown label type');
    const label = message.subarray(position + 1, position + 1 + length);
    wireBytes += length + 1;
    if (label.length < length || wireBytes > MAX_NAME_BYTES) throw new DnsFormatError('name too long');
    labels.push(escapeLabel(label));
    position += 1 + length;
  }
}

/** Encodes a canonical name, uncompressed. */
export function encodeName(name: string): Buffer {
  const parts: Buffer[] = [];
  for (const label of name === '' ? [] : name.split('.')) {
    const bytes = unescapeLabel(label);
    parts.push(Buffer.from([bytes.length]), bytes);
  }
  parts.push(Buffer.from([0]));
  return Buffer.concat(parts);
}

/** Canonical name of presentation text (with or without trailing dot, `\DDD` and `\X` escapes); undefined when malformed. */
export function parseNameText(text: string): string | undefined {
  if (text === '.') return '';
  if (text.length > 4 * MAX_NAME_BYTES || !/^(?:\\\d{3}|\\[!-~]|[!-[\]-~])+$/.test(text)) return undefined;
  const labels: number[][] = [[]];
  for (const [, decimal, escaped, plain] of text.matchAll(/\\(\d{3})|\\(.)|(.)/g)) {
    if (plain === '.') labels.push([]);
    else labels.at(-1)?.push(decimal === undefined ? (escaped ?? plain ?? '').charCodeAt(0) : Number(decimal));
  }
  if (labels.at(-1)?.length === 0) labels.pop();
  const wireBytes = labels.reduce((sum, { length }) => sum + length + 1, 1);
  const isLabel = (label: number[]): boolean =>
    label.length > 0 && label.length <= MAX_LABEL_BYTES && label.every((code) => code <= 0xff);
  if (wireBytes > MAX_NAME_BYTES || labels.length === 0 || !labels.every(isLabel)) return undefined;
  return labels.map((label) => escapeLabel(Uint8Array.from(label))).join('.');
}

/** Whether `name` is `zone` or below it. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '' || name === zone || name.endsWith(`.${zone}`);
}

/** The name without its first label; '' for a top-level name. */
export function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}

function escapeLabel(label: Uint8Array): string {
  let text = '';
  for (const byte of label) {
    const letter = String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
    text += PLAIN_BYTE.test(letter) ? letter : `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}

function unescapeLabel(label: string): Buffer {
  return Buffer.from(
    label.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number(code))),
    'latin1',
  );
}
