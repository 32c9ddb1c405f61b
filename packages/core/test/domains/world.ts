/** Domain use cases over a real store in a folder of its own; clock, network and orders are the test's. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
  CallContext,
  CoreDependencies,
  DomainRecord,
  KeyVault,
  OrderPhase,
  OrderRecord,
  OrderView,
  OrganizationRecord,
  ProductRecord,
  Role,
} from '@certwright/core';
import { fail, ok } from '@certwright/pki';
import { openSqliteStore } from '@certwright/store';
import { createDomainService } from '../../src/domains/domains.ts';
import { createDomainRegister } from '../../src/domains/registration.ts';
import { domainError } from '../../src/errors.ts';
import { createJobRunner } from '../../src/jobs/runner.ts';
import { FakeMailer, type FakePerspective, fakePerspective, fakePublicSuffix } from '../support/network.ts';

export const START = Date.UTC(2026, 10, 24, 13, 30);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const ACCOUNT = 1_000_001;
export const OTHER_ACCOUNT = 1_000_002;

const absent = () => Promise.reject(new Error('no keys in these tests'));
const vault: KeyVault = { sign: absent, generate: absent, import: absent };

export interface World {
  readonly deps: CoreDependencies & { readonly mailer: FakeMailer };
  readonly clock: { time: number; now(): number };
  readonly primary: FakePerspective;
  readonly service: ReturnType<typeof createDomainService>;
  readonly register: ReturnType<typeof createDomainRegister>;
  readonly ctx: CallContext;
  readonly settings: { mode: 'real' | 'accept' };
  /** Ids told to the orders, in order. */
  readonly told: number[];
  context(role?: Role, accountId?: number): CallContext;
  organization(number: string, accountId?: number): Promise<OrganizationRecord>;
  /** Registers the names as an order does, commits, and has `service` find the order by `number`. */
  order(number: string, names: readonly string[], organizationId?: number | null): Promise<readonly DomainRecord[]>;
  setPhase(number: string, phase: OrderPhase): void;
  row(id: number): Promise<DomainRecord>;
  /** Runs what is due by the clock. */
  runJobs(): Promise<number>;
  /** Activities of the audit trail about an object, oldest first. */
  activities(objectId: string): Promise<string[]>;
}

export async function createWorld(t: TestContext, perspectives = [fakePerspective('primary')]): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'domains-'));
  const store = await openSqliteStore({ directory: folder });
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const [primary, ...remotes] = perspectives;
  if (primary === undefined) throw new Error('a perspective is needed');
  const clock = { time: START, now: () => clock.time };
  const settings: World['settings'] = { mode: 'real' };
  const mailer = new FakeMailer();
  const deps: World['deps'] = {
    store,
    clock,
    wallClock: clock,
    random: { bytes: (length) => randomBytes(length) },
    vault,
    secrets: {
      seal: (plaintext) => plaintext,
      open: (sealed) => sealed,
      keyedHash: (secret, context) => createHash('sha256').update(`${context}\n${secret}`).digest('hex'),
    },
    perspectives: [primary, ...remotes],
    mailer,
    publicSuffix: fakePublicSuffix,
    settings: {
      publicUrl: 'https://ca.test:8440',
      publicHttpUrl: 'http://ca.test:8442',
      caaIdentities: ['ca.test'],
      validationMode: () => settings.mode,
      domainReuseDays: 200,
      ocspLifetimeMs: DAY,
      ocspCacheEntries: 10,
      keyChecks: {},
      acceptAnyCaProfile: false,
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };

  const orders = new Map<string, { order: OrderRecord; phase: OrderPhase }>();
  const told: number[] = [];
  const service = createDomainService(deps, {
    orders: {
      async get(ctx, _family, number) {
        const known = orders.get(number);
        if (known === undefined || known.order.accountId !== ctx.caller.accountId) {
          return fail(domainError('notFound', 'no such order'));
        }
        const ids = known.order.names.flatMap((name) => (name.domainId === null ? [] : [name.domainId]));
        return ok(orderView(known.order, known.phase, await store.domains.byIds(ids)));
      },
      advance: () => Promise.resolve(),
    },
    onVerified: async (ids) => {
      told.push(...ids);
    },
  });
  const register = createDomainRegister(deps);
  const runner = createJobRunner(deps, service.jobs, []);

  function context(role: Role = 'administrator', accountId = ACCOUNT): CallContext {
    return {
      caller: {
        accountId,
        accountNumber: String(accountId),
        credentialId: 5,
        userId: 6,
        role,
        groupId: null,
        tokenAuthType: 'oauth2',
        settings: accountSettings,
      },
      origin: { channel: 'rest-v2', requestId: 'r', ip: '192.0.2.1', originator: 'test' },
    };
  }

  for (const id of [ACCOUNT, OTHER_ACCOUNT]) {
    await store.write({
      bookkeeping: 'test',
      writes: [
        {
          op: 'insert',
          table: 'account',
          row: {
            id,
            number: String(id),
            name: `Account ${id}`,
            status: 'active',
            currency: 'USD',
            settings: accountSettings,
            createdAt: START,
            version: 1,
          },
        },
      ],
    });
  }

  const ctx = context();
  return {
    deps,
    clock,
    primary,
    service,
    register,
    ctx,
    settings,
    told,
    context,

    async organization(number, accountId = ACCOUNT) {
      const row = organizationRow(await store.nextId(), accountId, number);
      await store.write({ bookkeeping: 'test', writes: [{ op: 'insert', table: 'organization', row }] });
      return row;
    },

    async order(number, names, organizationId = null) {
      const registered = await register.registerForOrder({
        accountId: ACCOUNT,
        organizationId,
        names,
        ctx,
        now: clock.now(),
      });
      if (!registered.ok) throw new Error(registered.error.code);
      const { domains, writes, audit } = registered.value;
      const [first, ...rest] = audit;
      if (first !== undefined) {
        const outcome = await store.write({ writes, audit: [first, ...rest] });
        if (!outcome.ok) throw new Error(outcome.error.kind);
      }
      const order = orderRow(
        number,
        names.map((value, index) => ({ kind: 'dns', value, domainId: domains[index]?.id ?? null })),
      );
      orders.set(number, { order, phase: 'dcv' });
      return domains;
    },

    setPhase(number, phase) {
      const known = orders.get(number);
      if (known !== undefined) known.phase = phase;
    },

    async row(id) {
      const row = await store.domains.byId(id);
      if (row === undefined) throw new Error('no such row');
      return row;
    },

    runJobs: () => runner.runDue(),

    async activities(objectId) {
      const page = await store.audit.search({ accountId: null, objectId }, { limit: 200 });
      const rows = [...page.rows].sort((a, b) => a.sequence - b.sequence);
      return rows.map((entry) => entry.activity);
    },
  };
}

