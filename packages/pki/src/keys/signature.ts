import { constants, createPublicKey, KeyObject, type SignKeyObjectInput, sign, verify } from 'node:crypto';
import type { SignatureAlgorithm } from './algorithms.ts';
import { signatureAlgorithmOf } from './algorithms.ts';

/** Padding is fixed by the signature algorithm; only RSASSA-PSS differs from what node:crypto does by itself. */
function keyInput(key: KeyObject, { pssSaltLength }: SignatureAlgorithm): KeyObject | SignKeyObjectInput {
  if (pssSaltLength === undefined) return key;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pssSaltLength };
}

/**
 * Signs `tbs` and resolves to the content of the signature BIT STRING (ECDSA as DER). The work is done by the thread
 * pool, even for P-256: the thread that asks has requests to answer meanwhile, and is the one that bounds their rate.
 * @throws TypeError when the key does not fit the algorithm
 */
export function signWith(privateKey: KeyObject, algorithm: SignatureAlgorithm, tbs: Uint8Array): Promise<Uint8Array> {
  if (privateKey.asymmetricKeyType !== algorithm.family) {
    return Promise.reject(new TypeError(`a ${privateKey.asymmetricKeyType} key cannot sign with ${algorithm.name}`));
  }
  return new Promise((resolve, reject) => {
    sign(algorithm.digest, tbs, keyInput(privateKey, algorithm), (error, signature) => {
      if (error !== null) reject(error);
      else resolve(signature);
    });
  });
}

/**
 * Checking with a P-256 key takes some 60 µs: less than the way to the thread pool and back costs on a busy machine.
 * Everything slower (other curves, RSA, ML-DSA) would hold up the event loop and goes to the pool.
 */
const isQuick = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

function importKey(key: Uint8Array | KeyObject): KeyObject | undefined {
  if (key instanceof KeyObject) return key;
  try {
    return createPublicKey({
      key: Buffer.from(key.buffer, key.byteOffset, key.byteLength),
      format: 'der',
      type: 'spki',
    });
  } catch {
    return undefined;
  }
}

/**
 * Whether `signature` over `tbs` is good. `key` is a DER SubjectPublicKeyInfo or a public key, `sigAlgDer` the complete
 * AlgorithmIdentifier. False as well for an unknown or weak algorithm, one of another family than the key,
 * and a key that cannot be imported or computed with. All but P-256 is done by the thread pool.
 */
export function verifySignature(
  key: Uint8Array | KeyObject,
  sigAlgDer: Uint8Array,
  tbs: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const algorithm = signatureAlgorithmOf(sigAlgDer);
  const publicKey = algorithm === undefined ? undefined : importKey(key);
  if (algorithm === undefined || publicKey?.asymmetricKeyType !== algorithm.family) return Promise.resolve(false);
  if (isQuick(publicKey)) {
    try {
      return Promise.resolve(verify(algorithm.digest, tbs, publicKey, signature));
    } catch {
      return Promise.resolve(false);
    }
  }
  return new Promise((resolve) => {
    // An error here means a key or signature that the library cannot compute with: nothing is proved by it.
    verify(algorithm.digest, tbs, keyInput(publicKey, algorithm), signature, (error, good) => {
      resolve(error === null && good);
    });
  });
}
