import { fail, ok } from '@certwright/pki';
import type { AnswerRecorder, IdempotencyService } from '../api.ts';
import { domainError } from '../errors.ts';
import type { Update } from '../ports/store.ts';
import type { CoreDependencies } from '../settings.ts';
import { MAX_ATTEMPTS } from '../support.ts';

/** A claim whose process died can be taken over after this. */
const LEASE_MS = 60_000;
/** Answers are kept this long (contract v2 section 4, rule 10). */
const KEEP_MS = 24 * 3_600_000;

/** Idempotency-Key claims (contract v2 section 4). Times are real time: they are about clients that repeat themselves. */
export function createIdempotency(deps: Pick<CoreDependencies, 'store' | 'wallClock'>): IdempotencyService {
  const { store, wallClock } = deps;
  return {
    async claim(scope, fingerprint) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const now = wallClock.now();
        const claim = {
          id: await store.nextId(),
          scope,
          fingerprint,
          answer: null,
          leaseUntil: now + LEASE_MS,
          expiresAt: now + KEEP_MS,
          version: 1,
        };
        const inserted = await store.write({
          bookkeeping: 'idempotency.claim',
          writes: [{ op: 'insert', table: 'idempotency', row: claim }],
        });
        if (inserted.ok) return ok({ kind: 'claimed', claim });

        const existing = await store.idempotency.byScope(scope);
        if (existing === undefined) continue;
        const takeOver = existing.expiresAt <= now || (existing.answer === null && existing.leaseUntil <= now);
        if (!takeOver) {
          if (existing.fingerprint !== fingerprint) {
            return fail(
              domainError(
                'idempotency.keyReused',
                'This Idempotency-Key was used before with a different request; use a new key',
              ),
            );
          }
          if (existing.answer !== null) return ok({ kind: 'replay', answer: existing.answer });
          return fail(
            domainError('idempotency.inProgress', 'A request with this Idempotency-Key is still being processed', {
              retryAfterMs: Math.min(existing.leaseUntil - now, 5_000),
            }),
          );
        }
        const set = { fingerprint, answer: null, leaseUntil: claim.leaseUntil, expiresAt: claim.expiresAt };
        const taken = await store.write({
          bookkeeping: 'idempotency.claim',
          writes: [{ op: 'update', table: 'idempotency', id: existing.id, version: existing.version, set }],
        });
        if (taken.ok) return ok({ kind: 'claimed', claim: { ...existing, ...set, version: existing.version + 1 } });
      }
      return fail(
        domainError('idempotency.inProgress', 'Many requests use this Idempotency-Key at once', {
          retryAfterMs: 1_000,
        }),
      );
    },

    async release(claim) {
      // compare-and-set: a claim that another process took over stays theirs
      await store.write({
        bookkeeping: 'idempotency.release',
        writes: [{ op: 'update', table: 'idempotency', id: claim.id, version: claim.version, set: { leaseUntil: 0 } }],
      });
    },
  };
}

/** The write that stores the answer beside its effect; `commits` counts those made under the claim before. */
export function recordAnswer<T>(recorder: AnswerRecorder<T> | undefined, result: T, commits = 0): Update[] {
  if (recorder === undefined) return [];
  const { claim } = recorder;
  return [
    {
      op: 'update',
      table: 'idempotency',
      id: claim.id,
      version: claim.version + commits,
      set: { answer: recorder.render(result) },
    },
  ];
}
