/** Hands out challenges: the live one when there is one, else a new one, for many rows in one commit. */
import { ok } from '@certwright/pki';
import type { CallContext, ChallengeView, Outcome } from '../api.ts';
import { auditEntry } from '../audit/draft.ts';
import type { JobDraft, Write } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { AuditDraft, Challenge, DomainRecord, ValidationMethod } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { strategyOf } from '../validation/strategies.ts';
import type { ValidationStrategy } from '../validation/strategy.ts';
import { liveChallenge, newChallenge, withChallenge } from './challenges.ts';
import { planMails } from './mail-challenge.ts';
import { provedName } from './names.ts';
import { asSeen, isVerified } from './reuse.ts';
import { type DomainSet, domainAfter, domainUpdate, transact } from './transact.ts';

export interface ChallengeRequest {
  readonly domainId: number;
  readonly strategy: ValidationStrategy;
}

/** What to publish for `name`; without a challenge when none is live. */
export function challengeView(
  domain: DomainRecord,
  name: string,
  method: ValidationMethod,
  now: Instant,
  challenge: Challenge | undefined = liveChallenge(domain, method, now),
): ChallengeView {
  const strategy = strategyOf(method);
  const about = { domain: asSeen(domain, now), name, method };
  if (challenge === undefined || strategy === undefined)
    return { ...about, recordName: null, url: null, recipients: [] };
  const { recordNames, url, recipients } = strategy.artefact({ name: provedName(domain.name), challenge });
  return { ...about, challenge, recordName: recordNames[0] ?? null, url, recipients };
}

interface RowPlan {
  readonly row: DomainRecord;
  readonly set: DomainSet | undefined;
  readonly writes: readonly Write[];
  readonly jobs: readonly JobDraft[];
  readonly audit: AuditDraft | undefined;
}

async function planRow(
  deps: Pick<CoreDependencies, 'store' | 'random'>,
  ctx: CallContext,
  row: DomainRecord,
  strategies: readonly ValidationStrategy[],
  now: Instant,
): Promise<RowPlan> {
  let challenges = row.challenges;
  const issued: ValidationMethod[] = [];
  const mailed: string[] = [];
  const writes: Write[] = [];
  const jobs: JobDraft[] = [];
  for (const strategy of strategies) {
    let challenge = liveChallenge(row, strategy.method, now);
    if (challenge === undefined) {
      challenge = newChallenge(strategy, deps.random, now);
      challenges = withChallenge(challenges, challenge);
      issued.push(strategy.method);
    }
    if (strategy.kind !== 'mailed') continue;
    const { recipients } = strategy.artefact({ name: provedName(row.name), challenge });
    const mails = await planMails(deps, row, challenge, recipients, now);
    writes.push(...mails.writes);
    jobs.push(...mails.jobs);
    mailed.push(...mails.recipients);
  }
  if (issued.length === 0 && mailed.length === 0) return { row, set: undefined, writes, jobs, audit: undefined };
  // the row is written for mails alone too: two requests at the same moment must not both send them
  const set: DomainSet = isVerified(row, now) ? { challenges } : { challenges, dcvStatus: 'pending' };
  const audit = auditEntry(ctx, now, {
    activity: 'dcv.challengeIssued',
    objectType: 'domain',
    objectId: row.publicId,
    details: { name: row.name, issued, mailed },
  });
  return { row, set, writes, jobs, audit };
}

/**
 * Makes the challenges that are missing and plans mails that are due; answers the rows by id, as committed. A caller who
 * may only read gets what there is. Errors: `overloaded`.
 */
export async function issueChallenges(
  deps: Pick<CoreDependencies, 'store' | 'random' | 'clock'>,
  ctx: CallContext,
  requests: readonly ChallengeRequest[],
): Outcome<ReadonlyMap<number, DomainRecord>> {
  const wanted = new Map<number, Set<ValidationStrategy>>();
  for (const { domainId, strategy } of requests) {
    const strategies = wanted.get(domainId) ?? new Set();
    wanted.set(domainId, strategies.add(strategy));
  }
  const load = () => deps.store.domains.byIds([...wanted.keys()]);
  if (ctx.caller.role === 'auditor') return ok(new Map((await load()).map((row) => [row.id, row])));

  return transact(deps.store, async () => {
    const now = deps.clock.now();
    const plans: RowPlan[] = [];
    for (const row of await load()) {
      plans.push(await planRow(deps, ctx, row, [...(wanted.get(row.id) ?? [])], now));
    }
    const value = new Map(
      plans.map(({ row, set }) => [row.id, set === undefined ? row : domainAfter(row, set)] as const),
    );
    const [first, ...rest] = plans.flatMap(({ audit }) => (audit === undefined ? [] : [audit]));
    if (first === undefined) return ok({ value, change: null });
    return ok({
      value,
      change: {
        writes: plans.flatMap(({ row, set, writes }) => [
          ...(set === undefined ? [] : [domainUpdate(row, set)]),
          ...writes,
        ]),
        audit: [first, ...rest],
        jobs: plans.flatMap(({ jobs }) => jobs),
      },
    });
  });
}
