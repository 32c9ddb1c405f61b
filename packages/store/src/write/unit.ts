/** What a writer is asked to do: write sets and the store's own small transactions. */
import type { WriteRefusal } from '@certwright/core';
import type { SqlValue } from '../schema/columns.ts';
import type { EncodedSet } from './encode.ts';

/** Tables with rows that expire, and the predicate over one parameter (now) that finds them. */
export const EXPIRING = {
  tokens: ['"refresh_expires_at" < ? and "expires_at" < ?', 2],
  proofs: ['"expires_at" < ?', 1],
  idempotency: ['"expires_at" < ?', 1],
  mail_approvals: ['"expires_at" < ?', 1],
} as const;
export type ExpiringTable = keyof typeof EXPIRING;

export type Unit =
  | { readonly kind: 'set'; readonly set: EncodedSet }
  | { readonly kind: 'allocate'; readonly name: string; readonly count: number }
  | {
      readonly kind: 'takeJobs';
      readonly kinds: readonly string[];
      readonly now: number;
      readonly leaseUntil: number;
      readonly limit: number;
    }
  | { readonly kind: 'jobDone'; readonly id: number }
  | { readonly kind: 'jobRetry'; readonly id: number; readonly runAt: number; readonly error: string }
  | {
      readonly kind: 'lease';
      readonly name: string;
      readonly holder: string;
      readonly now: number;
      readonly until: number;
    }
  | { readonly kind: 'prune'; readonly table: ExpiringTable; readonly now: number; readonly limit: number };

/**
 * `done`: committed; rows are those that the unit returns. `refused`: a compare-and-set or a unique value said no.
 * `failed`: a bug, told to the caller as it is.
 */
export type UnitResult =
  | { readonly kind: 'done'; readonly rows: readonly (readonly SqlValue[])[] }
  | { readonly kind: 'refused'; readonly refusal: WriteRefusal }
  | { readonly kind: 'failed'; readonly message: string };

/** Nothing could be written: the same for every unit of a batch. */
export interface Unavailable {
  readonly message: string;
  /** The commit was asked for and its outcome is not known. */
  readonly unknown: boolean;
}
