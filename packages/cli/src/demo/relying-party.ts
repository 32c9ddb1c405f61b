/** What a relying party does with a certificate: checks its chain, asks OCSP, reads the CRL. All answers are verified. */
import { randomBytes } from 'node:crypto';
import {
  attribute,
  type BasicOcspResponse,
  type Certificate,
  certId,
  encodeOcspRequest,
  parseCertificate,
  parseCrl,
  parseOcspResponse,
  publicKeyBits,
  validateChain,
  verifyOcspResponse,
  verifySignature,
} from '@certwright/pki';
import type { HttpClient } from './http-client.ts';

const NONCE_BYTES = 32;

export interface OcspFinding {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revokedAt: Date | undefined;
  readonly reason: string | undefined;
  /** Common name of the certificate that signed the answer. */
  readonly responder: string;
  readonly url: string;
}

export interface CrlFinding {
  /** Decimal. */
  readonly number: string;
  readonly listed: boolean;
  readonly reason: string | undefined;
  readonly entries: number;
  readonly url: string;
}

/** Reads a PEM or DER certificate. Throws when it is malformed. */
export function readCertificate(input: string | Uint8Array): Certificate {
  const parsed = parseCertificate(input);
  if (!parsed.ok) throw new Error(`the certificate cannot be read: ${parsed.error.detail}`);
  return parsed.value;
}

/** Validates leaf and intermediates up to the root. Throws when the chain does not hold. */
export async function checkChain(chain: readonly Certificate[], root: Certificate): Promise<void> {
  const outcome = await validateChain(chain, { anchors: [root], now: Date.now() });
  if (!outcome.ok) throw new Error(`the chain does not hold at ${outcome.error.index}: ${outcome.error.detail}`);
}

/** Asks the OCSP responder named in the certificate, with a nonce, and verifies its answer. */
export async function askOcsp(http: HttpClient, certificate: Certificate, issuer: Certificate): Promise<OcspFinding> {
  const [url] = certificate.ocspUrls;
  if (url === undefined) throw new Error('the certificate names no OCSP responder');
  const id = certId(issuer.subjectDer, publicKeyBits(issuer.spki), certificate.serialBytes, 'sha1');
  const nonce = randomBytes(NONCE_BYTES);
  const answer = await http.send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/ocsp-request' },
    body: encodeOcspRequest([id], nonce),
  });
  const parsed = parseOcspResponse(answer.body);
  if (!parsed.ok) throw new Error(`${url} answers ${answer.status}: ${parsed.error.detail}`);
  const response = parsed.value;
  if (response.status !== 'successful') throw new Error(`the OCSP responder answers ${response.status}`);
  if (response.nonce === undefined || Buffer.compare(response.nonce, nonce) !== 0) {
    throw new Error('the OCSP answer does not repeat the nonce');
  }
  if (!(await verifyOcspResponse(response, issuer, Date.now()))) {
    throw new Error('the OCSP answer’s signature does not verify');
  }
  const single = response.responses.find(({ certId: { serial } }) => serial === certificate.serial);
  if (single === undefined) throw new Error('the OCSP answer is about another certificate');
  const { status } = single;
  return {
    status: status.kind,
    revokedAt: status.kind === 'revoked' ? new Date(status.revokedAt) : undefined,
    reason: status.kind === 'revoked' ? status.reason : undefined,
    responder: responderName(response, issuer),
    url,
  };
}

function responderName({ certificates: [delegate] }: BasicOcspResponse, issuer: Certificate): string {
  return attribute((delegate ?? issuer).subject, 'CN') ?? 'a responder without a name';
}

/** Fetches the CRL named in the certificate, verifies it and looks for the certificate. */
export async function readCrl(http: HttpClient, certificate: Certificate, issuer: Certificate): Promise<CrlFinding> {
  const [url] = certificate.crlUrls;
  if (url === undefined) throw new Error('the certificate names no CRL');
  const answer = await http.send(url);
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
  const parsed = parseCrl(answer.body);
  if (!parsed.ok) throw new Error(`the CRL cannot be read: ${parsed.error.detail}`);
  const { signatureAlgorithm, tbs, signature, revoked, number = '0' } = parsed.value;
  if (!(await verifySignature(issuer.spki, signatureAlgorithm, tbs, signature))) {
    throw new Error('the CRL’s signature does not verify');
  }
  const entry = revoked.find(({ serial }) => serial === certificate.serial);
  return {
    number: BigInt(`0x${number}`).toString(),
    listed: entry !== undefined,
    reason: entry?.reason,
    entries: revoked.length,
    url,
  };
}
