import type { KeyAlgorithm } from './algorithms.ts';

export type CurveName = 'P-256' | 'P-384' | 'P-521';

/** A NIST prime curve y² = x³ − 3x + b over the field of p (FIPS 186-5, SP 800-186 section 3.2.1). */
export interface NamedCurve {
  readonly name: CurveName;
  readonly oid: string;
  readonly algorithm: KeyAlgorithm;
  readonly bits: number;
  readonly coordinateBytes: number;
  readonly p: bigint;
  readonly b: bigint;
}

const CURVES: readonly NamedCurve[] = [
  {
    name: 'P-256',
    oid: '1.2.840.10045.3.1.7',
    algorithm: 'ec-p256',
    bits: 256,
    coordinateBytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  {
    name: 'P-384',
    oid: '1.3.132.0.34',
    algorithm: 'ec-p384',
    bits: 384,
    coordinateBytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  {
    name: 'P-521',
    oid: '1.3.132.0.35',
    algorithm: 'ec-p521',
    bits: 521,
    coordinateBytes: 66,
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
];

/** The curve with this OID, or undefined when it is not one of ours. */
export const curveByOid = (oid: string): NamedCurve | undefined => CURVES.find((curve) => curve.oid === oid);

const toBigInt = (bytes: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`);

/** Whether an uncompressed point (04, x, y, of the right length) has coordinates below p that satisfy the equation. */
export function isOnCurve({ p, b, coordinateBytes }: NamedCurve, point: Uint8Array): boolean {
  const x = toBigInt(point.subarray(1, 1 + coordinateBytes));
  const y = toBigInt(point.subarray(1 + coordinateBytes));
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
}
