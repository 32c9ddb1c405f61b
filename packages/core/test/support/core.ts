/** A whole core over a real store and a real key vault; clock and network are the test's. */
import assert from 'node:assert/strict';
import { type KeyObject, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
  CallContext,
  Core,
  CoreDependencies,
  DomainError,
  OperatorContext,
  OrderView,
  PrivatePkiOrderRequest,
  Signer,
  SslOrderRequest,
} from '@certwright/core';
import { createCore } from '@certwright/core';
import { createCsr, generateKey, nameOf, type Result } from '@certwright/pki';
import { openSqliteStore } from '@certwright/store';
import { createKeyVault, createSecretBox, platformKey } from '../../../server/src/adapters/vault/index.ts';
import { FakeMailer, type FakePerspective, fakePerspective } from './network.ts';

export const START = Date.UTC(2026, 10, 24, 13, 30);

export interface Movable {
  time: number;
  now(): number;
}

const movable = (): Movable => ({
  time: START,
  now() {
    return this.time;
  },
});

export interface TestAccount {
  readonly number: string;
  readonly oauthSecret: string;
  readonly accessKey: string;
  readonly ctx: CallContext;
}

export interface TestCore {
  readonly core: Core;
  readonly store: CoreDependencies['store'];
  readonly clock: Movable;
  readonly wallClock: Movable;
  readonly network: FakePerspective;
  readonly mailer: FakeMailer;
  readonly operator: OperatorContext;
  /** Set to let the signer fail, as an unreachable HSM does. */
  readonly signer: { broken: boolean };
  account(name: string): Promise<TestAccount>;
  /** Activities in the audit trail about an object, oldest first. */
  activities(objectId: string): Promise<string[]>;
}

export const origin = { channel: 'rest-v2', requestId: 'req-1', ip: '192.0.2.1', originator: 'CERTInext API' } as const;

export async function createTestCore(t: TestContext): Promise<TestCore> {
  const directory = await mkdtemp(join(tmpdir(), 'certwright-core-'));
  const store = await openSqliteStore({ directory });
  const clock = movable();
  const wallClock = movable();
  const network = fakePerspective('primary');
  const mailer = new FakeMailer();
  const secrets = createSecretBox(platformKey(randomBytes(32)));
  const vault = createKeyVault({ secrets, load: (id) => store.authorities.key(id) });
  const signer = { broken: false };
  const sign: Signer['sign'] = (permit) =>
    signer.broken && permit.purpose === 'certificate'
      ? Promise.reject(new Error('the HSM does not answer'))
      : vault.sign(permit);
  const core = createCore({
    store,
    clock,
    wallClock,
    random: { bytes: (length) => randomBytes(length) },
    vault: { generate: (algorithm) => vault.generate(algorithm), import: (pkcs8) => vault.import(pkcs8), sign },
    secrets,
    perspectives: [network],
    mailer,
    publicSuffix: (name) => ({ isSuffix: !name.includes('.'), registrable: name.split('.').slice(-2).join('.') }),
    settings: {
      publicUrl: 'https://ca.test:8440',
      publicHttpUrl: 'http://ca.test:8442',
      caaIdentities: ['ca.test'],
      validationMode: () => 'real',
      domainReuseDays: 200,
      ocspLifetimeMs: 86_400_000,
      ocspCacheEntries: 100,
      keyChecks: {},
      acceptAnyCaProfile: false,
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  t.after(async () => {
    await core.jobs.stop();
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });
  await core.authorities.bootstrap({
    name: 'Test',
    keyAlgorithm: 'ec-p256',
    crl: { partitions: 1, lifetimeMs: 7 * 86_400_000 },
  });
  const operator: OperatorContext = { operator: 'tester', origin: { ...origin, channel: 'manage' } };

  return {
    core,
    store,
    clock,
    wallClock,
    network,
    mailer,
    operator,
    signer,

    async account(name) {
      const made = must(
        await core.accounts.create(operator, {
          name,
          administratorName: name,
          administratorEmail: `${name}@test.example`,
        }),
      );
      const { number } = made.account;
      const oauth = must(
        await core.credentials.create(operator, { accountNumber: number, authType: 'oauth', label: 'o' }),
      );
      const key = must(
        await core.credentials.create(operator, { accountNumber: number, authType: 'accessKey', label: 'k' }),
      );
      const token = must(await core.credentials.tokenByClientSecret(origin, number, oauth.secret));
      const caller = must(await core.credentials.authenticate(token.accessToken));
      return { number, oauthSecret: oauth.secret, accessKey: key.secret, ctx: { caller, origin } };
    },

    async activities(objectId) {
      const page = await store.audit.search({ accountId: null, objectId }, { limit: 200 });
      return [...page.rows].sort((a, b) => a.sequence - b.sequence).map((entry) => entry.activity);
    },
  };
}

/** The value of an outcome that must be good. */
export function must<T>(result: Result<T, DomainError>): T {
  if (!result.ok) assert.fail(`${result.error.code}: ${result.error.detail}`);
  return result.value;
}

/** The code of an outcome that must be a refusal. */
export function refusal<T>(result: Result<T, DomainError>): string {
  assert.ok(!result.ok, 'a refusal was expected');
  return result.error.code;
}

const common = {
  saveAsDraft: false,
  requestor: { name: 'Mira Holt', email: 'mira.holt@northwind.example', phone: '', designation: '' },
  technicalContact: null,
  delegation: null,
  emailNotifications: 'all',
  recipientEmails: [],
  tags: [],
  customFields: [],
  remarks: '',
  subscription: { years: 1, autoRenew: true, renewBeforeDays: 30 },
  attested: false,
} as const;

export const sslRequest = (domain: string, more: Partial<SslOrderRequest> = {}): SslOrderRequest => ({
  ...common,
  family: 'ssl',
  variant: 'dv',
  domain,
  additionalDomains: [],
  autoSecureWww: false,
  ...more,
});

export const privateRequest = (
  hostname: string,
  more: Partial<PrivatePkiOrderRequest> = {},
): PrivatePkiOrderRequest => ({
  ...common,
  family: 'private-pki',
  variant: 'intranet-ssl',
  hostname,
  additionalHosts: [],
  ...more,
});

export const agreement = { signerName: 'Mira Holt', signerPlace: 'Portland, ME', accepted: true } as const;

let sharedKey: Promise<KeyObject> | undefined;

/** A CSR for the name; one key for all tests of a file. */
export async function csrFor(commonName: string): Promise<string> {
  sharedKey ??= generateKey('ec-p256').then((made) => made.privateKey);
  return createCsr({ subject: nameOf(['CN', commonName]), key: await sharedKey });
}

/** Publishes the DNS challenge of an order's name and has it verified. */
export async function proveDomain(test: TestCore, ctx: CallContext, view: OrderView, domain: string): Promise<void> {
  const number = view.order.number ?? '';
  const { asked } = must(await test.core.domains.orderChallenges(ctx, number, domain, 'dns-txt'));
  test.network.resolver.txt(asked.recordName ?? '', asked.challenge?.token ?? '');
  must(await test.core.domains.verifyForOrder(ctx, number, { domain, method: 'dns-txt' }));
}
