import type { KeyAlgorithm } from '../keys/index.ts';
import type { KeyUsage } from './oids.ts';
import type { UsageFamily } from './types.ts';

/** The family of key usages that a key belongs to. */
export function usageFamily(algorithm: KeyAlgorithm): UsageFamily {
  if (algorithm.startsWith('rsa-')) return 'rsa';
  if (algorithm.startsWith('ec-')) return 'ec';
  return algorithm === 'ed25519' ? 'ed25519' : 'mlDsa';
}

type UsageTable = Readonly<Record<UsageFamily, readonly KeyUsage[]>>;

const sameForAll = (usages: readonly KeyUsage[]): UsageTable => ({
  rsa: usages,
  ec: usages,
  ed25519: usages,
  mlDsa: usages,
});

/** Signing certificates and CRLs, and OCSP answers where no responder is delegated. */
export const CA_USAGE = sameForAll(['digitalSignature', 'keyCertSign', 'cRLSign']);
export const SIGNATURE_USAGE = sameForAll(['digitalSignature']);
export const DOCUMENT_USAGE = sameForAll(['digitalSignature', 'contentCommitment']);
/** Only RSA keys can encipher keys (RFC 8410 section 5, RFC 9881 section 5 forbid it for the others). */
export const TLS_USAGE: UsageTable = { ...SIGNATURE_USAGE, rsa: ['digitalSignature', 'keyEncipherment'] };
/** Signing and decrypting with one key: RSA by key transport, EC by key agreement. */
export const DUAL_USAGE: UsageTable = { ...TLS_USAGE, ec: ['digitalSignature', 'keyAgreement'] };
