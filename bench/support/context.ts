import type { Figure } from './figures.ts';

/** What every row is given. */
export interface BenchContext {
  /** Fewer repetitions and smaller stores: shows that the benchmark works, its figures prove nothing. */
  readonly quick: boolean;
  /** Directory of this run, removed at its end. */
  readonly directory: string;
  /** Distinct P-256 requests (PEM), one for each `hostnameOf(index)`. */
  csrs(): Promise<readonly string[]>;
  /** Tells the operator what is going on. */
  say(line: string): void;
}

export interface Row {
  readonly name: string;
  run(context: BenchContext): Promise<readonly Figure[]>;
}

/** Counted time of one load run. */
export const runMs = ({ quick }: BenchContext): number => (quick ? 1_500 : 5_000);
