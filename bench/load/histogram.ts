/** Sub-buckets of an octave: a quantile is at most 1/128 above the true value. */
const SUB_BUCKET_BITS = 7;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
const MAX_VALUE = 2 ** 31 - 1;
const BUCKETS = SUB_BUCKETS * (31 - SUB_BUCKET_BITS) + SUB_BUCKETS;

function bucketOf(value: number): number {
  const shift = Math.max(0, 31 - Math.clz32(value) - SUB_BUCKET_BITS);
  return SUB_BUCKETS * shift + (value >> shift);
}

/** Largest value that falls into the bucket. */
function upperBound(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / SUB_BUCKETS) - 1);
  return (bucket - SUB_BUCKETS * shift + 1) * 2 ** shift - 1;
}

/** Latencies in whole microseconds, in buckets of constant relative width: recording allocates nothing. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #max = 0;

  /** Number of values recorded. */
  get count(): number {
    return this.#count;
  }

  /** Largest value recorded, exactly; 0 when empty. */
  get max(): number {
    return this.#max;
  }

  /** Takes a value in microseconds; fractions are cut, what lies outside 0 to 2^31 − 1 is moved to the border. */
  record(micros: number): void {
    const value = Math.min(MAX_VALUE, Math.max(0, Math.trunc(micros)));
    const bucket = bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    if (value > this.#max) this.#max = value;
  }

  /** Value in microseconds that the share `q` (0 to 1) of all values does not exceed; 0 when empty. */
  quantile(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return Math.min(upperBound(bucket), this.#max);
    }
    return 0;
  }
}
