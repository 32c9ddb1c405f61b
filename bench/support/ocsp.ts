import { X509Certificate } from 'node:crypto';
import { certId, encodeOcspRequest, parseCertificate, publicKeyBits } from '@certwright/pki';
import { httpMessage } from '../load/client.ts';

/** Octets of a nonce (RFC 9654 recommends 32). */
const NONCE_LENGTH = 32;

export interface OcspMessages {
  readonly get: readonly Uint8Array[];
  readonly post: readonly Uint8Array[];
  readonly postWithNonce: readonly Uint8Array[];
  /** The nonce stands at the end of each message of `postWithNonce`. */
  readonly nonceLength: number;
  /** OCSPResponse with responseStatus successful: ENUMERATED 0. */
  readonly successful: Uint8Array;
}

function accessLocation(certificate: Uint8Array, method: string): URL {
  const access = new X509Certificate(certificate).infoAccess ?? '';
  const location = new RegExp(`^${method} - URI:(.+)$`, 'm').exec(access)?.[1];
  if (location === undefined) throw new Error(`the certificate names no ${method}`);
  return new URL(location);
}

async function issuerOf(certificate: Uint8Array, statusPort: number): Promise<Uint8Array> {
  const { pathname } = accessLocation(certificate, 'CA Issuers');
  const response = await fetch(`http://127.0.0.1:${statusPort}${pathname}`);
  if (!response.ok) throw new Error(`${pathname}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** OCSP requests (SHA-1 CertIDs, as clients send them) for certificates of one CA, as HTTP messages. */
export async function ocspMessages(certificates: readonly Uint8Array[], statusPort: number): Promise<OcspMessages> {
  const [first] = certificates;
  if (first === undefined) throw new RangeError('no certificates');
  const issuer = parseCertificate(await issuerOf(first, statusPort));
  if (!issuer.ok) throw new Error(issuer.error.code);
  const keyBits = publicKeyBits(issuer.value.spki);
  const { pathname } = accessLocation(first, 'OCSP');
  const headers = { 'Content-Type': 'application/ocsp-request' };
  const nonce = new Uint8Array(NONCE_LENGTH);
  const get: Uint8Array[] = [];
  const post: Uint8Array[] = [];
  const postWithNonce: Uint8Array[] = [];
  for (const der of certificates) {
    const serial = Buffer.from(new X509Certificate(der).serialNumber, 'hex');
    const id = certId(issuer.value.subjectDer, keyBits, serial, 'sha1');
    const plain = encodeOcspRequest([id]);
    const base64 = encodeURIComponent(Buffer.from(plain).toString('base64'));
    get.push(httpMessage('GET', `${pathname}/${base64}`, {}));
    post.push(httpMessage('POST', pathname, headers, plain));
    postWithNonce.push(httpMessage('POST', pathname, headers, encodeOcspRequest([id], nonce)));
  }
  return {
    get,
    post,
    postWithNonce,
    nonceLength: NONCE_LENGTH,
    successful: Buffer.from('0a0100a0', 'hex'),
  };
}
