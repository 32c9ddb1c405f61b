import {
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  type PublicKeyInfo,
  type RsaPublicKeyInfo,
  spkiFingerprint,
} from '../keys/index.ts';
import { debianFingerprint } from './blocklist.ts';
import { closePrimes, isRocaWeak, primorialResidue, smallFactor } from './rsa-weaknesses.ts';

export type KeyFindingCode =
  | 'key.algorithmNotAllowed'
  | 'key.sizeNotAllowed'
  | 'key.exponent'
  | 'key.modulus'
  | 'key.smallFactor'
  | 'key.closePrimes'
  | 'key.roca'
  | 'key.debianWeak'
  | 'key.blocked';

/** One reason not to certify a key; `detail` is a sentence for the requester. */
export interface KeyFinding {
  readonly code: KeyFindingCode;
  readonly detail: string;
}

export interface KeyPolicy {
  readonly allowed: readonly KeyAlgorithm[];
  /** Smallest allowed RSA exponent; 65537 unless given. */
  readonly minRsaExponent?: number;
  /** Whether the key with this SHA-256 of its SubjectPublicKeyInfo (lower-case hex) is known as compromised. */
  readonly blocked?: (spkiSha256Hex: string) => boolean;
  /** Whether a modulus with this fingerprint (format of Debian's lists: see `parseBlocklist`) is a predictable one. */
  readonly debianWeak?: (fingerprintHex: string) => boolean;
}

/** What publicly trusted certificates may hold today (Baseline Requirements section 6.1.5). */
export const PUBLIC_KEY_POLICY: KeyPolicy = {
  allowed: ['rsa-2048', 'rsa-3072', 'rsa-4096', 'ec-p256', 'ec-p384'],
};

const familyOf = (algorithm: KeyAlgorithm): string => algorithm.slice(0, algorithm.lastIndexOf('-'));

function checkAlgorithm(info: PublicKeyInfo, { allowed }: KeyPolicy): KeyFinding | undefined {
  if (info.algorithm !== undefined && allowed.includes(info.algorithm)) return undefined;
  const family = info.kind === 'rsa' ? 'rsa' : familyOf(info.algorithm);
  const sizes = allowed.filter((algorithm) => familyOf(algorithm) === family);
  const given = info.algorithm ?? `rsa-${info.bits}`;
  const list = KEY_ALGORITHMS.filter((algorithm) => allowed.includes(algorithm)).join(', ');
  return sizes.length > 0
    ? { code: 'key.sizeNotAllowed', detail: `size of key ${given} is not allowed; allowed are ${list}` }
    : { code: 'key.algorithmNotAllowed', detail: `algorithm of key ${given} is not allowed; allowed are ${list}` };
}

const toBigInt = (magnitude: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(magnitude.buffer, magnitude.byteOffset, magnitude.byteLength).toString('hex')}`);

/** Exponent: odd, at least 65537, below 2^256 (Baseline Requirements section 6.1.6). */
function checkExponent({ exponent }: RsaPublicKeyInfo, minimum: number): KeyFinding | undefined {
  const refuse = (detail: string): KeyFinding => ({ code: 'key.exponent', detail });
  if (exponent.length > 32) return refuse('RSA exponent of more than 256 bits');
  const value = toBigInt(exponent);
  if (value % 2n === 0n) return refuse('RSA exponent is even');
  return value < BigInt(minimum) || value < 3n ? refuse(`RSA exponent is less than ${minimum}`) : undefined;
}

function* checkRsa(info: RsaPublicKeyInfo, policy: KeyPolicy): Generator<KeyFinding> {
  const exponent = checkExponent(info, policy.minRsaExponent ?? 65537);
  if (exponent !== undefined) yield exponent;
  if (((info.modulus.at(-1) ?? 0) & 1) === 0) {
    yield { code: 'key.modulus', detail: 'RSA modulus is even' };
    return;
  }
  const modulus = toBigInt(info.modulus);
  const residue = primorialResidue(modulus);
  const factor = smallFactor(residue);
  if (factor !== undefined) {
    yield { code: 'key.smallFactor', detail: `RSA modulus is divisible by ${factor}` };
    return;
  }
  if (isRocaWeak(residue)) {
    yield { code: 'key.roca', detail: 'RSA modulus was made by a library with predictable primes (CVE-2017-15361)' };
  }
  if (closePrimes(modulus)) {
    yield { code: 'key.closePrimes', detail: 'RSA modulus can be factored because its primes are close together' };
  }
  if (policy.debianWeak?.(debianFingerprint(info.modulus)) === true) {
    yield { code: 'key.debianWeak', detail: 'RSA key was made with a predictable random source (CVE-2008-0166)' };
  }
}

/**
 * Judges a public key by the policy and, for RSA, by the known weaknesses (Baseline Requirements section 6.1.1.3);
 * empty when there is nothing against it. Points of EC keys are checked before, by `describeSpki`. An RSA key that the policy does
 * not allow, and one too small or too large for any policy, is not examined further.
 */
export function checkKey(info: PublicKeyInfo, policy: KeyPolicy): KeyFinding[] {
  const findings: KeyFinding[] = [];
  const algorithm = checkAlgorithm(info, policy);
  if (algorithm !== undefined) findings.push(algorithm);
  else if (info.kind === 'rsa') findings.push(...checkRsa(info, policy));
  if (policy.blocked?.(spkiFingerprint(info.spki)) === true) {
    findings.push({ code: 'key.blocked', detail: 'key is known as compromised' });
  }
  return findings;
}
