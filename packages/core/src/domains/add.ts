/** Taking a domain into the register, and renewing its validation (contract v2 section 8.5). */
import { fail, ok, type Result } from '@certwright/pki';
import type { CallContext, DomainService, DomainView } from '../api.ts';
import { auditEntry } from '../audit/draft.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { JobDraft } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { DomainRecord, OrganizationRecord, ValidationMethod } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { refuseReadOnly } from '../support.ts';
import type { CaaChecker } from '../validation/caa/checker.ts';
import { accountUri, caaDetail, caaDiagnostics } from '../validation/caa/gate.ts';
import type { ValidationStrategy } from '../validation/strategy.ts';
import { challengeView } from './challenge-issue.ts';
import { chooseStrategy, newChallenge } from './challenges.ts';
import { autoVerifyOf, spread } from './inheritance.ts';
import { ancestorsOf, parseDomain } from './names.ts';
import { organizationMeant } from './organizations.ts';
import { asSeen, isVerified } from './reuse.ts';
import { newDomain, rowsByName, UNPROVEN } from './rows.ts';
import { type DomainSet, domainAfter, domainUpdate, transact } from './transact.ts';
import { heldElsewhere, inactive } from './verification.ts';

export const INHERIT_JOB = 'domain.inherit';
export const CHILDREN_JOB = 'domain.children';
/** The vendor looks for a covering ancestor this long after the registration. */
const INHERIT_DELAY_MS = 2_000;
/** How early before its end a validation may be renewed. */
const RENEWAL_WINDOW_MS = 30 * 86_400_000;

export const inheritJob = (domainId: number, now: Instant): JobDraft => ({
  kind: INHERIT_JOB,
  key: `domain-inherit:${domainId}`,
  payload: { domainId },
  runAt: now + INHERIT_DELAY_MS,
});

/** How a name enters: as a new row, or by a row that is there already. */
type Admission =
  | { readonly kind: 'new' }
  | { readonly kind: 'readded'; readonly row: DomainRecord }
  /** An order brought it in while the account had no organization. */
  | { readonly kind: 'adopted'; readonly row: DomainRecord };

function admit(
  rows: readonly DomainRecord[],
  organizationId: number | null,
  now: Instant,
): Result<Admission, DomainError> {
  const same = rows.find((row) => row.organizationId === organizationId);
  if (same?.status === 'active') {
    return fail(
      domainError('domain.registered', 'Domain is already registered under this account', {
        existingId: same.publicId,
      }),
    );
  }
  const holder = rows.find(
    (row) => row.organizationId !== null && row.organizationId !== organizationId && isVerified(row, now),
  );
  if (holder !== undefined) return fail(heldElsewhere(holder));
  if (same !== undefined) return ok({ kind: 'readded', row: same });
  const unowned = rows.find((row) => row.organizationId === null && row.status === 'active');
  return ok(unowned === undefined ? { kind: 'new' } : { kind: 'adopted', row: unowned });
}

