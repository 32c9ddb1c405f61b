/** What a CSR must show before it meets its requirement (contract v2 section 9, protocols section 1.4). */
import {
  attribute,
  type CertificateProfile,
  type CertificationRequest,
  checkKey,
  fail,
  parseCsr,
  parseDnsName,
  type Result,
  verifyProofOfPossession,
} from '@certwright/pki';
import { type DomainError, domainError } from '../errors.ts';
import type { OrderRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { parseHost } from './names.ts';

type Order = Pick<OrderRecord, 'family' | 'names' | 'label'>;

/** Keys of requests that were accepted, by the octets that went on record: issuance often follows in the same call. */
const acceptedKeys = new WeakMap<Uint8Array, Uint8Array>();

function sameHost(text: string, wanted: string): boolean {
  const host = parseHost(text);
  return host.ok && host.value.value === wanted;
}

function subjectMatches(order: Order, csr: CertificationRequest): boolean {
  const commonName = attribute(csr.subject, 'CN');
  const [primary] = order.names;
  if (primary === undefined) {
    return commonName !== undefined && commonName.trim().toLowerCase() === order.label.toLowerCase();
  }
  if (commonName !== undefined) return sameHost(commonName, primary.value);
  // an empty subject is fine when the subjectAltName has the primary name
  return (
    csr.subject.length === 0 &&
    csr.sans.some((san) => san.kind === 'dns' && parseDnsName(san.value).ok && sameHost(san.value, primary.value))
  );
}

/**
 * Parses the CSR, checks its key against profile and blocklists, the subject against the order and the proof of
 * possession. Errors `csr.malformed`, `csr.keyRefused`, `csr.subjectMismatch`. SANs of the CSR are not copied.
 */
export async function checkCsr(
  text: string,
  order: Order,
  profile: CertificateProfile,
  { settings, verifier }: Pick<CoreDependencies, 'settings' | 'verifier'>,
): Promise<Result<CertificationRequest, DomainError>> {
  const csr = parseCsr(text);
  if (!csr.ok) return fail(domainError('csr.malformed', `CSR cannot be used: ${csr.error.detail} (${csr.error.code})`));
  const [finding] = checkKey(csr.value.key, { allowed: profile.allowedKeys, ...settings.keyChecks });
  if (finding !== undefined)
    return fail(domainError('csr.keyRefused', `Key of the CSR is refused: ${finding.detail} (${finding.code})`));
  if (!subjectMatches(order, csr.value)) {
    return fail(
      domainError('csr.subjectMismatch', `CSR common name differs from ${order.label}, the name of the order`),
    );
  }
  const { spki, signatureAlgorithm, infoDer, signature } = csr.value;
  const isPossessed =
    verifier === undefined
      ? await verifyProofOfPossession(csr.value)
      : await verifier.verify(spki, signatureAlgorithm.derAlgorithmIdentifier, infoDer, signature);
  if (!isPossessed) {
    return fail(domainError('csr.malformed', 'The signature of the CSR is wrong (csr.badSignature)'));
  }
  acceptedKeys.set(csr.value.der, csr.value.spki);
  return csr;
}

/** Public key of a CSR that was accepted before. Throws when the bytes on record are damaged. */
export function acceptedSpki(der: Uint8Array): Uint8Array {
  const known = acceptedKeys.get(der);
  if (known !== undefined) return known;
  const csr = parseCsr(der);
  if (!csr.ok) throw new Error(`a CSR on record cannot be parsed: ${csr.error.code}`);
  return csr.value.spki;
}
