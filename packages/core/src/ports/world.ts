import type { SigningPermit } from '../issuance/permit.ts';

/** Milliseconds since 1970-01-01T00:00:00Z, without leap seconds. */
export type Instant = number;

export interface Clock {
  now(): Instant;
}

export interface Random {
  /** Bytes from a cryptographically secure source. */
  bytes(length: number): Uint8Array;
}

/** Signs with keys it holds. It takes nothing but permits, so that only recorded bytes can be signed. */
export interface Signer {
  /**
   * Redeems the permit and signs its bytes with the permit's key.
   * Rejects when the key cannot be reached; a permit is spent whatever the outcome.
   */
  sign(permit: SigningPermit): Promise<Uint8Array>;
}

/** Checks signatures of others, such as the proof of possession in a CSR. */
export interface SignatureVerifier {
  /**
   * Whether `signature` over `tbs` is good under the DER SubjectPublicKeyInfo; `algorithm` is the DER AlgorithmIdentifier.
   * False as well for whatever cannot be computed with; never rejects.
   */
  verify(spki: Uint8Array, algorithm: Uint8Array, tbs: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** Protects secrets at rest (AES-256-GCM under the platform key). */
export interface SecretBox {
  /** `context` is authenticated, not stored: opening needs the same text. */
  seal(plaintext: Uint8Array, context: string): Uint8Array;
  /** Undefined when the box was not sealed under this key and context. */
  open(sealed: Uint8Array, context: string): Uint8Array | undefined;
  /** Keyed hash (HMAC-SHA-256 under a key derived from the platform key), hex; for secrets that are only compared. */
  keyedHash(secret: string, context: string): string;
}

/** Where key pairs of CAs live: makes, imports and opens them. */
export interface KeyVault extends Signer {
  /** Makes a key pair; the private half never leaves the vault in the clear. */
  generate(algorithm: import('@certwright/pki').KeyAlgorithm): Promise<VaultKey>;
  /** Takes in a PKCS#8 private key (DER). */
  import(pkcs8: Uint8Array): Promise<VaultKey>;
}

/** A key as it is recorded: public half in the clear, private half sealed. */
export interface VaultKey {
  readonly spki: Uint8Array;
  readonly algorithm: import('@certwright/pki').KeyAlgorithm;
  readonly sealedPrivateKey: Uint8Array;
}
