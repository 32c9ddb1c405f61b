/** The register of domains: reading it, challenges of single domains, their verification, and the end of a domain. */
import { fail, ok, type Result } from '@certwright/pki';
import type { CallContext, DomainQuery, DomainService, DomainView, VerificationView } from '../api.ts';
import { auditEntry } from '../audit/draft.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { DomainFilter } from '../ports/store.ts';
import type { DomainRecord, OrganizationRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { refuseReadOnly } from '../support.ts';
import { inheritJob } from './add.ts';
import { challengeView, issueChallenges } from './challenge-issue.ts';
import { chooseStrategy, newChallenge } from './challenges.ts';
import { autoVerifyOf } from './inheritance.ts';
import { ancestorsOf } from './names.ts';
import { othersOf } from './proof.ts';
import { asSeen, isVerified } from './reuse.ts';
import { rowsByName } from './rows.ts';
import { type DomainSet, domainAfter, domainUpdate, transact } from './transact.ts';
import { heldElsewhere, inactive, type Verifier } from './verification.ts';

const MAX_ATTEMPTS_PAGE = 50;

type RegistryCalls = 'get' | 'list' | 'challenge' | 'changeMethod' | 'verify' | 'attempts' | 'attempt' | 'deactivate';

export function createDomainRegistry(deps: CoreDependencies, verifier: Verifier): Pick<DomainService, RegistryCalls> {
  const { store, clock, random, publicSuffix } = deps;

  async function find(ctx: CallContext, publicId: string): Promise<Result<DomainRecord, DomainError>> {
    const row = await store.domains.byPublicId(ctx.caller.accountId, publicId);
    return row === undefined ? fail(domainError('notFound', 'Domain not found under this account')) : ok(row);
  }

  async function viewsOf(accountId: number, rows: readonly DomainRecord[]): Promise<DomainView[]> {
    const now = clock.now();
    const [organizations, related] = await Promise.all([
      store.accounts.organizations(accountId),
      rowsByName(
        store,
        accountId,
        rows.flatMap((row) => ancestorsOf(row.name, publicSuffix)),
      ),
    ]);
    const byId = new Map<number | null, OrganizationRecord>(organizations.map((one) => [one.id, one]));
    return rows.map((row) => ({
      domain: asSeen(row, now),
      organization: byId.get(row.organizationId) ?? null,
      challenge: null,
      autoVerify: autoVerifyOf(row, related, publicSuffix, now),
    }));
  }

  async function fullView(accountId: number, row: DomainRecord): Promise<DomainView> {
    const [view] = await viewsOf(accountId, [row]);
    if (view === undefined) throw new Error('a view was lost');
    return { ...view, challenge: challengeOrNone(row) };
  }

  /** A verified or inactive domain shows its method only. */
  function challengeOrNone(row: DomainRecord) {
    const now = clock.now();
    const shown = row.status === 'active' && !isVerified(row, now) ? row : { ...row, challenges: [] };
    return { ...challengeView(shown, row.name, row.method, now), domain: asSeen(row, now) };
  }

  /** The other row that keeps a rejected one from being validated. */
  async function holderOf(row: DomainRecord): Promise<DomainRecord | undefined> {
    const now = clock.now();
    return row.dcvStatus === 'rejected'
      ? (await othersOf(store, row)).find((other) => isVerified(other, now))
      : undefined;
  }

  async function filterOf(ctx: CallContext, query: DomainQuery): Promise<Result<DomainFilter | null, DomainError>> {
    const { accountId, groupId } = ctx.caller;
    if (query.groupNumber !== undefined) {
      const groups = await store.accounts.groups(accountId);
      const group = groups.find((one) => one.number === query.groupNumber);
      if (group === undefined || (groupId !== null && group.id !== groupId)) {
        return fail(domainError('notFound', `Group ${query.groupNumber} not found under this account`));
      }
    }
    let organizationId: number | undefined;
    if (query.organization !== undefined) {
      const organizations = await store.accounts.organizations(accountId);
      const { organization } = query;
      organizationId = organizations.find((one) => one.number === organization || one.publicId === organization)?.id;
      if (organizationId === undefined) return ok(null);
    }
    const { search, statuses, dcvStatuses, methods, createdFrom, createdBefore } = query;
    return ok({
      accountId,
      exact: query.exact,
      now: clock.now(),
      sortBy: query.sortBy,
      descending: query.descending,
      offset: query.offset,
      limit: query.limit,
      ...(search === undefined ? {} : { search: search.toLowerCase() }),
      ...(statuses === undefined ? {} : { statuses }),
      ...(dcvStatuses === undefined ? {} : { dcvStatuses }),
      ...(methods === undefined ? {} : { methods }),
      ...(createdFrom === undefined ? {} : { createdFrom }),
      ...(createdBefore === undefined ? {} : { createdBefore }),
      ...(organizationId === undefined ? {} : { organizationId }),
    });
  }

  return {
    async get(ctx, publicId) {
      const row = await find(ctx, publicId);
      return row.ok ? ok(await fullView(ctx.caller.accountId, row.value)) : row;
    },

    async list(ctx, query) {
      const filter = await filterOf(ctx, query);
      if (!filter.ok) return filter;
      if (filter.value === null) return ok({ rows: [], total: 0 });
      const { rows, total } = await store.domains.list(filter.value);
      return ok({ rows: await viewsOf(ctx.caller.accountId, rows), total });
    },

    async challenge(ctx, publicId) {
      const found = await find(ctx, publicId);
      if (!found.ok) return found;
      const row = found.value;
      if (row.status !== 'active') return fail(inactive(row.name));
      if (isVerified(row, clock.now())) return ok(challengeOrNone(row));
      const holder = await holderOf(row);
      if (holder !== undefined) return fail(heldElsewhere(holder));
      const choice = chooseStrategy(row.method, row.name, 'domains');
      if (choice.refusal !== undefined) return fail(choice.refusal);
      const issued = await issueChallenges(deps, ctx, [{ domainId: row.id, strategy: choice.strategy }]);
      if (!issued.ok) return issued;
      return ok(challengeOrNone(issued.value.get(row.id) ?? row));
    },

    async changeMethod(ctx, publicId, method, recorder) {
      const refused = refuseReadOnly(ctx);
      if (refused !== undefined) return fail(refused);
      return transact(
        store,
        async () => {
          const found = await find(ctx, publicId);
          if (!found.ok) return found;
          const row = found.value;
          if (row.status !== 'active') return fail(inactive(row.name));
          const choice = chooseStrategy(method, row.name, 'domains');
          if (choice.refusal !== undefined) return fail(choice.refusal);
          const holder = await holderOf(row);
          if (holder !== undefined) return fail(heldElsewhere(holder));
          const now = clock.now();
          const challenge = newChallenge(choice.strategy, random, now);
          // every older token is void at once, also those handed out for other methods
          const set: DomainSet = {
            method,
            challenges: [challenge],
            ...(isVerified(row, now) ? {} : { dcvStatus: 'pending' }),
          };
          const changed = domainAfter(row, set);
          const related = await rowsByName(store, row.accountId, ancestorsOf(row.name, publicSuffix));
          const mayVerifyItself =
            !isVerified(row, now) && autoVerifyOf(changed, related, publicSuffix, now) === 'scheduled';
          return ok({
            value: challengeView(changed, row.name, method, now, challenge),
            change: {
              writes: [domainUpdate(row, set)],
              audit: [
                auditEntry(ctx, now, {
                  activity: 'domain.methodChanged',
                  objectType: 'domain',
                  objectId: row.publicId,
                  details: { name: row.name, from: row.method, to: method },
                }),
              ],
              jobs: mayVerifyItself ? [inheritJob(row.id, now)] : [],
            },
          });
        },
        recorder,
      );
    },

    async verify(ctx, publicId, recorder) {
      const refused = refuseReadOnly(ctx);
      if (refused !== undefined) return fail(refused);
      const found = await find(ctx, publicId);
      if (!found.ok) return found;
      const row = found.value;
      if (row.status !== 'active') return fail(inactive(row.name));
      if (isVerified(row, clock.now())) {
        const value: VerificationView = { domain: row, attempt: await lastSuccess(row) };
        return transact(store, async () => ok({ value, change: null }), recorder);
      }
      const choice = chooseStrategy(row.method, row.name, 'domains');
      if (choice.refusal !== undefined) return fail(choice.refusal);
      return verifier.verify(ctx, row, choice.strategy, 'domains', recorder);
    },

    async attempts(ctx, publicId, offset, limit) {
      const row = await find(ctx, publicId);
      if (!row.ok) return row;
      const size = Math.min(Math.max(limit, 1), MAX_ATTEMPTS_PAGE);
      return ok(await store.domains.attempts(row.value.id, Math.max(offset, 0), size));
    },

    async attempt(ctx, publicId, attemptId) {
      const row = await find(ctx, publicId);
      if (!row.ok) return row;
      const { id } = row.value;
      const attempt =
        attemptId === 'last' ? await store.domains.lastAttempt(id) : await store.domains.attempt(id, attemptId);
      return attempt === undefined
        ? fail(domainError('notFound', 'The domain has no such validation attempt'))
        : ok({ attempt, domain: asSeen(row.value, clock.now()) });
    },

    async deactivate(ctx, publicId, recorder) {
      const refused = refuseReadOnly(ctx);
      if (refused !== undefined) return fail(refused);
      return transact<DomainView>(
        store,
        async () => {
          const found = await find(ctx, publicId);
          if (!found.ok) return found;
          const row = found.value;
          if (row.status === 'inactive') {
            return ok({ value: await fullView(row.accountId, row), change: null });
          }
          const now = clock.now();
          const set: DomainSet = { status: 'inactive', deactivatedAt: now, challenges: [] };
          return ok({
            value: await fullView(row.accountId, domainAfter(row, set)),
            change: {
              writes: [domainUpdate(row, set)],
              audit: [
                auditEntry(ctx, now, {
                  activity: 'domain.deactivated',
                  objectType: 'domain',
                  objectId: row.publicId,
                  details: { name: row.name },
                }),
              ],
            },
          });
        },
        recorder,
      );
    },
  };

  async function lastSuccess(row: DomainRecord) {
    const last = await store.domains.lastAttempt(row.id);
    return last?.outcome === 'verified' ? last : null;
  }
}
