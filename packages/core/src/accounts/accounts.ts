import { fail, ok } from '@certwright/pki';
import type { AccountService, OrganizationInput } from '../api.ts';
import { auditEntry } from '../audit/draft.ts';
import { domainError } from '../errors.ts';
import type { OrganizationRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { MAX_ATTEMPTS, randomDigits, randomToken } from '../support.ts';
import type { AccountDirectory } from './directory.ts';

/** Subject identity data may be reused for 398 days (TLS BR 4.2.1, contract platform section 3.6). */
const VETTING_LIFETIME_MS = 398 * 86_400_000;

export interface AccountHooks {
  /** Vetting was decided: orders that wait for the organization go on. */
  onVetted(organizationId: number): Promise<void>;
}

/** Keyed-hash context of pre-vetting tokens. */
export const preVettingContext = (organizationId: number): string => `prevetting:${organizationId}`;

function emptyText(input: OrganizationInput): string | undefined {
  if (input.name.trim() === '') return 'name';
  if (!/^[A-Z]{2}$/.test(input.countryCode)) return 'countryCode';
  return undefined;
}

export function createAccountService(
  deps: CoreDependencies,
  directory: AccountDirectory,
  hooks: AccountHooks,
): AccountService {
  const { store, clock, random, secrets } = deps;

  const notFound = (what: string) => fail(domainError('notFound', `${what} not found under this account`));

  return {
    async groups(ctx) {
      const entry = await directory.entry(ctx.caller.accountId);
      if (entry === undefined) return notFound('Account');
      const groups = entry.groups.filter((group) => ctx.caller.groupId === null || group.id === ctx.caller.groupId);
      return ok({ groups, organizations: await store.accounts.organizations(ctx.caller.accountId) });
    },

    async organizations(ctx, groupNumber) {
      if (groupNumber !== undefined) {
        const entry = await directory.entry(ctx.caller.accountId);
        const group = entry?.groups.find((one) => one.number === groupNumber);
        if (group === undefined || (ctx.caller.groupId !== null && ctx.caller.groupId !== group.id)) {
          return notFound(`Group ${groupNumber}`);
        }
      }
      return ok(await store.accounts.organizations(ctx.caller.accountId));
    },

    async organization(ctx, number) {
      const organization = await store.accounts.organizationByNumber(ctx.caller.accountId, number);
      if (organization === undefined) return notFound(`Organization ${number}`);
      const { rows } = await store.domains.list({
        accountId: ctx.caller.accountId,
        organizationId: organization.id,
        dcvStatuses: ['verified'],
        statuses: ['active'],
        now: clock.now(),
        sortBy: 'name',
        descending: false,
        offset: 0,
        limit: 1000,
      });
      return ok({ organization, domains: rows.map((domain) => domain.name) });
    },

    async create(ctx, input) {
      const name = input.name.trim();
      if (name === '' || name.length > 200) {
        return fail(domainError('request.invalid', 'An account needs a name of 1 to 200 characters'));
      }
      const now = clock.now();
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const [accountId, groupId, userId] = [await store.nextId(), await store.nextId(), await store.nextId()];
        const account = {
          id: accountId,
          number: randomDigits(random, 10),
          name,
          status: 'active',
          currency: 'USD',
          settings: {
            requireIdempotencyKey: false,
            alwaysReturnRepresentation: false,
            signedKeyTokens: true,
            maySkipCaa: false,
          },
          createdAt: now,
          version: 1,
        } as const;
        const group = {
          id: groupId,
          accountId,
          number: randomDigits(random, 10),
          name: 'Default',
          isDefault: true,
          status: 'active',
          ownBalance: false,
          balance: '0.00',
          productCodes: null,
          createdAt: now,
          version: 1,
        } as const;
        const outcome = await store.write({
          writes: [
            { op: 'insert', table: 'account', row: account },
            { op: 'insert', table: 'group', row: group },
            {
              op: 'insert',
              table: 'user',
              row: {
                id: userId,
                accountId,
                email: input.administratorEmail,
                name: input.administratorName,
                role: 'administrator',
                status: 'active',
                createdAt: now,
                version: 1,
              },
            },
          ],
          audit: [
            auditEntry(ctx, now, {
              activity: 'account.created',
              objectType: 'account',
              objectId: account.number,
              accountId,
              details: { name },
            }),
          ],
        });
        if (outcome.ok) return ok({ account, group, userId });
      }
      return fail(domainError('overloaded', 'No free account number was found; try again', { retryAfterMs: 1000 }));
    },

    async list(_ctx, page) {
      return ok(await store.accounts.list(page));
    },

    async createOrganization(ctx, accountNumber, input) {
      const field = emptyText(input);
      if (field !== undefined) {
        return fail(
          domainError('request.invalid', `Organization ${field} is missing or not valid`, {
            fields: [{ field, message: 'is missing or not valid' }],
          }),
        );
      }
      const account = await store.accounts.byNumber(accountNumber);
      if (account === undefined) return fail(domainError('notFound', `Account ${accountNumber} not found`));
      const now = clock.now();
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const organization: OrganizationRecord = {
          ...input,
          id: await store.nextId(),
          accountId: account.id,
          publicId: randomToken(random, 9),
          number: randomDigits(random, 7),
          status: 'active',
          validation: 'pending',
          vettedFor: [],
          vettedAt: null,
          vettedUntil: null,
          preVettingTokenHash: null,
          agreement: null,
          representatives: [],
          createdAt: now,
          version: 1,
        };
        const outcome = await store.write({
          writes: [{ op: 'insert', table: 'organization', row: organization }],
          audit: [
            auditEntry(ctx, now, {
              activity: 'organization.created',
              objectType: 'organization',
              objectId: organization.number,
              accountId: account.id,
              details: { name: organization.name, countryCode: organization.countryCode },
            }),
          ],
          invalidate: [{ kind: 'account', accountId: account.id }],
        });
        if (outcome.ok) return ok(organization);
      }
      return fail(
        domainError('overloaded', 'No free organization number was found; try again', { retryAfterMs: 1000 }),
      );
    },

    async vet(ctx, organizationNumber, input) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const organization = await store.accounts.findOrganization(organizationNumber);
        if (organization === undefined) {
          return fail(domainError('notFound', `Organization ${organizationNumber} not found`));
        }
        if (organization.status !== 'active') {
          return fail(
            domainError('organization.notVettable', `Organization ${organizationNumber} is ${organization.status}`),
          );
        }
        if (input.decision === 'validated' && input.vettedFor.length === 0) {
          return fail(domainError('request.invalid', 'Say what the organization is vetted for: ov, ev or smime'));
        }
        const now = clock.now();
        const validated = input.decision === 'validated';
        const token = validated && input.preVettingToken ? randomToken(random, 16) : null;
        const set = {
          validation: input.decision,
          vettedFor: validated ? input.vettedFor : [],
          vettedAt: now,
          vettedUntil: validated ? now + VETTING_LIFETIME_MS : null,
          ...(token !== null
            ? { preVettingTokenHash: secrets.keyedHash(token, preVettingContext(organization.id)) }
            : validated
              ? {}
              : { preVettingTokenHash: null }),
        };
        const outcome = await store.write({
          writes: [{ op: 'update', table: 'organization', id: organization.id, version: organization.version, set }],
          audit: [
            auditEntry(ctx, now, {
              activity: validated ? 'organization.vetted' : 'organization.vettingRefused',
              objectType: 'organization',
              objectId: organization.number,
              accountId: organization.accountId,
              details: { vettedFor: set.vettedFor, reason: input.reason, preVettingTokenMade: token !== null },
            }),
          ],
          jobs: [
            {
              kind: 'organization.vetted',
              key: `organization-vetted:${organization.id}`,
              payload: { organizationId: organization.id },
              runAt: now,
            },
          ],
          invalidate: [{ kind: 'account', accountId: organization.accountId }],
        });
        if (!outcome.ok) continue;
        await hooks.onVetted(organization.id);
        return ok({
          organization: { ...organization, ...set, version: organization.version + 1 },
          preVettingToken: token,
        });
      }
      return fail(domainError('conflict', 'The organization is being changed by somebody else; try again'));
    },
  };
}
