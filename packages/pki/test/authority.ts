import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  assembleCertificate,
  buildTbsCertificate,
  type Certificate,
  type CertificateProfile,
  certificateProfile,
  type DistinguishedName,
  type GeneralName,
  type GeneratedKey,
  generateKey,
  type IssuerContext,
  type IssuerUrls,
  issuerContext,
  type KeyAlgorithm,
  nameOf,
  parseCertificate,
  type Result,
  recommendedNotAfter,
  selfIssuerContext,
  serialNumber,
  signatureAlgorithmFor,
  signWith,
} from '@certwright/pki';

/** The value of a result that must be good. */
export function must<T>(result: Result<T, { readonly code: string; readonly detail: string }>): T {
  if (!result.ok) assert.fail(`${result.error.code}: ${result.error.detail}`);
  return result.value;
}

/** The error code of a result that must be bad. */
export function refusal<T>(result: Result<T, { readonly code: string }>): string {
  assert.ok(!result.ok, 'a refusal was expected');
  return result.error.code;
}

export function profile(id: string): CertificateProfile {
  const found = certificateProfile(id);
  assert.ok(found, `no profile ${id}`);
  return found;
}

/** A CA with everything that issuing takes. */
export interface Authority {
  readonly certificate: Certificate;
  readonly key: GeneratedKey;
  readonly context: IssuerContext;
}

export interface Order {
  readonly profile: CertificateProfile;
  readonly subject: DistinguishedName;
  readonly sans?: readonly GeneralName[];
  readonly spki: Uint8Array;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly crlUrl?: string;
  readonly serial?: Uint8Array;
}

export const URLS: IssuerUrls = {
  ocsp: 'http://pki.example/ocsp/issuing',
  caIssuers: 'http://pki.example/ca/issuing.cer',
  crl: 'http://pki.example/crl/issuing.crl',
};

/** TBSCertificate of an order, valid from now as long as the profile allows unless the order says otherwise. */
export function tbsOf(issuer: IssuerContext, order: Order): Uint8Array {
  const { sans = [], serial = serialNumber(randomBytes(16)), crlUrl, ...rest } = order;
  const notBefore = order.notBefore ?? Date.now() - order.profile.backdateSeconds * 1000;
  const limit = recommendedNotAfter(order.profile, notBefore);
  const notAfter = order.notAfter ?? Math.min(limit, issuer.notAfter ?? limit);
  const input = { ...rest, issuer, sans, serial, notBefore, notAfter };
  return buildTbsCertificate(crlUrl === undefined ? input : { ...input, crlUrl });
}

export async function issueFrom(issuer: IssuerContext, key: GeneratedKey, order: Order): Promise<Certificate> {
  const tbs = tbsOf(issuer, order);
  const algorithm = signatureAlgorithmFor(issuer.keyAlgorithm);
  const signature = await signWith(key.privateKey, algorithm, tbs);
  return must(parseCertificate(assembleCertificate(tbs, algorithm.derAlgorithmIdentifier, signature)));
}

export const issue = (authority: Authority, order: Order): Promise<Certificate> =>
  issueFrom(authority.context, authority.key, order);

export async function makeRoot(algorithm: KeyAlgorithm): Promise<Authority> {
  const key = await generateKey(algorithm);
  const subject = nameOf(['C', 'IN'], ['O', 'Certwright Test'], ['CN', `Root ${algorithm}`]);
  const self = must(selfIssuerContext(subject, key.spki));
  const certificate = await issueFrom(self, key, { profile: profile('root'), subject, spki: key.spki });
  return { certificate, key, context: must(issuerContext(certificate, URLS)) };
}

export async function makeIssuing(
  root: Authority,
  algorithm: KeyAlgorithm,
  urls: IssuerUrls = URLS,
): Promise<Authority> {
  const key = await generateKey(algorithm);
  const subject = nameOf(['C', 'IN'], ['O', 'Certwright Test'], ['CN', `Issuing ${algorithm}`]);
  const certificate = await issue(root, { profile: profile('issuing-ca'), subject, spki: key.spki });
  return { certificate, key, context: must(issuerContext(certificate, urls)) };
}
