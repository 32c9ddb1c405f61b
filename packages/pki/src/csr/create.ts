import { createPublicKey, type KeyObject } from 'node:crypto';
import * as der from '../der/write.ts';
import { describeSpki, type SignatureAlgorithm, signatureAlgorithmFor, signWith } from '../keys/index.ts';
import { type DistinguishedName, encodeGeneralNames, encodeName, type GeneralName } from '../names/index.ts';
import type { RequestedExtension } from './certification-request.ts';
import { toPem } from './pem.ts';

export interface CsrTemplate {
  readonly subject: DistinguishedName;
  readonly sans?: readonly GeneralName[];
  /** Further extensions to request. */
  readonly extensions?: readonly RequestedExtension[];
  readonly challengePassword?: string;
  /** Private key of the subject; its public half goes into the request. */
  readonly key: KeyObject;
}

function encodeExtension({ oid, critical, value }: RequestedExtension): der.Der {
  const parts = critical ? [der.oid(oid), der.boolean(true)] : [der.oid(oid)];
  return der.sequence(...parts, der.octetString(value));
}

function encodeAttributes({ sans = [], extensions = [], challengePassword }: CsrTemplate): der.Der {
  const requested = [...extensions];
  if (sans.length > 0) requested.push({ oid: '2.5.29.17', critical: false, value: encodeGeneralNames(sans) });
  const attributes: der.Der[] = [];
  if (challengePassword !== undefined) {
    attributes.push(der.sequence(der.oid('1.2.840.113549.1.9.7'), der.set(der.utf8String(challengePassword))));
  }
  if (requested.length > 0) {
    const list = der.sequence(...requested.map(encodeExtension));
    attributes.push(der.sequence(der.oid('1.2.840.113549.1.9.14'), der.set(list)));
  }
  return der.context(0, ...attributes.sort((a, b) => Buffer.compare(a, b)));
}

function signatureAlgorithmOfKey(spki: Uint8Array): SignatureAlgorithm {
  const described = describeSpki(spki);
  if (!described.ok) throw new TypeError(described.error.detail);
  const { algorithm } = described.value;
  // RSA of a size without a name of its own signs as the smallest named size does.
  return signatureAlgorithmFor(algorithm ?? 'rsa-2048');
}

/**
 * Makes a signed PKCS #10 request as PEM (RFC 2986), for clients, tools and tests.
 * @throws TypeError when the key is of a kind that Certwright does not support
 */
export async function createCsr(template: CsrTemplate): Promise<string> {
  const spki = createPublicKey(template.key).export({ type: 'spki', format: 'der' });
  const algorithm = signatureAlgorithmOfKey(spki);
  const info = der.sequence(der.integer(0), encodeName(template.subject), spki, encodeAttributes(template));
  const signature = await signWith(template.key, algorithm, info);
  return toPem('CERTIFICATE REQUEST', der.sequence(info, algorithm.derAlgorithmIdentifier, der.bitString(signature)));
}
