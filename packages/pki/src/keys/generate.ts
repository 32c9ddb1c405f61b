import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyAlgorithm } from './algorithms.ts';

export interface GeneratedKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

const generate = promisify(generateKeyPair);

function makePair(algorithm: KeyAlgorithm): Promise<{ privateKey: KeyObject; publicKey: KeyObject }> {
  switch (algorithm) {
    case 'rsa-2048':
      return generate('rsa', { modulusLength: 2048, publicExponent: 65537 });
    case 'rsa-3072':
      return generate('rsa', { modulusLength: 3072, publicExponent: 65537 });
    case 'rsa-4096':
      return generate('rsa', { modulusLength: 4096, publicExponent: 65537 });
    case 'ec-p256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'ec-p384':
      return generate('ec', { namedCurve: 'P-384' });
    case 'ec-p521':
      return generate('ec', { namedCurve: 'P-521' });
    case 'ed25519':
      return generate('ed25519');
    case 'ml-dsa-44':
      return generate('ml-dsa-44');
    case 'ml-dsa-65':
      return generate('ml-dsa-65');
    case 'ml-dsa-87':
      return generate('ml-dsa-87');
  }
}

/** Makes a key pair with the random source and on the thread pool of the crypto library. */
export async function generateKey(algorithm: KeyAlgorithm): Promise<GeneratedKey> {
  const { privateKey, publicKey } = await makePair(algorithm);
  return { privateKey, publicKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}
