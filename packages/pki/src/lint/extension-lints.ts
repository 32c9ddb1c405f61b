import { keyIdentifier } from '../keys/index.ts';
import { EKU, EXTENSION, usageFamily } from '../profiles/index.ts';
import { isHttpUrl } from './name-rules.ts';
import { error, isPublicTls, type Lint, type LintSubject, sameBytes } from './types.ts';

const SHORT_LIVED_MS = 7 * 86_400_000;

const KNOWN: ReadonlySet<string> = new Set(Object.values(EXTENSION));

const extension = ({ certificate }: LintSubject, oid: string) =>
  certificate.extensions.find((entry) => entry.oid === oid);
const has = (subject: LintSubject, oid: string): boolean => extension(subject, oid) !== undefined;

/** A rule that an extension, when there, has this criticality. */
function criticality(id: string, source: string, oid: string, critical: boolean): Lint {
  return error(id, source, (subject) => {
    const found = extension(subject, oid);
    return found === undefined || found.critical === critical ? undefined : `must ${critical ? '' : 'not '}be critical`;
  });
}

const list = (values: readonly string[]): string => (values.length === 0 ? 'none' : values.join(', '));

function sameSet(
  id: string,
  source: string,
  found: (subject: LintSubject) => readonly string[],
  expected: (subject: LintSubject) => readonly string[],
): Lint {
  return error(id, source, (subject) => {
    const [is, ought] = [found(subject), expected(subject)];
    const same = is.length === ought.length && ought.every((value) => is.includes(value));
    return same ? undefined : `${list(is)} instead of ${list(ought)}`;
  });
}

function repeated(values: readonly string[]): string | undefined {
  return values.length === new Set(values).size ? undefined : 'appears twice';
}

function basicConstraintsProblem(subject: LintSubject): string | undefined {
  const { certificate, profile } = subject;
  const expected = profile.basicConstraints;
  if ((expected !== undefined) !== has(subject, EXTENSION.basicConstraints))
    return expected ? 'missing' : 'not expected';
  return certificate.isCa === (expected?.ca ?? false) ? undefined : `says CA ${certificate.isCa}`;
}

function keyUsageProblem({ certificate, profile, key }: LintSubject): string | undefined {
  const { keyUsage } = certificate;
  if (keyUsage === undefined || !key.ok || key.value.algorithm === undefined) return undefined;
  const expected = profile.keyUsage[usageFamily(key.value.algorithm)];
  const same = keyUsage.length === expected.length && expected.every((usage) => keyUsage.includes(usage));
  return same ? undefined : `${list(keyUsage)} instead of ${list(expected)}`;
}

function certSignProblem({ certificate }: LintSubject): string | undefined {
  const signs = certificate.keyUsage?.includes('keyCertSign') ?? false;
  return signs === certificate.isCa ? undefined : `keyCertSign is ${signs}, CA is ${certificate.isCa}`;
}

/** RFC 8410 and RFC 9881 forbid enciphering usages, RFC 8813 forbids keyEncipherment for EC. */
function enciphermentProblem({ certificate, key }: LintSubject): string | undefined {
  if (!key.ok || key.value.kind === 'rsa') return undefined;
  const wrong = certificate.keyUsage?.find((usage) => usage === 'keyEncipherment' || usage === 'dataEncipherment');
  return wrong === undefined ? undefined : `${wrong} with a key of kind ${key.value.kind}`;
}

function subjectKeyIdentifierProblem({ certificate }: LintSubject): string | undefined {
  const { subjectKeyIdentifier, spki } = certificate;
  if (subjectKeyIdentifier === undefined) return undefined;
  return sameBytes(subjectKeyIdentifier, keyIdentifier(spki)) ? undefined : 'is not derived from the key';
}

function accessMissing(subject: LintSubject): string | undefined {
  const { certificate, profile, issuer } = subject;
  if (profile.authorityInfoAccess === 'none') return undefined;
  if (issuer.urls.caIssuers !== undefined && certificate.caIssuersUrls.length === 0) return 'no caIssuers URL';
  const wantsOcsp = profile.authorityInfoAccess === 'ocspAndCaIssuers' && issuer.urls.ocsp !== undefined;
  return wantsOcsp && certificate.ocspUrls.length === 0 ? 'no OCSP URL' : undefined;
}

function accessForbidden({ certificate, profile }: LintSubject): string | undefined {
  const { ocspUrls, caIssuersUrls } = certificate;
  if (profile.authorityInfoAccess === 'none' && ocspUrls.length + caIssuersUrls.length > 0) return 'not expected';
  return profile.authorityInfoAccess === 'caIssuers' && ocspUrls.length > 0 ? 'OCSP URL not expected' : undefined;
}

const notHttp = (urls: readonly string[]): string | undefined => {
  const bad = urls.find((url) => !isHttpUrl(url));
  return bad === undefined ? undefined : JSON.stringify(bad.slice(0, 200));
};

function revocationPointerProblem({ certificate }: LintSubject): string | undefined {
  if (certificate.notAfter + 1000 - certificate.notBefore <= SHORT_LIVED_MS) return undefined;
  return certificate.ocspUrls.length + certificate.crlUrls.length > 0 ? undefined : 'neither OCSP nor CRL URL';
}

