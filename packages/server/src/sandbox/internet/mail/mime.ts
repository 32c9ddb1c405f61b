/** Reads the text out of a mail (RFC 5322, RFC 2045 to 2047): enough for what programs send, bounded for what they should not. */

const MAX_DEPTH = 8;
const MAX_PARTS = 100;
const MAX_HEADER_LINES = 1_000;
/** Longest Content-Type or Content-Disposition that is looked at. */
const MAX_STRUCTURED_CHARACTERS = 8_192;

export interface ParsedMail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  /** First plain text part, '' when there is none. */
  readonly text: string;
  /** First HTML part. */
  readonly html?: string;
}

interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

interface HeaderValue {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

interface Texts {
  text?: string;
  html?: string;
}

/** Parses a raw message. Never throws: what cannot be decoded is left as it is. */
export function parseMail(raw: Buffer): ParsedMail {
  const message = splitPart(raw);
  const found: Texts = {};
  collectTexts(message, 0, { left: MAX_PARTS }, found);
  const header = (name: string): string => decodeWords(message.headers.get(name) ?? '');
  return {
    from: header('from'),
    to: header('to'),
    subject: header('subject'),
    text: found.text ?? '',
    ...(found.html === undefined ? {} : { html: found.html }),
  };
}

function collectTexts(part: Part, depth: number, parts: { left: number }, found: Texts): void {
  parts.left -= 1;
  if (parts.left < 0 || depth > MAX_DEPTH) return;
  const type = parseHeaderValue(part.headers.get('content-type') ?? 'text/plain');
  const boundary = type.parameters.get('boundary');
  if (type.value.startsWith('multipart/') && boundary) {
    for (const piece of splitMultipart(part.body, boundary)) collectTexts(splitPart(piece), depth + 1, parts, found);
    return;
  }
  if (parseHeaderValue(part.headers.get('content-disposition') ?? '').value === 'attachment') return;
  if (type.value !== 'text/plain' && type.value !== 'text/html') return;
  const kind = type.value === 'text/plain' ? 'text' : 'html';
  found[kind] ??= decodeBody(part, type.parameters.get('charset') ?? 'utf-8');
}

/** Headers by lower-case name (the first of each), unfolded; the body begins behind the first empty line. */
function splitPart(raw: Buffer): Part {
  const headers = new Map<string, string>();
  let offset = 0;
  let current: { name: string; value: string } | undefined;
  const keep = (): void => {
    if (current && !headers.has(current.name)) headers.set(current.name, current.value);
    current = undefined;
  };
  for (let lines = 0; offset < raw.length && lines < MAX_HEADER_LINES; lines += 1) {
    const newline = raw.indexOf(0x0a, offset);
    const end = newline < 0 ? raw.length : newline;
    const line = raw.toString('utf8', offset, end).replace(/\r$/, '');
    offset = Math.min(end + 1, raw.length);
    if (line === '') break;
    if (/^[ \t]/.test(line)) {
      if (current) current.value += line;
      continue;
    }
    keep();
    const colon = line.indexOf(':');
    if (colon > 0) current = { name: line.slice(0, colon).trim().toLowerCase(), value: line.slice(colon + 1).trim() };
  }
  keep();
  return { headers, body: raw.subarray(offset) };
}

/** The pieces between the delimiter lines of RFC 2046 section 5.1. */
function splitMultipart(body: Buffer, boundary: string): Buffer[] {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const pieces: Buffer[] = [];
  let start: number | undefined;
  let at = body.indexOf(delimiter);
  while (at >= 0 && pieces.length < MAX_PARTS) {
    const isLineStart = at === 0 || body[at - 1] === 0x0a;
    if (isLineStart) {
      if (start !== undefined) pieces.push(trimLineEnd(body.subarray(start, at)));
      const behind = at + delimiter.length;
      if (body[behind] === 0x2d && body[behind + 1] === 0x2d) return pieces;
      const newline = body.indexOf(0x0a, behind);
      if (newline < 0) return pieces;
      start = newline + 1;
    }
    at = body.indexOf(delimiter, at + delimiter.length);
  }
  return pieces;
}

/** The line break before a delimiter belongs to the delimiter. */
function trimLineEnd(piece: Buffer): Buffer {
  const end = piece.length - (piece.at(-1) === 0x0a ? (piece.at(-2) === 0x0d ? 2 : 1) : 0);
  return piece.subarray(0, end);
}

function decodeBody({ headers, body }: Part, charset: string): string {
  const encoding = (headers.get('content-transfer-encoding') ?? '').trim().toLowerCase();
  if (encoding === 'base64') return decodeCharset(Buffer.from(body.toString('latin1'), 'base64'), charset);
  if (encoding === 'quoted-printable') return decodeCharset(decodeQuotedPrintable(body.toString('latin1')), charset);
  return decodeCharset(body, charset);
}

/** RFC 2045 section 6.7, on text whose characters stand for bytes; white space at the end of a line is transport noise. */
function decodeQuotedPrintable(text: string): Buffer {
  const lines = text.split(/\r?\n/).map((line) => line.trimEnd());
  const joined = lines.join('\r\n').replaceAll('=\r\n', '');
  return Buffer.from(
    joined.replace(/=([0-9a-fA-F]{2})/g, (_, hex: string) => hexCharacter(hex)),
    'latin1',
  );
}

/** RFC 2047 encoded words; white space between two of them is no text. */
function decodeWords(value: string): string {
  return value
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(/=\?([^?\s]{1,40})\?([bq])\?([^?\s]*)\?=/gi, (_, charset: string, kind: string, data: string) => {
      const bytes =
        kind.toLowerCase() === 'b' ? Buffer.from(data, 'base64') : decodeQuotedPrintable(data.replaceAll('_', '=20'));
      return decodeCharset(bytes, charset);
    });
}

function hexCharacter(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function decodeCharset(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset.trim()).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/** `value; name=token; name="quoted"` in lower case but for the parameter values. */
function parseHeaderValue(header: string): HeaderValue {
  const text = header.slice(0, MAX_STRUCTURED_CHARACTERS);
  const parameters = new Map<string, string>();
  for (const match of text.matchAll(/;\s*([^=;\s]{1,64})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g)) {
    const [, name = '', quoted, token = ''] = match;
    parameters.set(name.toLowerCase(), quoted === undefined ? token : quoted.replace(/\\(.)/g, '$1'));
  }
  return { value: (text.split(';', 1)[0] ?? '').trim().toLowerCase(), parameters };
}
