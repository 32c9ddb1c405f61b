/** What a sandbox has from its first moment: accounts, a vetted organization, credentials. */
import type { Core, DomainError, OperatorContext, OrganizationInput, Store } from '@certwright/core';
import type { Result } from '@certwright/pki';

/** Numbers and secrets of one account, as the ready line shows them. */
export interface PreloadedCredentials {
  readonly accountNumber: string;
  /** For OAuth: the account number. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly accessKey: string;
}

export interface Preloaded extends PreloadedCredentials {
  readonly groupNumber: string;
  readonly organizationNumber: string;
  readonly preVettingToken: string;
  /** Bearer token of an administrator's credential, for the management API. */
  readonly adminToken: string;
  readonly second: PreloadedCredentials;
}

const BALANCE = '10000000.00';
/** The ready line's token works as long as the sandbox does. */
const ADMIN_TOKEN_LIFETIME_MS = 10 * 365 * 86_400_000;

const ORGANIZATION: OrganizationInput = {
  name: 'Example Organization Ltd',
  street1: '1 Example Street',
  street2: '',
  locality: 'London',
  stateName: 'England',
  stateCode: 'ENG',
  postalCode: 'EC1A 1AA',
  countryCode: 'GB',
  registrationNumber: '01234567',
  jurisdictionCountry: 'GB',
  businessCategory: 'Private Organization',
};

interface PreloadOptions {
  readonly core: Pick<Core, 'accounts' | 'credentials'>;
  readonly store: Store;
  readonly operator: OperatorContext;
  readonly wallNow: () => number;
}

/** Makes both accounts on an empty platform. Throws when the core refuses, which would be a bug. */
export async function preload(options: PreloadOptions): Promise<Preloaded> {
  const { core, operator } = options;
  const first = await makeAccount(options, 'Sandbox');
  const organization = expect(await core.accounts.createOrganization(operator, first.accountNumber, ORGANIZATION));
  const vetted = expect(
    await core.accounts.vet(operator, organization.number, {
      decision: 'validated',
      vettedFor: ['ov', 'ev', 'smime'],
      preVettingToken: true,
      reason: 'preloaded',
    }),
  );
  if (vetted.preVettingToken === null) throw new Error('vetting gave no token');
  const { groupNumber: _, ...second } = await makeAccount(options, 'Sandbox, second account');
  return {
    ...first,
    organizationNumber: organization.number,
    preVettingToken: vetted.preVettingToken,
    adminToken: await makeAdminToken(options, first.accountNumber),
    second,
  };
}

async function makeAccount(
  { core, store, operator }: PreloadOptions,
  name: string,
): Promise<PreloadedCredentials & { readonly groupNumber: string }> {
  const { account, group } = expect(
    await core.accounts.create(operator, {
      name,
      administratorName: 'Sandbox administrator',
      administratorEmail: 'administrator@sandbox.example',
    }),
  );
  const funded = await store.write({
    writes: [
      {
        op: 'update',
        table: 'group',
        id: group.id,
        version: group.version,
        set: { ownBalance: true, balance: BALANCE },
      },
    ],
    bookkeeping: 'balance of the sandbox',
    invalidate: [{ kind: 'account', accountId: account.id }],
  });
  if (!funded.ok) throw new Error('the sandbox’s group could not be given its balance');
  const secret = async (authType: 'oauth' | 'accessKey'): Promise<string> =>
    expect(await core.credentials.create(operator, { accountNumber: account.number, authType, label: 'sandbox' }))
      .secret;
  return {
    accountNumber: account.number,
    groupNumber: group.number,
    clientId: account.number,
    clientSecret: await secret('oauth'),
    accessKey: await secret('accessKey'),
  };
}

/** A credential of its own, so that nothing a test does to the account's others spends the token. */
async function makeAdminToken(
  { core, store, operator, wallNow }: PreloadOptions,
  accountNumber: string,
): Promise<string> {
  const created = await core.credentials.create(operator, {
    accountNumber,
    authType: 'oauth',
    label: 'administration',
  });
  const { credential, secret } = expect(created);
  const { accessToken } = expect(await core.credentials.tokenByClientSecret(operator.origin, accountNumber, secret));
  const [token] = await store.credentials.liveTokens(credential.id);
  if (token === undefined) throw new Error('the administration token is not on record');
  const expiresAt = wallNow() + ADMIN_TOKEN_LIFETIME_MS;
  const prolonged = await store.write({
    writes: [
      {
        op: 'update',
        table: 'token',
        id: token.id,
        version: token.version,
        set: { expiresAt, refreshExpiresAt: expiresAt },
      },
    ],
    bookkeeping: 'lifetime of the sandbox’s administration token',
    invalidate: [{ kind: 'token', accessHash: token.accessHash }],
  });
  if (!prolonged.ok) throw new Error('the administration token could not be prolonged');
  return accessToken;
}

function expect<T>(outcome: Result<T, DomainError>): T {
  if (!outcome.ok) throw new Error(`the sandbox cannot be preloaded: ${outcome.error.detail}`);
  return outcome.value;
}
