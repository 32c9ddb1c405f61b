import { fail, ok, type Result } from '../result.ts';

export type PemErrorCode = 'pem.notPem' | 'pem.wrongLabel' | 'pem.notBase64';

export interface PemError {
  readonly code: PemErrorCode;
  readonly detail: string;
}

/** Text encoding of RFC 7468: lines of 64 characters, LF, a final newline. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}

/**
 * Octets of base64 text with any white space in it, or undefined unless the rest is canonical:
 * standard alphabet, padded, unused bits zero (RFC 4648 section 3.5).
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/[ \t\r\n]+/g, '');
  if (compact.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(compact, 'base64');
  return bytes.toString('base64') === compact ? bytes : undefined;
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';

/**
 * Octets of the one PEM block in `text`, whose label must be among `labels`. Text before the block is ignored
 * (RFC 7468 section 2); only white space may follow it, so that a second block (say, a private key) does not go unnoticed.
 */
export function fromPem(text: string, ...labels: readonly string[]): Result<Uint8Array, PemError> {
  const begin = text.indexOf(BEGIN);
  if (begin < 0) return fail({ code: 'pem.notPem', detail: 'no BEGIN line' });
  const labelEnd = text.indexOf(DASHES, begin + BEGIN.length);
  const label = text.slice(begin + BEGIN.length, labelEnd < 0 ? begin + BEGIN.length : labelEnd);
  if (!/^[A-Z0-9](?:[A-Z0-9 -]{0,62}[A-Z0-9])?$/.test(label)) {
    return fail({ code: 'pem.notPem', detail: 'malformed BEGIN line' });
  }
  if (!labels.includes(label)) {
    return fail({ code: 'pem.wrongLabel', detail: `a ${label} where a ${labels[0]} is expected` });
  }
  const bodyStart = labelEnd + DASHES.length;
  const endLine = `${END}${label}${DASHES}`;
  const end = text.indexOf(endLine, bodyStart);
  if (end < 0) return fail({ code: 'pem.notPem', detail: 'no matching END line' });
  if (text.slice(end + endLine.length).trim() !== '') {
    return fail({ code: 'pem.notPem', detail: 'text after the END line' });
  }
  const bytes = decodeBase64(text.slice(bodyStart, end));
  if (bytes === undefined) return fail({ code: 'pem.notBase64', detail: 'text between the PEM lines is not base64' });
  return ok(bytes);
}
