import { hash } from 'node:crypto';
import { DerError, type DerReader, readSequence } from '../der/read.ts';
import { fail, ok, type Result } from '../result.ts';
import type { KeyAlgorithm, KeyFamily } from './algorithms.ts';
import { type CurveName, curveByOid, isOnCurve, type NamedCurve } from './curves.ts';

export type KeyErrorCode =
  | 'key.badEncoding'
  | 'key.badParameters'
  | 'key.unsupportedAlgorithm'
  | 'key.unsupportedCurve'
  | 'key.badPoint'
  | 'key.badModulus';

/** Why a SubjectPublicKeyInfo is refused before any policy looks at it. */
export interface KeyError {
  readonly code: KeyErrorCode;
  readonly detail: string;
}

interface PublicKeyBase {
  /** The kind of key by its full name; undefined for RSA of a size that has none. */
  readonly algorithm: KeyAlgorithm | undefined;
  readonly family: KeyFamily;
  /** Complete DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** RSA: bits of the modulus. EC and Ed25519: bits of the field. ML-DSA: bits of the public key. */
  readonly bits: number;
}

export interface RsaPublicKeyInfo extends PublicKeyBase {
  readonly kind: 'rsa';
  /** Big-endian magnitude without leading zero. */
  readonly modulus: Uint8Array;
  /** Big-endian magnitude without leading zero. */
  readonly exponent: Uint8Array;
}

export interface EcPublicKeyInfo extends PublicKeyBase {
  readonly kind: 'ec';
  readonly algorithm: KeyAlgorithm;
  readonly curve: CurveName;
  /** Uncompressed point: 04, x, y; known to lie on the curve. */
  readonly point: Uint8Array;
}

export interface OpaquePublicKeyInfo extends PublicKeyBase {
  readonly kind: 'ed25519' | 'ml-dsa';
  readonly algorithm: KeyAlgorithm;
}

/** What a SubjectPublicKeyInfo holds, read without importing the key. */
export type PublicKeyInfo = RsaPublicKeyInfo | EcPublicKeyInfo | OpaquePublicKeyInfo;

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
/** Larger moduli cost more to check than any policy would ever allow. */
const MAX_RSA_BITS = 16_384;
const MAX_SPKI_BYTES = 8192;
const RSA_BY_BITS: ReadonlyMap<number, KeyAlgorithm> = new Map([
  [2048, 'rsa-2048'],
  [3072, 'rsa-3072'],
  [4096, 'rsa-4096'],
]);

interface OpaqueKind {
  readonly kind: 'ed25519' | 'ml-dsa';
  readonly algorithm: KeyAlgorithm & KeyFamily;
  readonly bytes: number;
}

/** Keys that are octets without inner structure (RFC 8410, RFC 9881), by OID. */
const OPAQUE: ReadonlyMap<string, OpaqueKind> = new Map([
  ['1.3.101.112', { kind: 'ed25519', algorithm: 'ed25519', bytes: 32 }],
  ['2.16.840.1.101.3.4.3.17', { kind: 'ml-dsa', algorithm: 'ml-dsa-44', bytes: 1312 }],
  ['2.16.840.1.101.3.4.3.18', { kind: 'ml-dsa', algorithm: 'ml-dsa-65', bytes: 1952 }],
  ['2.16.840.1.101.3.4.3.19', { kind: 'ml-dsa', algorithm: 'ml-dsa-87', bytes: 2592 }],
] as const);

/** Raised inside this module only; {@link describeSpki} turns it into its error value. */
class KeyRefusal extends Error {
  readonly problem: KeyError;
  constructor(code: KeyErrorCode, detail: string) {
    super(detail);
    this.problem = { code, detail };
  }
}

function positive(content: Uint8Array, what: string): Uint8Array {
  const first = content[0] ?? 0;
  if (first >= 0x80) throw new KeyRefusal('key.badModulus', `${what} is negative`);
  const magnitude = first === 0 ? content.subarray(1) : content;
  if (magnitude.length === 0) throw new KeyRefusal('key.badModulus', `${what} is zero`);
  return magnitude;
}

