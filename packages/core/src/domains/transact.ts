import { fail, ok, type Result } from '@certwright/pki';
import type { AnswerRecorder, Outcome } from '../api.ts';
import { type DomainError, domainError } from '../errors.ts';
import { recordAnswer } from '../idempotency/idempotency.ts';
import type { JobDraft, Store, Write } from '../ports/store.ts';
import type { AuditDraft, DomainRecord } from '../records/index.ts';
import { MAX_ATTEMPTS } from '../support.ts';

/** What a use case decided to put on record. */
export interface Change {
  readonly writes: readonly Write[];
  readonly audit: readonly [AuditDraft, ...AuditDraft[]];
  readonly jobs?: readonly JobDraft[];
}

/** A decision: the answer, and the change that makes it true; null when it is true already. */
export interface Decided<T> {
  readonly value: T;
  readonly change: Change | null;
}

/**
 * Reads, decides, writes; again, with fresh reads, when another process changed a row meanwhile. The answer for a
 * repeated request is stored in the same write set. Errors: those of `decide`, `overloaded`, `idempotency.inProgress`.
 */
export async function transact<T>(
  store: Store,
  decide: (round: number) => Promise<Result<Decided<T>, DomainError>>,
  recorder?: AnswerRecorder<T>,
): Outcome<T> {
  for (let round = 0; round < MAX_ATTEMPTS; round++) {
    const decided = await decide(round);
    if (!decided.ok) return decided;
    const { value, change } = decided.value;
    const answer = recordAnswer(recorder, value);
    if (change === null && answer.length === 0) return ok(value);
    const outcome = await store.write(
      change === null
        ? { bookkeeping: 'idempotency.answer', writes: answer }
        : { writes: [...change.writes, ...answer], audit: change.audit, jobs: change.jobs ?? [] },
    );
    if (outcome.ok) return ok(value);
    if (outcome.error.kind === 'conflict' && outcome.error.table === 'idempotency') {
      // the claim ran out and another request took it: that one has the effect
      return fail(
        domainError('idempotency.inProgress', 'Another request with this Idempotency-Key took over', {
          retryAfterMs: 1_000,
        }),
      );
    }
  }
  return fail(
    domainError('overloaded', 'The domain is being changed by somebody else; try again', { retryAfterMs: 1_000 }),
  );
}

export type DomainSet = Partial<Omit<DomainRecord, 'id' | 'version'>>;

/** Compare-and-set of a domain row. */
export const domainUpdate = (before: DomainRecord, set: DomainSet): Write => ({
  op: 'update',
  table: 'domain',
  id: before.id,
  version: before.version,
  set,
});

/** The row as it is after its update is committed. */
export const domainAfter = (before: DomainRecord, set: DomainSet): DomainRecord => ({
  ...before,
  ...set,
  version: before.version + 1,
});
