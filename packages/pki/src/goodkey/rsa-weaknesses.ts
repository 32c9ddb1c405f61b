/** Tests for RSA moduli that are easy to factor. All work on public numbers, so nothing needs constant time. */

/** Primes below 752: the small factors that the Baseline Requirements (section 6.1.6) suggest to look for. */
const SMALL_PRIMES: readonly number[] = Array.from({ length: 750 }, (_, index) => index + 2).filter((candidate) => {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false;
  return true;
});

/** Product of the small primes: one long division replaces one per prime. */
const PRIMORIAL = SMALL_PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);

/** `modulus` reduced so that its residue by every prime below 752 is kept. */
export const primorialResidue = (modulus: bigint): bigint => modulus % PRIMORIAL;

/** Primes in runs whose product is an exact number, so that most divisions are done on numbers. */
const PRIME_RUNS: readonly { readonly product: bigint; readonly primes: readonly number[] }[] = (() => {
  const runs: { product: bigint; primes: number[] }[] = [];
  for (const prime of SMALL_PRIMES) {
    const run = runs.at(-1);
    if (run !== undefined && run.product * BigInt(prime) < 2n ** 53n) {
      run.product *= BigInt(prime);
      run.primes.push(prime);
    } else runs.push({ product: BigInt(prime), primes: [prime] });
  }
  return runs;
})();

/** Smallest prime below 752 that divides the number behind a {@link primorialResidue}. */
export function smallFactor(residue: bigint): number | undefined {
  for (const { product, primes } of PRIME_RUNS) {
    const rest = Number(residue % product);
    const factor = primes.find((prime) => rest % prime === 0);
    if (factor !== undefined) return factor;
  }
  return undefined;
}

interface Fingerprint {
  readonly prime: number;
  /** Powers of 65537 modulo the prime. */
  readonly subgroup: ReadonlySet<number>;
}

/**
 * Primes of the flawed library have the form k·M + (65537^a mod M) with M a product of the first primes
 * (Nemec et al., "The Return of Coppersmith's Attack", section 2), so the modulus is a power of 65537 modulo each of them.
 * For 512-bit keys M ends with 167, and M of longer keys contains it. Primes that 65537 generates fully say nothing.
 */
const ROCA_FINGERPRINTS: readonly Fingerprint[] = SMALL_PRIMES.filter((prime) => prime > 2 && prime <= 167)
  .map((prime) => {
    const subgroup = new Set<number>();
    for (let power = 1; !subgroup.has(power); power = (power * 65537) % prime) subgroup.add(power);
    return { prime, subgroup };
  })
  .filter(({ prime, subgroup }) => subgroup.size < prime - 1);

const ROCA_PRODUCT = ROCA_FINGERPRINTS.reduce((product, { prime }) => product * BigInt(prime), 1n);

/** Whether the number behind a {@link primorialResidue} has the structure of CVE-2017-15361. One in 2^27 sound moduli does too. */
export function isRocaWeak(residue: bigint): boolean {
  const rest = residue % ROCA_PRODUCT;
  return ROCA_FINGERPRINTS.every(({ prime, subgroup }) => subgroup.has(Number(rest % BigInt(prime))));
}

/** Largest integer whose square is not above `value` (Newton's method from above). */
export function integerSquareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(16).length * 4 + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Bit n is set when n is a square modulo 64: rules out 52 of 64 candidates without a square root. */
const SQUARES_MOD_64 = Array.from({ length: 64 }, (_, n) => (n * n) % 64).reduce(
  (mask, square) => mask | (1n << BigInt(square)),
  0n,
);
/** The same modulo 3·5·7·11·13, for the candidates that are left. */
const ODD_MODULUS = 15_015;
const SQUARES_MOD_ODD: ReadonlySet<number> = new Set(
  Array.from({ length: ODD_MODULUS }, (_, n) => (n * n) % ODD_MODULUS),
);

function isSquare(value: bigint): boolean {
  if (((SQUARES_MOD_64 >> BigInt.asUintN(6, value)) & 1n) === 0n) return false;
  if (!SQUARES_MOD_ODD.has(Number(value % BigInt(ODD_MODULUS)))) return false;
  const root = integerSquareRoot(value);
  return root * root === value;
}

/** Whether Fermat's method factors an odd modulus within `rounds` (100: Baseline Requirements section 6.1.1.3). */
export function closePrimes(modulus: bigint, rounds = 100): boolean {
  let a = integerSquareRoot(modulus);
  if (a * a < modulus) a += 1n;
  let b2 = a * a - modulus;
  for (let round = 0; round < rounds; round++) {
    if (isSquare(b2)) return true;
    b2 += 2n * a + 1n;
    a += 1n;
  }
  return false;
}
