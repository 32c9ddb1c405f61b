import * as der from '../der/write.ts';

/** Kinds of subject and CA keys that Certwright makes and accepts. */
export type KeyAlgorithm =
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-4096'
  | 'ec-p256'
  | 'ec-p384'
  | 'ec-p521'
  | 'ed25519'
  | 'ml-dsa-44'
  | 'ml-dsa-65'
  | 'ml-dsa-87';

export const KEY_ALGORITHMS: readonly KeyAlgorithm[] = [
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'ec-p256',
  'ec-p384',
  'ec-p521',
  'ed25519',
  'ml-dsa-44',
  'ml-dsa-65',
  'ml-dsa-87',
];

/** Kind of key a signature algorithm works with, as `KeyObject.asymmetricKeyType` spells it. */
export type KeyFamily = 'rsa' | 'ec' | 'ed25519' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

export type SignatureAlgorithmName =
  | 'sha256WithRSAEncryption'
  | 'sha384WithRSAEncryption'
  | 'sha512WithRSAEncryption'
  | 'rsassaPss-sha256'
  | 'rsassaPss-sha384'
  | 'rsassaPss-sha512'
  | 'ecdsa-with-SHA256'
  | 'ecdsa-with-SHA384'
  | 'ecdsa-with-SHA512'
  | 'ed25519'
  | 'ml-dsa-44'
  | 'ml-dsa-65'
  | 'ml-dsa-87';

export type DigestName = 'sha256' | 'sha384' | 'sha512';

export interface SignatureAlgorithm {
  readonly name: SignatureAlgorithmName;
  /** Dotted OID. */
  readonly oid: string;
  /** Complete DER AlgorithmIdentifier, parameters as the algorithm's RFC demands. */
  readonly derAlgorithmIdentifier: Uint8Array;
  /** Digest the message is hashed with, or null when the algorithm takes the message itself. */
  readonly digest: DigestName | null;
  readonly family: KeyFamily;
  /** Salt length in octets; present for RSASSA-PSS only. */
  readonly pssSaltLength?: number;
}

const DIGEST_OID: Readonly<Record<DigestName, string>> = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};
const MGF1_OID = '1.2.840.113549.1.1.8';
const RSASSA_PSS_OID = '1.2.840.113549.1.1.10';

/** PKCS #1 v1.5: parameters are NULL (RFC 4055 section 5). */
function pkcs1(name: SignatureAlgorithmName, oid: string, digest: DigestName): SignatureAlgorithm {
  return { name, oid, derAlgorithmIdentifier: der.sequence(der.oid(oid), der.nullValue()), digest, family: 'rsa' };
}

/** RSASSA-PSS with MGF1 and salt of the same digest: the only parameters the Baseline Requirements allow (7.1.3.2.1). */
function pss(name: SignatureAlgorithmName, digest: DigestName, saltLength: number): SignatureAlgorithm {
  const hash = der.sequence(der.oid(DIGEST_OID[digest]), der.nullValue());
  const parameters = der.sequence(
    der.context(0, hash),
    der.context(1, der.sequence(der.oid(MGF1_OID), hash)),
    der.context(2, der.integer(saltLength)),
  );
  return {
    name,
    oid: RSASSA_PSS_OID,
    derAlgorithmIdentifier: der.sequence(der.oid(RSASSA_PSS_OID), parameters),
    digest,
    family: 'rsa',
    pssSaltLength: saltLength,
  };
}

/** Parameters are absent: ECDSA (RFC 5758), Ed25519 (RFC 8410), ML-DSA (RFC 9881). */
function bare(
  name: SignatureAlgorithmName,
  oid: string,
  family: KeyFamily,
  digest: DigestName | null,
): SignatureAlgorithm {
  return { name, oid, derAlgorithmIdentifier: der.sequence(der.oid(oid)), digest, family };
}

export const SIGNATURE_ALGORITHMS: Readonly<Record<SignatureAlgorithmName, SignatureAlgorithm>> = {
  sha256WithRSAEncryption: pkcs1('sha256WithRSAEncryption', '1.2.840.113549.1.1.11', 'sha256'),
  sha384WithRSAEncryption: pkcs1('sha384WithRSAEncryption', '1.2.840.113549.1.1.12', 'sha384'),
  sha512WithRSAEncryption: pkcs1('sha512WithRSAEncryption', '1.2.840.113549.1.1.13', 'sha512'),
  'rsassaPss-sha256': pss('rsassaPss-sha256', 'sha256', 32),
  'rsassaPss-sha384': pss('rsassaPss-sha384', 'sha384', 48),
  'rsassaPss-sha512': pss('rsassaPss-sha512', 'sha512', 64),
  'ecdsa-with-SHA256': bare('ecdsa-with-SHA256', '1.2.840.10045.4.3.2', 'ec', 'sha256'),
  'ecdsa-with-SHA384': bare('ecdsa-with-SHA384', '1.2.840.10045.4.3.3', 'ec', 'sha384'),
  'ecdsa-with-SHA512': bare('ecdsa-with-SHA512', '1.2.840.10045.4.3.4', 'ec', 'sha512'),
  ed25519: bare('ed25519', '1.3.101.112', 'ed25519', null),
  'ml-dsa-44': bare('ml-dsa-44', '2.16.840.1.101.3.4.3.17', 'ml-dsa-44', null),
  'ml-dsa-65': bare('ml-dsa-65', '2.16.840.1.101.3.4.3.18', 'ml-dsa-65', null),
  'ml-dsa-87': bare('ml-dsa-87', '2.16.840.1.101.3.4.3.19', 'ml-dsa-87', null),
};

const FOR_KEY: Readonly<Record<KeyAlgorithm, SignatureAlgorithmName>> = {
  'rsa-2048': 'sha256WithRSAEncryption',
  'rsa-3072': 'sha384WithRSAEncryption',
  'rsa-4096': 'sha512WithRSAEncryption',
  'ec-p256': 'ecdsa-with-SHA256',
  'ec-p384': 'ecdsa-with-SHA384',
  'ec-p521': 'ecdsa-with-SHA512',
  ed25519: 'ed25519',
  'ml-dsa-44': 'ml-dsa-44',
  'ml-dsa-65': 'ml-dsa-65',
  'ml-dsa-87': 'ml-dsa-87',
};

/** Algorithm that a key of this kind signs with: the digest matches the key's strength (for EC: the curve, BR 7.1.3.2.2). */
export function signatureAlgorithmFor(keyAlgorithm: KeyAlgorithm): SignatureAlgorithm {
  return SIGNATURE_ALGORITHMS[FOR_KEY[keyAlgorithm]];
}

const byEncoding = new Map<string, SignatureAlgorithm>();
for (const algorithm of Object.values(SIGNATURE_ALGORITHMS)) {
  byEncoding.set(Buffer.from(algorithm.derAlgorithmIdentifier).toString('latin1'), algorithm);
  // RFC 4055 section 5 makes verifiers accept absent parameters as well as NULL.
  if (algorithm.family === 'rsa' && algorithm.pssSaltLength === undefined) {
    byEncoding.set(Buffer.from(der.sequence(der.oid(algorithm.oid))).toString('latin1'), algorithm);
  }
}

/** The algorithm of a complete DER AlgorithmIdentifier, or undefined when it is unknown, weak (MD5, SHA-1) or has wrong parameters. */
export function signatureAlgorithmOf(derAlgorithmIdentifier: Uint8Array): SignatureAlgorithm | undefined {
  if (derAlgorithmIdentifier.length > 128) return undefined;
  return byEncoding.get(Buffer.from(derAlgorithmIdentifier).toString('latin1'));
}
