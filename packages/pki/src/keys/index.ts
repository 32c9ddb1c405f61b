export {
  type DigestName,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  type KeyFamily,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithm,
  type SignatureAlgorithmName,
  signatureAlgorithmFor,
  signatureAlgorithmOf,
} from './algorithms.ts';
export type { CurveName } from './curves.ts';
export { type GeneratedKey, generateKey } from './generate.ts';
export { signWith, verifySignature } from './signature.ts';
export {
  describeSpki,
  type EcPublicKeyInfo,
  type KeyError,
  type KeyErrorCode,
  keyIdentifier,
  type OpaquePublicKeyInfo,
  type PublicKeyInfo,
  type RsaPublicKeyInfo,
  spkiFingerprint,
} from './spki.ts';