const accountSettings = {
  requireIdempotencyKey: false,
  alwaysReturnRepresentation: false,
  signedKeyTokens: true,
  maySkipCaa: false,
};

function organizationRow(id: number, accountId: number, number: string): OrganizationRecord {
  return {
    id,
    accountId,
    publicId: `org${number}`,
    number,
    name: `Organization ${number}`,
    street1: '',
    street2: '',
    locality: '',
    stateName: '',
    stateCode: '',
    postalCode: '',
    countryCode: 'US',
    registrationNumber: '',
    jurisdictionCountry: '',
    businessCategory: '',
    status: 'active',
    validation: 'validated',
    vettedFor: [],
    vettedAt: null,
    vettedUntil: null,
    preVettingTokenHash: null,
    agreement: null,
    representatives: [],
    createdAt: START,
    version: 1,
  };
}

function orderRow(number: string, names: OrderRecord['names']): OrderRecord {
  const nobody = { name: '', email: '', phone: '', designation: '' };
  return {
    id: 1,
    accountId: ACCOUNT,
    groupId: 1,
    number,
    requestNumber: number,
    family: 'ssl',
    productId: 1,
    productCode: '838',
    level: 'dv',
    lifecycle: 'open',
    phase: 'dcv',
    requirements: [],
    names,
    label: names[0]?.value ?? '',
    organizationId: null,
    csr: null,
    details: {
      requestor: nobody,
      technicalContact: null,
      delegation: null,
      emailNotifications: 'none',
      recipientEmails: [],
      tags: [],
      customFields: [],
      remarks: '',
      correlation: '',
      variant: 'dv',
      autoSecureWww: false,
      subject: null,
      draft: null,
      closingReason: '',
      attested: false,
    },
    subscriptionId: 1,
    originalOrderId: null,
    certificateId: null,
    originator: 'test',
    credentialId: null,
    createdAt: START,
    issuedAt: null,
    closedAt: null,
    version: 1,
  };
}

/** As much of a view as the domain use cases look at. */
function orderView(order: OrderRecord, phase: OrderPhase, domains: readonly DomainRecord[]): OrderView {
  const product: Partial<ProductRecord> = { id: 1, code: '838' };
  return {
    order,
    product: product as ProductRecord,
    subscription: {
      id: 1,
      accountId: ACCOUNT,
      years: 1,
      startsAt: START,
      endsAt: START + 365 * DAY,
      autoRenew: false,
      renewBeforeDays: 30,
      successors: 0,
      version: 1,
    },
    certificate: null,
    domains,
    organization: null,
    originalNumber: null,
    phase,
  };
}
