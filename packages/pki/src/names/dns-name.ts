import { domainToASCII, domainToUnicode } from 'node:url';
import { fail, ok, type Result } from '../result.ts';
import { idnLabelProblem } from './idn-label.ts';

declare const dnsNameBrand: unique symbol;

/** A DNS name as certificates carry it: lower case, A-labels, no trailing dot, perhaps `*.` in front. Made by {@link parseDnsName} only. */
export type DnsName = string & { readonly [dnsNameBrand]: true };

export type DnsNameErrorCode =
  | 'dnsName.empty'
  | 'dnsName.tooLong'
  | 'dnsName.emptyLabel'
  | 'dnsName.labelTooLong'
  | 'dnsName.badCharacter'
  | 'dnsName.underscore'
  | 'dnsName.hyphen'
  | 'dnsName.reservedLabel'
  | 'dnsName.badWildcard'
  | 'dnsName.ipAddress'
  | 'dnsName.badIdn'
  | 'dnsName.disallowedCharacter'
  | 'dnsName.mixedScript';

export interface DnsNameError {
  readonly code: DnsNameErrorCode;
  /** A sentence for the requester; shows no character that could harm a log or page. */
  readonly detail: string;
}

const MAX_NAME = 253;
const MAX_LABEL = 63;
/** No text longer than this can become a name of 253 octets, whatever the mapping removes. */
const MAX_TEXT = 1024;

/** A plain name: nothing of it needs a closer look. Labels of 1–63, none with hyphens in places three and four. */
const PLAIN =
  /^(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!..--)(?!\d+$|0x[0-9a-f]*$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const refuse = (code: DnsNameErrorCode, detail: string): { readonly ok: false; readonly error: DnsNameError } =>
  fail({ code, detail });

function labelError(label: string): DnsNameError | undefined {
  const problem = (code: DnsNameErrorCode, detail: string): DnsNameError => ({ code, detail });
  if (label === '') return problem('dnsName.emptyLabel', 'two dots in a row or a leading dot');
  if (label.includes('*')) return problem('dnsName.badWildcard', 'an asterisk may only be the whole leftmost label');
  if (label.includes('_')) return problem('dnsName.underscore', 'underscore in a host name');
  if (!/^[a-z0-9-]+$/.test(label)) return problem('dnsName.badCharacter', 'a character that no host name can have');
  if (label.length > MAX_LABEL) return problem('dnsName.labelTooLong', `a label of more than ${MAX_LABEL} octets`);
  if (label.startsWith('-') || label.endsWith('-')) {
    return problem('dnsName.hyphen', 'a label that starts or ends with a hyphen');
  }
  if (label.startsWith('xn--')) return aLabelError(label);
  if (label.startsWith('--', 2)) return problem('dnsName.reservedLabel', 'hyphens in places three and four of a label');
  return undefined;
}

function aLabelError(label: string): DnsNameError | undefined {
  const unicode = domainToUnicode(label);
  if (unicode === label || unicode === '' || domainToASCII(unicode) !== label) {
    return { code: 'dnsName.badIdn', detail: 'a label that starts with xn-- and is no valid A-label' };
  }
  switch (idnLabelProblem(unicode)) {
    case 'disallowedCharacter':
      return { code: 'dnsName.disallowedCharacter', detail: 'an internationalised label with a disallowed character' };
    case 'mixedScript':
      return { code: 'dnsName.mixedScript', detail: 'an internationalised label that mixes scripts' };
    case undefined:
      return undefined;
  }
}

/** A-label form of text outside ASCII, or undefined. ASCII that a URL host would give a meaning is checked before. */
function toAscii(text: string): Result<string, DnsNameError> {
  const ascii = text.replace(/[^\u0000-\u007f]/gu, '');
  if (ascii.includes('_')) return refuse('dnsName.underscore', 'underscore in a host name');
  if (!/^[a-zA-Z0-9.-]*$/.test(ascii)) {
    return refuse('dnsName.badCharacter', 'a character that no host name can have');
  }
  const mapped = domainToASCII(text);
  return mapped === '' ? refuse('dnsName.badIdn', 'an internationalised name that IDNA refuses') : ok(mapped);
}

function parseBase(text: string): Result<string, DnsNameError> {
  let base = text;
  if (/[^\u0000-\u007f]/.test(base)) {
    const mapped = toAscii(base);
    if (!mapped.ok) return mapped;
    base = mapped.value;
  }
  base = base.toLowerCase();
  if (base.endsWith('.')) base = base.slice(0, -1);
  if (base === '') return refuse('dnsName.empty', 'empty name');
  if (base.length > MAX_NAME) return refuse('dnsName.tooLong', `a name of more than ${MAX_NAME} octets`);
  if (PLAIN.test(base)) return ok(base);
  const labels = base.split('.');
  for (const label of labels) {
    const error = labelError(label);
    if (error !== undefined) return fail(error);
  }
  // WHATWG and the root zone agree: a name whose last label is a number is an IPv4 address or a mistake.
  const last = labels.at(-1) ?? '';
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(last))
    return refuse('dnsName.ipAddress', 'an IP address or a numeric top-level label');
  return ok(base);
}

/**
 * Normalises and checks one host name or wildcard: lower case, trailing dot off, U-labels to A-labels
 * (RFC 5890, UTS 46), preferred name syntax (RFC 1034 section 3.5 as RFC 5280 section 4.2.1.6 demands), no underscore,
 * no mixed-script label, `*` only as the whole leftmost label. Single-label names pass; policy decides about them.
 */
export function parseDnsName(text: string): Result<DnsName, DnsNameError> {
  if (text === '') return refuse('dnsName.empty', 'empty name');
  if (text.length > MAX_TEXT) return refuse('dnsName.tooLong', `a name of more than ${MAX_NAME} octets`);
  if (!text.startsWith('*')) {
    const base = parseBase(text);
    return base.ok ? ok(base.value as DnsName) : base;
  }
  if (!text.startsWith('*.') || text.length === 2) {
    return refuse('dnsName.badWildcard', 'an asterisk may only be the whole leftmost label');
  }
  const base = parseBase(text.slice(2));
  if (!base.ok) return base;
  const wildcard = `*.${base.value}`;
  if (wildcard.length > MAX_NAME) return refuse('dnsName.tooLong', `a name of more than ${MAX_NAME} octets`);
  return ok(wildcard as DnsName);
}

/** Whether the name stands for all names one label below its base. */
export const isWildcard = (name: DnsName): boolean => name.startsWith('*.');

/** The name without its `*.`: what domain control is proved for. */
export const baseName = (name: DnsName): DnsName => (isWildcard(name) ? (name.slice(2) as DnsName) : name);

/** The name for people: U-labels instead of A-labels. */
export function displayDnsName(name: DnsName): string {
  return isWildcard(name) ? `*.${domainToUnicode(name.slice(2))}` : domainToUnicode(name);
}
