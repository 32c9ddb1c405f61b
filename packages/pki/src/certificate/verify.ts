import { verifySignature } from '../keys/index.ts';
import { nameEquals } from '../names/index.ts';
import { EXTENSION } from '../profiles/index.ts';
import { fail, ok, type Result } from '../result.ts';
import type { Certificate } from './types.ts';

export type ChainErrorCode =
  | 'chain.empty'
  | 'chain.tooLong'
  | 'chain.notYetValid'
  | 'chain.expired'
  | 'chain.issuerName'
  | 'chain.keyIdentifier'
  | 'chain.notCa'
  | 'chain.keyUsage'
  | 'chain.pathLength'
  | 'chain.criticalExtension'
  | 'chain.badSignature'
  | 'chain.untrusted';

export interface ChainError {
  readonly code: ChainErrorCode;
  /** Position in the chain, 0 for the end entity. */
  readonly index: number;
  readonly detail: string;
}

const MAX_CHAIN = 8;

/** Critical extensions that are honoured here; the others must stop validation (RFC 5280 section 6.1.4 (o)). */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.keyUsage,
  EXTENSION.basicConstraints,
  EXTENSION.subjectAltName,
  EXTENSION.extendedKeyUsage,
  EXTENSION.certificatePolicies,
]);

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Whether the certificate names itself as its issuer. */
export const isSelfIssued = (certificate: Certificate): boolean =>
  sameBytes(certificate.issuerDer, certificate.subjectDer);

function linkProblem(
  certificate: Certificate,
  issuer: Certificate,
): { code: ChainErrorCode; detail: string } | undefined {
  if (!sameBytes(certificate.issuerDer, issuer.subjectDer) && !nameEquals(certificate.issuer, issuer.subject)) {
    return { code: 'chain.issuerName', detail: 'issuer name differs from the subject of the next certificate' };
  }
  const { authorityKeyIdentifier } = certificate;
  const { subjectKeyIdentifier, keyUsage } = issuer;
  if (
    authorityKeyIdentifier !== undefined &&
    subjectKeyIdentifier !== undefined &&
    !sameBytes(authorityKeyIdentifier, subjectKeyIdentifier)
  ) {
    return { code: 'chain.keyIdentifier', detail: 'authority key identifier names another key' };
  }
  if (!issuer.isCa) return { code: 'chain.notCa', detail: 'issuer is not a CA' };
  if (keyUsage !== undefined && !keyUsage.includes('keyCertSign')) {
    return { code: 'chain.keyUsage', detail: 'issuer may not sign certificates' };
  }
  return undefined;
}

/**
 * Whether `issuer` is a CA that issued `certificate`: names, key identifiers, CA flags and signature. Neither validity nor
 * revocation is looked at.
 */
export async function verifyIssued(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  if (linkProblem(certificate, issuer) !== undefined) return false;
  return verifySignature(issuer.spki, certificate.signatureAlgorithm, certificate.tbs, certificate.signature);
}

function ownProblem(certificate: Certificate, now: number): { code: ChainErrorCode; detail: string } | undefined {
  if (now < certificate.notBefore) return { code: 'chain.notYetValid', detail: 'validity has not begun' };
  // The second that notAfter names still belongs to the validity.
  if (now >= certificate.notAfter + 1000) return { code: 'chain.expired', detail: 'validity is over' };
  const unknown = certificate.extensions.find(({ oid, critical }) => critical && !UNDERSTOOD.has(oid));
  if (unknown !== undefined) return { code: 'chain.criticalExtension', detail: `critical extension ${unknown.oid}` };
  return undefined;
}

/** CAs between this one and the end entity that are not self-issued (RFC 5280 section 4.2.1.9). */
const casBelow = (chain: readonly Certificate[], index: number): number =>
  chain.slice(1, index).filter((certificate) => !isSelfIssued(certificate)).length;

/**
 * Validates `chain` (end entity first, each issued by the next) at `now` against trust anchors: the last certificate must be
 * an anchor or be issued by one. Signatures, names, validity, CA flags and path lengths are checked; name constraints stop
 * validation when critical, policies and revocation are not looked at.
 */
export async function validateChain(
  chain: readonly Certificate[],
  options: { readonly anchors: readonly Certificate[]; readonly now: number },
): Promise<Result<void, ChainError>> {
  const last = chain.at(-1);
  if (last === undefined) return fail({ code: 'chain.empty', index: 0, detail: 'no certificate' });
  if (chain.length > MAX_CHAIN)
    return fail({ code: 'chain.tooLong', index: MAX_CHAIN, detail: `more than ${MAX_CHAIN}` });
  const path = [...chain];
  if (!options.anchors.some((anchor) => sameBytes(anchor.der, last.der))) {
    const anchor = options.anchors.find((candidate) => linkProblem(last, candidate) === undefined);
    if (anchor === undefined) {
      return fail({
        code: 'chain.untrusted',
        index: chain.length - 1,
        detail: 'no trust anchor issued the last certificate',
      });
    }
    path.push(anchor);
  }
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    const problem = ownProblem(certificate, options.now) ?? (issuer && linkProblem(certificate, issuer));
    if (problem !== undefined) return fail({ ...problem, index });
    if (index > 0 && certificate.pathLength !== undefined && casBelow(path, index) > certificate.pathLength) {
      return fail({ code: 'chain.pathLength', index, detail: 'more CAs follow than the path length allows' });
    }
    if (issuer === undefined) continue;
    const { signatureAlgorithm, tbs, signature } = certificate;
    if (!(await verifySignature(issuer.spki, signatureAlgorithm, tbs, signature))) {
      return fail({ code: 'chain.badSignature', index, detail: 'signature does not verify under the issuer key' });
    }
  }
  return ok(undefined);
}
