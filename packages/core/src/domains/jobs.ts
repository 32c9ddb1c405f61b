/** Work on domains that no caller waits for. Each job may run again and finds nothing to do then. */
import { ok } from '@certwright/pki';
import { auditEntry, systemContext } from '../audit/draft.ts';
import type { JobHandler } from '../jobs/runner.ts';
import type { DomainRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { CHILDREN_JOB, INHERIT_JOB } from './add.ts';
import { coveringAncestor, inheritedFrom, mayInherit, spread } from './inheritance.ts';
import { createMailJob, MAIL_JOB } from './mail-challenge.ts';
import { ancestorsOf } from './names.ts';
import { VERIFIED_JOB, verifiedJob } from './proof.ts';
import { isVerified } from './reuse.ts';
import { rowsByName } from './rows.ts';
import { domainUpdate, transact } from './transact.ts';
import type { DomainHooks, Verifier } from './verification.ts';

const PAGE = 200;

export type DomainJobs = Readonly<
  Record<typeof MAIL_JOB | typeof INHERIT_JOB | typeof CHILDREN_JOB | typeof VERIFIED_JOB, JobHandler>
>;

export function createDomainJobs(
  deps: CoreDependencies,
  hooks: DomainHooks,
  verifier: Pick<Verifier, 'announce'>,
): DomainJobs {
  const { store, clock, publicSuffix } = deps;
  const actor = systemContext('domains');

  const rowOf = async (payload: Parameters<JobHandler>[0]): Promise<DomainRecord | undefined> =>
    typeof payload.domainId === 'number' ? store.domains.byId(payload.domainId) : undefined;

  /** Thrown, so that the job comes again: nobody else would do its work. */
  function demand<T>(outcome: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
    if (!outcome.ok) throw new Error('the domain is being changed by others');
    return outcome.value;
  }

  /** Brings all rows below into line, a page at a time. */
  async function alignBelow(domainId: number): Promise<void> {
    let after: { readonly children: number; readonly below: number } | undefined = { children: 0, below: 0 };
    while (after !== undefined) {
      const from: { readonly children: number; readonly below: number } = after;
      after = demand(
        await transact(store, async () => {
          const domain = await store.domains.byId(domainId);
          if (domain === undefined) return ok({ value: undefined, change: null });
          const page = await spread(store, actor, domain, clock.now(), from);
          const [first, ...rest] = page.audit;
          return ok({
            value: page.next,
            change: first === undefined ? null : { writes: page.writes, audit: [first, ...rest] },
          });
        }),
      );
    }
  }

  /** Looks once more for an ancestor that covers the name. */
  async function inherit(domainId: number): Promise<void> {
    const verified = demand(
      await transact(store, async () => {
        const now = clock.now();
        const row = await store.domains.byId(domainId);
        const isDue =
          row !== undefined && row.status === 'active' && row.dcvStatus !== 'rejected' && !isVerified(row, now);
        if (!isDue || !mayInherit(row)) return ok({ value: false, change: null });
        const rows = await rowsByName(store, row.accountId, ancestorsOf(row.name, publicSuffix));
        const ancestor = coveringAncestor(row.name, row.organizationId, rows, publicSuffix, now);
        if (ancestor === undefined) return ok({ value: false, change: null });
        return ok({
          value: true,
          change: {
            writes: [domainUpdate(row, inheritedFrom(ancestor))],
            audit: [
              auditEntry(actor, now, {
                activity: 'domain.verified',
                objectType: 'domain',
                objectId: row.publicId,
                accountId: row.accountId,
                details: { name: row.name, through: ancestor.name },
              }),
            ],
            jobs: [verifiedJob(row.id, now)],
          },
        });
      }),
    );
    if (verified) await verifier.announce(actor, [domainId]);
  }

  /** What a process left undone that died after a verification was committed. */
  async function finish(domain: DomainRecord): Promise<void> {
    await alignBelow(domain.id);
    // a failure here must bring the job back
    await hooks.onVerified([domain.id], actor.origin);
    for (let after = 0; ; ) {
      const children = await store.domains.children(domain.id, after, PAGE);
      const last = children.at(-1);
      if (last === undefined) return;
      await hooks.onVerified(
        children.map((child) => child.id),
        actor.origin,
      );
      after = last.id;
    }
  }

  return {
    [MAIL_JOB]: createMailJob(deps),
    [INHERIT_JOB]: async (payload) => {
      const row = await rowOf(payload);
      if (row !== undefined) await inherit(row.id);
    },
    [CHILDREN_JOB]: async (payload) => {
      const row = await rowOf(payload);
      if (row !== undefined) await alignBelow(row.id);
    },
    [VERIFIED_JOB]: async (payload) => {
      const row = await rowOf(payload);
      if (row !== undefined) await finish(row);
    },
  };
}