/** Rules about the extensions other than the subject alternative name. */
export const EXTENSION_LINTS: readonly Lint[] = [
  error('extension_duplicate', 'RFC 5280 4.2', ({ certificate }) =>
    repeated(certificate.extensions.map(({ oid }) => oid)),
  ),
  error('extension_unknown_critical', 'RFC 5280 4.2', ({ certificate }) => {
    const found = certificate.extensions.find(({ oid, critical }) => critical && !KNOWN.has(oid));
    return found?.oid;
  }),
  error('basic_constraints_mismatch', 'RFC 5280 4.2.1.9', basicConstraintsProblem),
  criticality('basic_constraints_not_critical', 'RFC 5280 4.2.1.9', EXTENSION.basicConstraints, true),
  error('path_length_mismatch', 'RFC 5280 4.2.1.9', ({ certificate, profile }) =>
    certificate.pathLength === profile.basicConstraints?.pathLength
      ? undefined
      : `${certificate.pathLength} instead of ${profile.basicConstraints?.pathLength}`,
  ),
  error('key_usage_missing', 'RFC 5280 4.2.1.3', ({ certificate }) =>
    certificate.keyUsage === undefined || certificate.keyUsage.length === 0 ? 'missing or empty' : undefined,
  ),
  criticality('key_usage_not_critical', 'RFC 5280 4.2.1.3', EXTENSION.keyUsage, true),
  error('key_usage_not_of_profile', 'TLS BR 7.1.2.7.11', keyUsageProblem),
  error('key_usage_cert_sign', 'RFC 5280 4.2.1.9', certSignProblem),
  error('key_usage_encipherment_without_rsa', 'RFC 8813 3', enciphermentProblem),
  sameSet(
    'eku_not_of_profile',
    'TLS BR 7.1.2.7.10',
    ({ certificate }) => certificate.extendedKeyUsage,
    ({ profile }) => profile.extendedKeyUsage,
  ),
  error(
    'eku_any_in_public_tls',
    'TLS BR 7.1.2.7.10',
    ({ certificate }) => (certificate.extendedKeyUsage.includes(EKU.any) ? 'anyExtendedKeyUsage' : undefined),
    isPublicTls,
  ),
  error(
    'eku_client_auth_in_public_tls',
    'Chrome Root Program Policy (dedicated TLS hierarchies)',
    ({ certificate }) => (certificate.extendedKeyUsage.includes(EKU.clientAuth) ? 'clientAuth' : undefined),
    isPublicTls,
  ),
  error('aki_mismatch', 'RFC 5280 4.2.1.1', ({ certificate, issuer }) => {
    const { authorityKeyIdentifier } = certificate;
    if (authorityKeyIdentifier === undefined) return 'missing';
    return sameBytes(authorityKeyIdentifier, issuer.keyIdentifier) ? undefined : 'is not the issuer’s key identifier';
  }),
  criticality('aki_critical', 'RFC 5280 4.2.1.1', EXTENSION.authorityKeyIdentifier, false),
  error('ski_missing', 'RFC 5280 4.2.1.2', ({ certificate, profile }) =>
    profile.subjectKeyIdentifier && certificate.subjectKeyIdentifier === undefined ? 'missing' : undefined,
  ),
  error('ski_mismatch', 'RFC 5280 4.2.1.2', subjectKeyIdentifierProblem),
  criticality('ski_critical', 'RFC 5280 4.2.1.2', EXTENSION.subjectKeyIdentifier, false),
  sameSet(
    'policies_not_of_profile',
    'TLS BR 7.1.6.1',
    ({ certificate }) => [...new Set(certificate.policies)],
    ({ profile }) => profile.policies,
  ),
  error('policy_duplicate', 'RFC 5280 4.2.1.4', ({ certificate }) => repeated(certificate.policies)),
  error('aia_missing', 'TLS BR 7.1.2.7.7', accessMissing),
  error('aia_not_expected', 'profile', accessForbidden),
  error('aia_not_http', 'TLS BR 7.1.2.7.7', ({ certificate }) =>
    notHttp([...certificate.ocspUrls, ...certificate.caIssuersUrls]),
  ),
  criticality('aia_critical', 'RFC 5280 4.2.2.1', EXTENSION.authorityInfoAccess, false),
  error('cdp_missing', 'TLS BR 7.1.2.11.2', ({ certificate, profile, issuer }) =>
    profile.crlDistributionPoints && issuer.urls.crl !== undefined && certificate.crlUrls.length === 0
      ? 'missing'
      : undefined,
  ),
  error('cdp_not_expected', 'profile', (subject) =>
    !subject.profile.crlDistributionPoints && has(subject, EXTENSION.crlDistributionPoints)
      ? 'not expected'
      : undefined,
  ),
  error('cdp_not_http', 'TLS BR 7.1.2.11.2', ({ certificate }) => notHttp(certificate.crlUrls)),
  error('revocation_pointer_missing', 'TLS BR 7.1.2.11.2', revocationPointerProblem, isPublicTls),
  error('ocsp_nocheck_missing', 'TLS BR 4.9.9', ({ certificate, profile }) =>
    profile.ocspNoCheck && !certificate.ocspNoCheck ? 'missing' : undefined,
  ),
  error('ocsp_nocheck_not_expected', 'RFC 6960 4.2.2.2.1', ({ certificate, profile }) =>
    !profile.ocspNoCheck && certificate.ocspNoCheck ? 'not expected' : undefined,
  ),
];
