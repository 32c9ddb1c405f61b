import { type Actor, auditEntry } from '../audit/draft.ts';
import type { JobDraft, Store } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { AttemptRecord, DomainRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { attemptAudit, attemptRecord, type Proof } from './attempts.ts';
import { spread } from './inheritance.ts';
import { reuseEnd } from './reuse.ts';
import { rowsByName } from './rows.ts';
import { type Change, type DomainSet, domainAfter, domainUpdate } from './transact.ts';

export const VERIFIED_JOB = 'domain.verified';
/** The job finds nothing to do unless the process died after the commit, or there were many rows below. */
const BACKSTOP_MS = 5_000;

export interface Proven {
  readonly change: Change;
  readonly domain: DomainRecord;
  readonly attempt: AttemptRecord;
  /** The row and those verified through it. */
  readonly domainIds: readonly number[];
}

/** Active rows of the same name under other organizations. */
export async function othersOf(store: Store, domain: DomainRecord): Promise<readonly DomainRecord[]> {
  const rows = await rowsByName(store, domain.accountId, [domain.name]);
  return (rows.get(domain.name) ?? []).filter((row) => row.id !== domain.id && row.status === 'active');
}

export const verifiedJob = (domainId: number, now: Instant): JobDraft => ({
  kind: VERIFIED_JOB,
  key: `domain-verified:${domainId}`,
  payload: { domainId },
  runAt: now + BACKSTOP_MS,
});

/**
 * The change that a good proof of a row means: the row is verified, its challenges are spent, rows below inherit, rows
 * of the name under other organizations are rejected.
 */
export async function prove(
  deps: Pick<CoreDependencies, 'store' | 'clock' | 'settings'>,
  actor: Actor,
  domain: DomainRecord,
  proof: Proof,
  options: { readonly withSpread: boolean },
): Promise<Proven> {
  const { store } = deps;
  const now = deps.clock.now();
  const validTill = reuseEnd(now, deps.settings.domainReuseDays);
  const set: DomainSet = {
    dcvStatus: 'verified',
    verifiedAt: now,
    verifiedBy: proof.strategy.method,
    validTill,
    inheritedFrom: null,
    challenges: [],
  };
  const proven = domainAfter(domain, set);
  const attempt = attemptRecord(await store.nextId(), domain, proof, now);
  const below = options.withSpread ? await spread(store, actor, proven, now) : undefined;
  const rivals = (await othersOf(store, domain)).filter((row) => row.dcvStatus === 'pending');
  return {
    domain: proven,
    attempt,
    domainIds: [proven.id, ...(below?.verified.map((row) => row.id) ?? [])],
    change: {
      writes: [
        domainUpdate(domain, set),
        { op: 'insert', table: 'attempt', row: attempt },
        ...rivals.map((row) => domainUpdate(row, { dcvStatus: 'rejected', challenges: [] })),
        ...(below?.writes ?? []),
      ],
      audit: [
        attemptAudit(actor, domain, attempt),
        auditEntry(actor, now, {
          activity: 'domain.verified',
          objectType: 'domain',
          objectId: domain.publicId,
          accountId: domain.accountId,
          details: {
            name: domain.name,
            method: proof.strategy.method,
            validTill: new Date(validTill).toISOString(),
            rejected: rivals.map((row) => row.publicId),
          },
        }),
        ...(below?.audit ?? []),
      ],
      jobs: [verifiedJob(domain.id, now)],
    },
  };
}
