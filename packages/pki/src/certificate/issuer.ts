import { describeSpki, type KeyAlgorithm, keyIdentifier } from '../keys/index.ts';
import { type DistinguishedName, encodeName } from '../names/index.ts';
import { fail, ok, type Result } from '../result.ts';
import type { Certificate, IssuerContext, IssuerUrls } from './types.ts';

export interface IssuerError {
  readonly code: 'issuer.notCa' | 'issuer.unsupportedKey';
  readonly detail: string;
}

function algorithmOf(spki: Uint8Array): KeyAlgorithm | undefined {
  const key = describeSpki(spki);
  return key.ok ? key.value.algorithm : undefined;
}

const unsupported = {
  code: 'issuer.unsupportedKey',
  detail: 'the key is of no kind that certificates can be signed with',
} as const;

/** The issuing side of a CA whose certificate exists; `urls` go into what it issues. */
export function issuerContext(certificate: Certificate, urls: IssuerUrls): Result<IssuerContext, IssuerError> {
  if (!certificate.isCa) return fail({ code: 'issuer.notCa', detail: 'basicConstraints do not say CA' });
  const keyAlgorithm = algorithmOf(certificate.spki);
  if (keyAlgorithm === undefined) return fail(unsupported);
  return ok({
    name: certificate.subject,
    nameDer: certificate.subjectDer,
    keyIdentifier: certificate.subjectKeyIdentifier ?? keyIdentifier(certificate.spki),
    spki: certificate.spki,
    keyAlgorithm,
    notAfter: certificate.notAfter,
    urls,
  });
}

/** The issuing side of a root that is to sign itself. */
export function selfIssuerContext(name: DistinguishedName, spki: Uint8Array): Result<IssuerContext, IssuerError> {
  const keyAlgorithm = algorithmOf(spki);
  if (keyAlgorithm === undefined) return fail(unsupported);
  return ok({
    name,
    nameDer: encodeName(name),
    keyIdentifier: keyIdentifier(spki),
    spki,
    keyAlgorithm,
    notAfter: undefined,
    urls: {},
  });
}
