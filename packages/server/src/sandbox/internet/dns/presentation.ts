/** Record data between presentation text and wire (RFC 1035 section 3.3, RFC 3596, RFC 8659 section 4.1). */
import { isIPv4, isIPv6 } from 'node:net';
import { TYPE } from './constants.ts';
import { encodeName, parseNameText, readName } from './name.ts';

/** Types that can be published by text. */
export const RECORD_TYPES = ['A', 'AAAA', 'TXT', 'CNAME', 'CAA', 'MX', 'NS'] as const;
export type SandboxRecordType = (typeof RECORD_TYPES)[number];

/** Keeps a record within one DNS message with room for the rest of it. */
const MAX_TEXT_BYTES = 32_000;
const CHARACTER_STRING_BYTES = 255;

/**
 * Wire form of one record's text; undefined when it is malformed. A TXT value is the text itself, of any length,
 * unless it consists of quoted strings only (`"a" "b"`), which then are its character-strings.
 */
export function encodeText(type: SandboxRecordType, text: string): Buffer | undefined {
  if (text.length > 4 * MAX_TEXT_BYTES) return undefined;
  switch (type) {
    case 'A':
      return isIPv4(text) ? Buffer.from(text.split('.').map(Number)) : undefined;
    case 'AAAA':
      return encodeIpv6(text);
    case 'TXT':
      return encodeTxt(text);
    case 'CNAME':
    case 'NS': {
      const name = parseNameText(text);
      return name === undefined ? undefined : encodeName(name);
    }
    case 'CAA':
      return encodeCaa(text);
    case 'MX': {
      const match = /^(\d{1,5})\s+(\S+)$/.exec(text.trim());
      const name = parseNameText(match?.[2] ?? '');
      const preference = Number(match?.[1]);
      if (name === undefined || !(preference <= 0xffff)) return undefined;
      return Buffer.concat([Buffer.from([preference >> 8, preference & 0xff]), encodeName(name)]);
    }
  }
}

/** Text of record data that {@link encodeText} or an UPDATE stored; TXT as its joined text. */
export function decodeText(type: SandboxRecordType, rdata: Buffer): string {
  switch (type) {
    case 'A':
      return [...rdata].join('.');
    case 'AAAA':
      return new URL(`http://[${rdata.toString('hex').replace(/(....)(?=.)/g, '$1:')}]`).hostname.slice(1, -1);
    case 'TXT':
      return Buffer.concat(characterStrings(rdata) ?? []).toString('utf8');
    case 'CNAME':
    case 'NS':
      return `${readName(rdata, 0).name}.`;
    case 'CAA': {
      const tagEnd = 2 + (rdata[1] ?? 0);
      const value = rdata.toString('latin1', tagEnd).replace(/["\\]/g, '\\$&');
      return `${rdata[0] ?? 0} ${rdata.toString('latin1', 2, tagEnd)} "${value}"`;
    }
    case 'MX':
      return `${rdata.readUInt16BE(0)} ${readName(rdata, 2).name}.`;
  }
}

/** Whether data that came in by UPDATE has the form its type demands; unknown types may hold anything (RFC 3597). */
export function isWellFormed(type: number, rdata: Buffer): boolean {
  switch (type) {
    case TYPE.A:
      return rdata.length === 4;
    case TYPE.AAAA:
      return rdata.length === 16;
    case TYPE.TXT:
      return characterStrings(rdata) !== undefined;
    case TYPE.CAA: {
      const tagBytes = rdata[1] ?? 0;
      return tagBytes > 0 && rdata.length >= 2 + tagBytes;
    }
    case TYPE.NS:
    case TYPE.CNAME:
    case TYPE.SOA:
    case TYPE.PTR:
    case TYPE.MX:
    case TYPE.SRV:
    case TYPE.DNAME:
      return rdata.length > 0; // the message walker checked the rest
    default:
      return true;
  }
}

function encodeIpv6(text: string): Buffer | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  // URL normalizes a dotted IPv4 tail to hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): string[] =>
    part === '' ? [] : part.split(':').map((group) => group.padStart(4, '0'));
  const front = groups(head);
  const back = groups(tail ?? '');
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0000');
  return Buffer.from([...front, ...zeros, ...back].join(''), 'hex');
}

function encodeTxt(text: string): Buffer | undefined {
  if (/^\s*"/.test(text)) {
    const strings = parseQuoted(text);
    if (strings) return joinCharacterStrings(strings);
  }
  const bytes = Buffer.from(text, 'utf8');
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += CHARACTER_STRING_BYTES) {
    strings.push(bytes.subarray(at, at + CHARACTER_STRING_BYTES));
  }
  return joinCharacterStrings(strings);
}

function joinCharacterStrings(strings: readonly Buffer[]): Buffer | undefined {
  if (strings.length === 0 || strings.some(({ length }) => length > CHARACTER_STRING_BYTES)) return undefined;
  const rdata = Buffer.concat(strings.flatMap((string) => [Buffer.from([string.length]), string]));
  return rdata.length <= MAX_TEXT_BYTES ? rdata : undefined;
}

/** `"a" "b"` with `\"`, `\\` and `\DDD` escapes; undefined when the text is anything else. */
function parseQuoted(text: string): Buffer[] | undefined {
  if (!/^\s*(?:"(?:[^"\\]|\\.)*"\s*)+$/s.test(text)) return undefined;
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, quoted = '']) => unescapeText(quoted));
}

function unescapeText(text: string): Buffer {
  const parts = [...text.matchAll(/\\(\d{3})|\\(.)|([^\\]+)/gs)].map(([, code, escaped, plain]) =>
    code === undefined ? Buffer.from(escaped ?? plain ?? '', 'utf8') : Buffer.from([Number(code) & 0xff]),
  );
  return Buffer.concat(parts);
}

function encodeCaa(text: string): Buffer | undefined {
  const match = /^(\d{1,3})\s+([a-zA-Z0-9]{1,255})\s+(?:("(?:[^"\\]|\\.)*")|([^\s"]+))$/s.exec(text.trim());
  if (!match) return undefined;
  const [, flagsText = '', tag = '', quoted, bare = ''] = match;
  const flags = Number(flagsText);
  const value = quoted === undefined ? Buffer.from(bare, 'utf8') : parseQuoted(quoted)?.[0];
  if (flags > 255 || !value || value.length > MAX_TEXT_BYTES) return undefined;
  return Buffer.concat([Buffer.from([flags, tag.length]), Buffer.from(tag, 'latin1'), value]);
}

function characterStrings(rdata: Buffer): Buffer[] | undefined {
  const strings: Buffer[] = [];
  let at = 0;
  while (at < rdata.length) {
    const end = at + 1 + (rdata[at] ?? 0);
    if (end > rdata.length) return undefined;
    strings.push(rdata.subarray(at + 1, end));
    at = end;
  }
  return strings.length > 0 ? strings : undefined;
}