function describeRsa(spki: Uint8Array, parameters: DerReader, publicKey: Uint8Array): RsaPublicKeyInfo {
  // RFC 3279 section 2.3.1: the parameters are NULL, not absent.
  if (parameters.peek !== 0x05) throw new KeyRefusal('key.badParameters', 'parameters of an RSA key must be NULL');
  parameters.null();
  const fields = readSequence(publicKey);
  const modulus = positive(fields.integerBytes(), 'modulus');
  const exponent = positive(fields.integerBytes(), 'exponent');
  fields.end();
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24);
  if (bits > MAX_RSA_BITS) throw new KeyRefusal('key.badModulus', `modulus of more than ${MAX_RSA_BITS} bits`);
  return { kind: 'rsa', algorithm: RSA_BY_BITS.get(bits), family: 'rsa', spki, bits, modulus, exponent };
}

function readCurve(parameters: DerReader): NamedCurve {
  if (parameters.peek !== 0x06) {
    throw new KeyRefusal('key.badParameters', 'parameters of an EC key must name a curve (RFC 5480 section 2.1.1)');
  }
  const curve = curveByOid(parameters.oid());
  if (curve === undefined) throw new KeyRefusal('key.unsupportedCurve', 'curve is none of P-256, P-384 and P-521');
  return curve;
}

function describeEc(spki: Uint8Array, parameters: DerReader, point: Uint8Array): EcPublicKeyInfo {
  const curve = readCurve(parameters);
  if (point[0] !== 0x04 || point.length !== 1 + 2 * curve.coordinateBytes) {
    throw new KeyRefusal('key.badPoint', 'EC point must be uncompressed and of the length of its curve');
  }
  if (!isOnCurve(curve, point)) throw new KeyRefusal('key.badPoint', 'EC point is not on its curve');
  const { algorithm, bits, name } = curve;
  return { kind: 'ec', algorithm, family: 'ec', spki, bits, curve: name, point };
}

function readSpki(spki: Uint8Array): PublicKeyInfo {
  if (spki.length > MAX_SPKI_BYTES) {
    throw new KeyRefusal('key.badEncoding', `public key of more than ${MAX_SPKI_BYTES} bytes`);
  }
  const outer = readSequence(spki);
  const identifier = outer.sequence();
  const oid = identifier.oid();
  const { bytes: publicKey, unusedBits } = outer.bitString();
  outer.end();
  if (unusedBits !== 0) throw new KeyRefusal('key.badEncoding', 'public key is not whole octets');
  let info: PublicKeyInfo;
  if (oid === EC_PUBLIC_KEY) info = describeEc(spki, identifier, publicKey);
  else if (oid === RSA_ENCRYPTION) info = describeRsa(spki, identifier, publicKey);
  else {
    const opaque = OPAQUE.get(oid);
    if (opaque === undefined) throw new KeyRefusal('key.unsupportedAlgorithm', 'unsupported public key algorithm');
    const { kind, algorithm, bytes } = opaque;
    if (!identifier.done) throw new KeyRefusal('key.badParameters', 'parameters of this algorithm must be absent');
    if (publicKey.length !== bytes) throw new KeyRefusal('key.badEncoding', `public key must have ${bytes} octets`);
    info = { kind, algorithm, family: algorithm, spki, bits: kind === 'ed25519' ? 255 : bytes * 8 };
  }
  if (!identifier.done) throw new KeyRefusal('key.badParameters', 'data after the algorithm parameters');
  return info;
}

/**
 * Reads a DER SubjectPublicKeyInfo strictly: exact parameters, named curves, uncompressed points that lie on their
 * curve. Views into `spki` are kept, so it must not change later. Whether the key is good enough is for `checkKey`.
 */
export function describeSpki(spki: Uint8Array): Result<PublicKeyInfo, KeyError> {
  try {
    return ok(readSpki(spki));
  } catch (error) {
    if (error instanceof KeyRefusal) return fail(error.problem);
    if (error instanceof DerError) return fail({ code: 'key.badEncoding', detail: error.message });
    throw error;
  }
}

/**
 * Subject key identifier: the leftmost 160 bits of SHA-256 over the content of the key's BIT STRING
 * (RFC 7093 section 2, method 1). It has the length everybody expects without depending on SHA-1,
 * which hardened builds of OpenSSL no longer offer.
 * @throws DerError when `spki` is no SubjectPublicKeyInfo
 */
export function keyIdentifier(spki: Uint8Array): Uint8Array {
  const outer = readSequence(spki);
  outer.any();
  return hash('sha256', outer.bitString().bytes, 'buffer').subarray(0, 20);
}

/** SHA-256 over the whole SubjectPublicKeyInfo in lower-case hex: the name of a key in block lists and pins. */
export const spkiFingerprint = (spki: Uint8Array): string => hash('sha256', spki, 'hex');
