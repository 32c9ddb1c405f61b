import { signatureAlgorithmFor } from '../keys/index.ts';
import { maxValidityDays } from '../profiles/index.ts';
import { error, isPublicTls, isRoot, type Lint, type LintSubject, sameBytes, warn } from './types.ts';

const DAY_MS = 86_400_000;
const UTC_TIME_ENDS = Date.UTC(2050, 0, 1);
/** How far notBefore may lie from the time of signing. */
const MAX_BACKDATE_MS = 2 * DAY_MS;
const MAX_POSTDATE_MS = 2 * DAY_MS;
const MIN_SERIAL_OCTETS = 8;
const MAX_SERIAL_OCTETS = 20;

const iso = (instant: number): string => new Date(instant).toISOString();

function encodingProblem({ certificate }: LintSubject): string | undefined {
  const { notBefore, notBeforeEncoding, notAfter, notAfterEncoding } = certificate;
  const expected = (at: number): string => (at < UTC_TIME_ENDS ? 'utcTime' : 'generalizedTime');
  if (notBeforeEncoding !== expected(notBefore)) return `notBefore is encoded as ${notBeforeEncoding}`;
  if (notAfterEncoding !== expected(notAfter)) return `notAfter is encoded as ${notAfterEncoding}`;
  return undefined;
}

/** The last second belongs to the validity, hence the second that is added. */
function validityProblem({ certificate, profile, now }: LintSubject, sparedDays: number): string | undefined {
  const { notBefore, notAfter } = certificate;
  const days = maxValidityDays(profile, Math.max(now, notBefore)) - sparedDays;
  const lasts = notAfter + 1000 - notBefore;
  return lasts > days * DAY_MS ? `lasts ${lasts / 1000} s, more than ${days} days` : undefined;
}

function startProblem({ certificate, now }: LintSubject): string | undefined {
  const { notBefore } = certificate;
  if (notBefore < now - MAX_BACKDATE_MS) return `notBefore ${iso(notBefore)} is more than 48 hours ago`;
  if (notBefore > now + MAX_POSTDATE_MS) return `notBefore ${iso(notBefore)} is more than 48 hours ahead`;
  return undefined;
}

function keyProblem({ key, profile }: LintSubject): string | undefined {
  if (!key.ok) return undefined;
  const { algorithm } = key.value;
  if (algorithm === undefined) return `RSA key of ${key.value.bits} bits`;
  return profile.allowedKeys.includes(algorithm) ? undefined : `${algorithm} key`;
}

/** Rules about the fields of a TBSCertificate other than names and extensions. */
export const FIELD_LINTS: readonly Lint[] = [
  error('version_not_3', 'RFC 5280 4.1.2.1', ({ certificate }) =>
    certificate.version === 3 ? undefined : `version ${certificate.version}`,
  ),
  error('serial_not_positive', 'RFC 5280 4.1.2.2', ({ certificate }) =>
    (certificate.serialBytes[0] ?? 0) >= 0x80 || certificate.serial === '00' ? 'zero or negative' : undefined,
  ),
  error('serial_too_long', 'RFC 5280 4.1.2.2', ({ certificate }) =>
    certificate.serialBytes.length > MAX_SERIAL_OCTETS ? `${certificate.serialBytes.length} octets` : undefined,
  ),
  error('serial_below_64_bits', 'TLS BR 7.1', ({ certificate }) =>
    certificate.serial.length < MIN_SERIAL_OCTETS * 2 ? `${certificate.serial.length / 2} octets` : undefined,
  ),
  error('signature_algorithm_not_of_issuer', 'RFC 5280 4.1.2.3', ({ certificate, issuer }) =>
    sameBytes(certificate.signatureAlgorithm, signatureAlgorithmFor(issuer.keyAlgorithm).derAlgorithmIdentifier)
      ? undefined
      : `the issuer signs with ${signatureAlgorithmFor(issuer.keyAlgorithm).name}`,
  ),
  error('issuer_name_mismatch', 'RFC 5280 4.1.2.4', ({ certificate, issuer }) =>
    sameBytes(certificate.issuerDer, issuer.nameDer) ? undefined : 'differs from the subject of the issuer',
  ),
  error('validity_order', 'RFC 5280 4.1.2.5', ({ certificate }) =>
    certificate.notAfter > certificate.notBefore ? undefined : 'notAfter is not later than notBefore',
  ),
  error('validity_time_encoding', 'RFC 5280 4.1.2.5', encodingProblem),
  error('validity_too_long', 'TLS BR 6.3.2', (subject) => validityProblem(subject, 0)),
  warn('validity_uses_up_limit', 'TLS BR 6.3.2', (subject) => validityProblem(subject, 1), isPublicTls),
  error('validity_start_not_near_issuance', 'TLS BR 7.1.2.7', startProblem),
  error('validity_beyond_issuer', 'RFC 5280 6.1.3 (a)(2)', ({ certificate, issuer }) =>
    issuer.notAfter !== undefined && certificate.notAfter > issuer.notAfter
      ? `the issuer ends ${iso(issuer.notAfter)}`
      : undefined,
  ),
  error('key_malformed', 'RFC 5280 4.1.2.7', ({ key }) => (key.ok ? undefined : key.error.detail)),
  error('key_not_allowed', 'TLS BR 6.1.5', keyProblem),
  error(
    'root_not_self_issued',
    'RFC 5280 3.2',
    ({ certificate, issuer }) =>
      sameBytes(certificate.subjectDer, issuer.nameDer) && sameBytes(certificate.spki, issuer.spki)
        ? undefined
        : 'subject or key differ from the issuer',
    isRoot,
  ),
];
