import { der } from '../der/index.ts';
import { ATTRIBUTE_OID, attributes, checkNameBounds, formatIp } from '../names/index.ts';
import { error, isCaProfile, isPublicTls, type Lint, type LintSubject, warn } from './types.ts';

const { TAG } = der;

const KEY_BY_OID: ReadonlyMap<string, string> = new Map(Object.entries(ATTRIBUTE_OID).map(([key, oid]) => [oid, key]));
const label = (oid: string): string => KEY_BY_OID.get(oid) ?? oid;

const PRINTABLE_ONLY: ReadonlySet<string> = new Set([
  ATTRIBUTE_OID.C,
  ATTRIBUTE_OID.serialNumber,
  ATTRIBUTE_OID.dnQualifier,
  ATTRIBUTE_OID.jurisdictionC,
]);
const IA5_ONLY: ReadonlySet<string> = new Set([ATTRIBUTE_OID.DC, ATTRIBUTE_OID.emailAddress]);
const COUNTRIES: ReadonlySet<string> = new Set([ATTRIBUTE_OID.C, ATTRIBUTE_OID.jurisdictionC]);
/** Attribute types that may be there several times. */
const REPEATABLE: ReadonlySet<string> = new Set([ATTRIBUTE_OID.DC, ATTRIBUTE_OID.street]);

function stringTypeFits(type: string, tag: number | undefined): boolean {
  if (PRINTABLE_ONLY.has(type)) return tag === TAG.printableString;
  if (IA5_ONLY.has(type)) return tag === TAG.ia5String;
  return tag === TAG.utf8String || tag === TAG.printableString;
}

function stringTypeProblem({ certificate }: LintSubject): string | undefined {
  for (const rdn of certificate.subject) {
    for (const { type, tag } of rdn) {
      if (!stringTypeFits(type, tag)) return `${label(type)} has string type ${tag}`;
    }
  }
  return undefined;
}

const present = ({ certificate }: LintSubject, type: string): boolean =>
  certificate.subject.some((rdn) => rdn.some((member) => member.type === type));

function missingProblem(subject: LintSubject): string | undefined {
  const { required, anyOf } = subject.profile.subject;
  const missing = required.find((type) => !present(subject, type));
  if (missing !== undefined) return `${label(missing)} is required`;
  const group = anyOf.find((types) => !types.some((type) => present(subject, type)));
  return group === undefined ? undefined : `one of ${group.map(label).join(', ')} is required`;
}

function forbiddenProblem({ certificate, profile }: LintSubject): string | undefined {
  const { required, optional } = profile.subject;
  for (const rdn of certificate.subject) {
    for (const { type } of rdn) {
      if (!required.includes(type) && !optional.includes(type)) return `${label(type)} is not allowed`;
    }
  }
  return undefined;
}

function repeatedProblem({ certificate }: LintSubject): string | undefined {
  const seen = new Set<string>();
  for (const rdn of certificate.subject) {
    for (const { type } of rdn) {
      if (seen.has(type) && !REPEATABLE.has(type)) return `${label(type)} appears twice`;
      seen.add(type);
    }
  }
  return undefined;
}

function valueProblem(
  { certificate }: LintSubject,
  wrong: (type: string, value: string) => boolean,
): string | undefined {
  for (const rdn of certificate.subject) {
    for (const { type, value } of rdn) {
      if (wrong(type, value)) return label(type);
    }
  }
  return undefined;
}

/** Text forms of the subject alternative names that a commonName may repeat. */
function namesOf({ certificate }: LintSubject): Set<string> {
  const names = new Set<string>();
  for (const san of certificate.sans) {
    if (san.kind === 'dns' || san.kind === 'email' || san.kind === 'uri') names.add(san.value);
    else if (san.kind === 'ip') names.add(formatIp(san.bytes));
  }
  return names;
}

function commonNameProblem(subject: LintSubject): string | undefined {
  const commonNames = attributes(subject.certificate.subject, 'CN');
  if (commonNames.length === 0) return undefined;
  const names = namesOf(subject);
  return commonNames.every((name) => names.has(name)) ? undefined : 'commonName is not among the alternative names';
}

/** Rules about the subject. */
export const SUBJECT_LINTS: readonly Lint[] = [
  error(
    'subject_empty_in_ca',
    'RFC 5280 4.1.2.6',
    ({ certificate }) => (certificate.subject.length === 0 ? 'a CA must have a subject' : undefined),
    isCaProfile,
  ),
  error('subject_attribute_missing', 'TLS BR 7.1.2.7', missingProblem),
  error('subject_attribute_not_allowed', 'TLS BR 7.1.2.7', forbiddenProblem),
  error('subject_attribute_repeated', 'TLS BR 7.1.4.1', repeatedProblem, isPublicTls),
  error(
    'subject_multi_valued_rdn',
    'TLS BR 7.1.4.1',
    ({ certificate }) =>
      certificate.subject.some((rdn) => rdn.length > 1) ? 'an RDN of several attributes' : undefined,
    isPublicTls,
  ),
  error('subject_string_type', 'RFC 5280 4.1.2.4', stringTypeProblem),
  error('subject_bounds', 'RFC 5280 A.1', ({ certificate }) => checkNameBounds(certificate.subject)[0]),
  error('subject_country_not_two_letters', 'RFC 5280 A.1', (subject) =>
    valueProblem(subject, (type, value) => COUNTRIES.has(type) && !/^[A-Z]{2}$/.test(value)),
  ),
  error('subject_value_without_content', 'TLS BR 7.1.4.2', (subject) =>
    valueProblem(subject, (_, value) => !/[\p{L}\p{N}]/u.test(value)),
  ),
  warn('subject_value_outer_space', 'RFC 4518 2.6.1', (subject) =>
    valueProblem(subject, (_, value) => value !== value.trim()),
  ),
  error('common_name_not_in_san', 'TLS BR 7.1.4.3', commonNameProblem, ({ profile }) => profile.san.commonNameFromSan),
];