export function createDomainAdmission(deps: CoreDependencies, caa: CaaChecker): Pick<DomainService, 'add' | 'renew'> {
  const { store, clock, random, settings, publicSuffix } = deps;

  const findRows = (accountId: number, name: string) =>
    rowsByName(store, accountId, [name, ...ancestorsOf(name, publicSuffix)]);

  async function precheck(ctx: CallContext, name: string, method: ValidationMethod): Promise<DomainError | undefined> {
    const { accountId, accountNumber } = ctx.caller;
    const verdict = await caa.check({ name, method, accountUri: accountUri(settings.publicUrl, accountNumber) });
    if (verdict.allowed) return undefined;
    const now = clock.now();
    await store.write({
      writes: [],
      audit: [
        auditEntry(ctx, now, {
          activity: 'caa.checked',
          objectType: 'name',
          objectId: name,
          outcome: 'denied',
          details: { reason: verdict.reason, at: verdict.at, found: verdict.found },
        }),
      ],
    });
    return domainError('caa.precheckFailed', caaDetail(name, verdict, settings.caaIdentities[0] ?? ''), {
      diagnostics: caaDiagnostics(accountId, verdict, method, now),
    });
  }

  /** The row as it shall be after the admission. */
  async function enter(
    admission: Admission,
    about: {
      readonly accountId: number;
      readonly organizationId: number | null;
      readonly name: string;
      readonly strategy: ValidationStrategy;
      readonly skipCaa: boolean;
      readonly now: Instant;
    },
  ) {
    const { accountId, organizationId, name, strategy, skipCaa, now } = about;
    const { method } = strategy;
    const caaValues = {
      skipCaa,
      caaStatus: skipCaa ? 'skipped' : settings.validationMode() === 'accept' ? 'unchecked' : 'passed',
    } as const;
    if (admission.kind === 'adopted' && isVerified(admission.row, now)) {
      const set: DomainSet = { ...caaValues, organizationId, method };
      return { row: domainAfter(admission.row, set), write: domainUpdate(admission.row, set) };
    }
    const challenges = [newChallenge(strategy, random, now)];
    if (admission.kind === 'new') {
      const base = newDomain(random, {
        id: await store.nextId(),
        accountId,
        organizationId,
        name,
        method,
        createdAt: now,
      });
      const row: DomainRecord = { ...base, ...caaValues, challenges };
      return { row, write: { op: 'insert', table: 'domain', row } as const };
    }
    const set: DomainSet = {
      ...UNPROVEN,
      ...caaValues,
      organizationId,
      method,
      challenges,
      status: 'active',
      inheritedFrom: null,
      deactivatedAt: null,
    };
    return { row: domainAfter(admission.row, set), write: domainUpdate(admission.row, set) };
  }

  function viewOf(
    row: DomainRecord,
    organization: OrganizationRecord | null,
    rows: ReadonlyMap<string, readonly DomainRecord[]>,
    now: Instant,
  ): DomainView {
    return {
      domain: asSeen(row, now),
      organization,
      challenge: challengeView(row, row.name, row.method, now),
      autoVerify: autoVerifyOf(row, rows, publicSuffix, now),
    };
  }

  return {
    async add(ctx, input, recorder) {
      const refused =
        refuseReadOnly(ctx) ??
        (input.skipCaa && !ctx.caller.settings.maySkipCaa
          ? domainError('domain.skipCaaForbidden', 'This account may not skip the CAA check; leave skipCAA out')
          : undefined);
      if (refused !== undefined) return fail(refused);
      const name = parseDomain(input.name, publicSuffix);
      if (!name.ok) return name;
      const choice = chooseStrategy(input.method, name.value, 'domains');
      if (choice.refusal !== undefined) return fail(choice.refusal);
      const { accountId } = ctx.caller;
      const owner = await organizationMeant(store, accountId, input.organizationNumber);
      if (!owner.ok) return owner;
      const organizationId = owner.value?.id ?? null;

      // what is certain to be refused costs no lookup
      const present = await rowsByName(store, accountId, [name.value]);
      const early = admit(present.get(name.value) ?? [], organizationId, clock.now());
      if (!early.ok) return early;
      const forbidden = input.skipCaa ? undefined : await precheck(ctx, name.value, input.method);
      if (forbidden !== undefined) return fail(forbidden);

      return transact<DomainView>(
        store,
        async () => {
          const now = clock.now();
          const rows = await findRows(accountId, name.value);
          const admission = admit(rows.get(name.value) ?? [], organizationId, now);
          if (!admission.ok) return admission;
          const { row, write } = await enter(admission.value, {
            accountId,
            organizationId,
            name: name.value,
            strategy: choice.strategy,
            skipCaa: input.skipCaa,
            now,
          });
          const value = viewOf(row, owner.value, rows, now);
          return ok({
            value,
            change: {
              writes: [write],
              audit: [
                auditEntry(ctx, now, {
                  activity: admission.value.kind === 'readded' ? 'domain.readded' : 'domain.registered',
                  objectType: 'domain',
                  objectId: row.publicId,
                  details: {
                    name: row.name,
                    organization: owner.value?.number ?? null,
                    method: row.method,
                    caa: row.caaStatus,
                  },
                }),
              ],
              jobs: value.autoVerify === 'scheduled' ? [inheritJob(row.id, now)] : [],
            },
          });
        },
        recorder,
      );
    },

    async renew(ctx, input, recorder) {
      const refused = refuseReadOnly(ctx);
      if (refused !== undefined) return fail(refused);
      const name = parseDomain(input.name, publicSuffix);
      if (!name.ok) return name;
      const choice = chooseStrategy(input.method, name.value, 'domains');
      if (choice.refusal !== undefined) return fail(choice.refusal);
      const { accountId } = ctx.caller;
      const owner = await organizationMeant(store, accountId, input.organizationNumber);
      if (!owner.ok) return owner;
      const organizationId = owner.value?.id ?? null;

      return transact<DomainView>(
        store,
        async () => {
          const now = clock.now();
          const rows = await findRows(accountId, name.value);
          const row = rows.get(name.value)?.find((one) => one.organizationId === organizationId);
          const refusal = renewalRefusal(row, name.value, now);
          if (row === undefined || refusal !== undefined) {
            return fail(refusal ?? domainError('notFound', `Domain ${name.value} not found under this account`));
          }
          const set: DomainSet = {
            ...UNPROVEN,
            method: input.method,
            challenges: [newChallenge(choice.strategy, random, now)],
          };
          const renewed = domainAfter(row, set);
          const below = await spread(store, ctx, renewed, now);
          return ok({
            value: viewOf(renewed, owner.value, rows, now),
            change: {
              writes: [domainUpdate(row, set), ...below.writes],
              audit: [
                auditEntry(ctx, now, {
                  activity: 'domain.renewed',
                  objectType: 'domain',
                  objectId: row.publicId,
                  details: { name: row.name, method: input.method, children: below.writes.length },
                }),
                ...below.audit,
              ],
              jobs: below.next === undefined ? [] : [childrenJob(row.id, now)],
            },
          });
        },
        recorder,
      );
    },
  };
}

/** Brings rows that inherit into line when there are more of them than one write set takes. */
export const childrenJob = (domainId: number, now: Instant): JobDraft => ({
  kind: CHILDREN_JOB,
  key: `domain-children:${domainId}`,
  payload: { domainId },
  runAt: now,
});

function renewalRefusal(row: DomainRecord | undefined, name: string, now: Instant): DomainError | undefined {
  if (row === undefined) return domainError('notFound', `Domain ${name} not found under this account`);
  if (row.status !== 'active') return inactive(name);
  if (row.inheritedFrom !== null) {
    return domainError('domain.inherited', 'An inherited domain cannot be renewed by itself; renew its parent');
  }
  if (row.validTill === null) {
    return domainError('domain.notRenewable', 'Domain is not verified yet; verify it instead of renewing it');
  }
  if (isVerified(row, now) && row.validTill - now > RENEWAL_WINDOW_MS) {
    const from = new Date(row.validTill - RENEWAL_WINDOW_MS).toISOString().slice(0, 10);
    return domainError('domain.notRenewable', `Domain is not yet eligible for renewal; it is from ${from}`);
  }
  return undefined;
}
