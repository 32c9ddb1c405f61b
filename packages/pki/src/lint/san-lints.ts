import { type DnsNameErrorCode, formatIp, type GeneralName, parseDnsName, parseIp } from '../names/index.ts';
import { EXTENSION } from '../profiles/index.ts';
import { isAbsoluteUri, isInternalName, isReservedAddress, splitMailbox } from './name-rules.ts';
import { error, type Lint, type LintSubject, warn } from './types.ts';

/** How many bad names a detail shows; a certificate may have a thousand. */
const MAX_SHOWN = 3;

function show(bad: readonly string[]): string | undefined {
  if (bad.length === 0) return undefined;
  const more = bad.length > MAX_SHOWN ? ` and ${bad.length - MAX_SHOWN} more` : '';
  return `${bad
    .slice(0, MAX_SHOWN)
    .map((name) => JSON.stringify(name))
    .join(', ')}${more}`;
}

function dnsNames({ certificate }: LintSubject, wrong: (name: string) => boolean): string | undefined {
  const bad: string[] = [];
  for (const san of certificate.sans) {
    if (san.kind === 'dns' && wrong(san.value)) bad.push(san.value);
  }
  return show(bad);
}

function dnsProblem(name: string): DnsNameErrorCode | 'notNormalized' | undefined {
  const parsed = parseDnsName(name);
  if (!parsed.ok) return parsed.error.code;
  return parsed.value === name ? undefined : 'notNormalized';
}

/** Refusals that have a rule of their own. */
const OWN_RULE: ReadonlySet<string> = new Set(['dnsName.underscore', 'dnsName.badWildcard', 'dnsName.ipAddress']);

const dnsRule =
  (code: DnsNameErrorCode): Lint['check'] =>
  (subject) =>
    dnsNames(subject, (name) => dnsProblem(name) === code);

function ownText(san: GeneralName): string {
  switch (san.kind) {
    case 'dns':
    case 'email':
    case 'uri':
      return `${san.kind}:${san.value}`;
    case 'ip':
      return `ip:${formatIp(san.bytes)}`;
    case 'registeredId':
      return `registeredId:${san.oid}`;
    case 'otherName':
      return `otherName:${san.oid}:${Buffer.from(san.value).toString('hex')}`;
    case 'directoryName':
      return `directoryName:${JSON.stringify(san.name)}`;
  }
}

function duplicates({ certificate }: LintSubject): string | undefined {
  const seen = new Set<string>();
  const bad: string[] = [];
  for (const san of certificate.sans) {
    const text = ownText(san);
    if (seen.has(text)) bad.push(text);
    seen.add(text);
  }
  return show(bad);
}

function emailWrong(text: string): boolean {
  const mailbox = splitMailbox(text);
  return mailbox === undefined || dnsProblem(mailbox.domain.toLowerCase()) !== undefined;
}

function textNames(
  { certificate }: LintSubject,
  kind: 'email' | 'uri',
  wrong: (text: string) => boolean,
): string | undefined {
  return show(certificate.sans.flatMap((san) => (san.kind === kind && wrong(san.value) ? [san.value] : [])));
}

function forbiddenKinds({ certificate, profile }: LintSubject): string | undefined {
  const bad = certificate.sans.filter((san) => !profile.san.kinds.includes(san.kind));
  return bad.length === 0 ? undefined : `kind ${bad[0]?.kind} is not allowed`;
}

const sanIsCritical = ({ certificate }: LintSubject): boolean | undefined =>
  certificate.extensions.find(({ oid }) => oid === EXTENSION.subjectAltName)?.critical;

const publicNamesOnly = ({ profile }: LintSubject): boolean => profile.san.publicNamesOnly;

/** Rules about the subject alternative name. */
export const SAN_LINTS: readonly Lint[] = [
  error('san_too_few', 'TLS BR 7.1.2.7.12', ({ certificate, profile }) =>
    certificate.sans.length < profile.san.min ? `${certificate.sans.length} names` : undefined,
  ),
  error('san_missing_without_subject', 'RFC 5280 4.1.2.6', ({ certificate }) =>
    certificate.subject.length === 0 && certificate.sans.length === 0
      ? 'neither subject nor alternative name'
      : undefined,
  ),
  error('san_too_many', 'profile', ({ certificate, profile }) =>
    profile.san.max > 0 && certificate.sans.length > profile.san.max
      ? `${certificate.sans.length} names where ${profile.san.max} are allowed`
      : undefined,
  ),
  error('san_kind_not_allowed', 'TLS BR 7.1.2.7.12', forbiddenKinds),
  error('san_not_critical_without_subject', 'RFC 5280 4.2.1.6', (subject) =>
    subject.certificate.subject.length === 0 && sanIsCritical(subject) === false ? 'must be critical' : undefined,
  ),
  warn('san_critical_with_subject', 'RFC 5280 4.2.1.6', (subject) =>
    subject.certificate.subject.length > 0 && sanIsCritical(subject) === true ? 'should not be critical' : undefined,
  ),
  error('san_dns_underscore', 'TLS BR 7.1.2.7.12', dnsRule('dnsName.underscore')),
  error('san_dns_wildcard_position', 'TLS BR 1.6.1', dnsRule('dnsName.badWildcard')),
  error('san_dns_is_address', 'TLS BR 7.1.2.7.12', (subject) =>
    dnsNames(subject, (name) => dnsProblem(name) === 'dnsName.ipAddress' || parseIp(name) !== undefined),
  ),
  error('san_dns_syntax', 'RFC 5280 4.2.1.6', (subject) =>
    dnsNames(subject, (name) => {
      const problem = dnsProblem(name);
      return problem !== undefined && !OWN_RULE.has(problem);
    }),
  ),
  error(
    'san_dns_wildcard_not_allowed',
    'EV Guidelines 7.1.2.7',
    (subject) => dnsNames(subject, (name) => name.startsWith('*.')),
    ({ profile }) => !profile.san.wildcards,
  ),
  error('san_dns_internal_name', 'TLS BR 7.1.2.7.12', (subject) => dnsNames(subject, isInternalName), publicNamesOnly),
  error(
    'san_ip_reserved',
    'TLS BR 7.1.2.7.12',
    ({ certificate }) =>
      show(
        certificate.sans.flatMap((san) =>
          san.kind === 'ip' && isReservedAddress(san.bytes) ? [formatIp(san.bytes)] : [],
        ),
      ),
    publicNamesOnly,
  ),
  error('san_email_syntax', 'RFC 5280 4.2.1.6', (subject) => textNames(subject, 'email', emailWrong)),
  error('san_uri_not_absolute', 'RFC 5280 4.2.1.6', (subject) =>
    textNames(subject, 'uri', (text) => !isAbsoluteUri(text)),
  ),
  warn('san_duplicate', 'RFC 5280 4.2.1.6', duplicates),
];
