/** The operations of the management API as data: method, path, scope, schemas and the use case they call. */
import { createPrivateKey } from 'node:crypto';
import type {
  AuditFilter,
  CertificateFilter,
  Core,
  DomainError,
  Instant,
  JobRecord,
  Page,
  PageRequest,
} from '@certwright/core';
import { domainError } from '@certwright/core';
import { fail, ok, type Result } from '@certwright/pki';
import type { Static, TSchema } from 'typebox';
import { type Actor, mayTouch, type Scope } from './actors.ts';
import * as show from './presentation.ts';
import * as wire from './schemas.ts';

/** What the face needs beside the use cases. */
export interface ManageDependencies {
  readonly core: Pick<Core, 'accounts' | 'credentials' | 'orders' | 'authorities' | 'certificates' | 'audit'>;
  readonly now: () => Instant;
  readonly accountNumber: (accountId: number) => Promise<string | undefined>;
  readonly accountId: (accountNumber: string) => Promise<number | undefined>;
  readonly jobs: (page: PageRequest) => Promise<Page<JobRecord>>;
}

interface Input<P, Q, B> {
  readonly actor: Actor;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

interface OperationParts<P extends TSchema, Q extends TSchema, B extends TSchema, A extends TSchema> {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly scope: Scope;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly status: 200 | 201;
  readonly answer: A;
  run(input: Input<Static<P>, Static<Q>, Static<B>>): Promise<Result<Static<A>, DomainError>>;
}

/** An operation whose input has passed its schemas. */
export interface Operation extends Omit<OperationParts<TSchema, TSchema, TSchema, TSchema>, 'run'> {
  run(input: Input<unknown, unknown, unknown>): Promise<Result<unknown, DomainError>>;
}

function operation<P extends TSchema, Q extends TSchema, B extends TSchema, A extends TSchema>(
  parts: OperationParts<P, Q, B, A>,
): Operation {
  // sound because the plugin runs an operation only with what its own schemas have accepted
  return { ...parts, run: (input) => parts.run(input as Input<Static<P>, Static<Q>, Static<B>>) };
}

const pageRequest = ({ limit, cursor, from }: Static<typeof wire.PageQuery>): PageRequest => ({
  limit,
  ...(cursor === undefined ? {} : { cursor }),
  ...(from === undefined ? {} : { from }),
});

const notFound = (what: string) => fail(domainError('notFound', `${what} not found`));

/** Maps the value of a result. */
function map<T, U>(result: Result<T, DomainError>, show: (value: T) => U): Result<U, DomainError> {
  return result.ok ? ok(show(result.value)) : result;
}

/** Lower-case hex without separators and leading zero octets, as serial numbers are kept. */
function normalSerial(text: string): string {
  const hex = text.replaceAll(':', '').toLowerCase();
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return even.replace(/^(00)+(?=..)/, '');
}

export function operations(deps: ManageDependencies): readonly Operation[] {
  const { core, now } = deps;

  /** Account that a list is restricted to: the administrator's own, or the one that the operator names. */
  async function accountFilter(actor: Actor, named: string | undefined): Promise<Result<number | null, DomainError>> {
    if (named !== undefined && !mayTouch(actor, { number: named })) return notFound(`Account ${named}`);
    if (actor.kind === 'administrator') return ok(actor.caller.accountId);
    if (named === undefined) return ok(null);
    const id = await deps.accountId(named);
    return id === undefined ? notFound(`Account ${named}`) : ok(id);
  }

  const numberOf = async (accountId: number): Promise<string> => (await deps.accountNumber(accountId)) ?? '';

  return [
    operation({
      id: 'listAccounts',
      method: 'GET',
      path: '/accounts',
      summary: 'Lists accounts.',
      tag: 'Accounts',
      scope: 'installation',
      query: wire.PageQuery,
      status: 200,
      answer: wire.pageOf(wire.Account),
      async run({ actor, query }) {
        return map(await core.accounts.list(actor.ctx, pageRequest(query)), (page) => show.page(page, show.account));
      },
    }),
    operation({
      id: 'createAccount',
      method: 'POST',
      path: '/accounts',
      summary: 'Makes an account with its default group and administrator.',
      tag: 'Accounts',
      scope: 'installation',
      body: wire.NewAccount,
      status: 201,
      answer: wire.ref(wire.CreatedAccount),
      async run({ actor, body }) {
        return map(await core.accounts.create(actor.ctx, body), ({ account, group }) => ({
          account: show.account(account),
          groupNumber: group.number,
        }));
      },
    }),
    operation({
      id: 'listCredentials',
      method: 'GET',
      path: '/accounts/:number/credentials',
      summary: 'Lists the API credentials of an account.',
      tag: 'Credentials',
      scope: 'account',
      params: wire.Numbered,
      status: 200,
      answer: wire.pageOf(wire.Credential),
      async run({ actor, params }) {
        if (!mayTouch(actor, params)) return notFound(`Account ${params.number}`);
        return map(await core.credentials.list(actor.ctx, params.number), (rows) =>
          show.page({ rows, next: null, previous: null }, show.credential),
        );
      },
    }),
    operation({
      id: 'createCredential',
      method: 'POST',
      path: '/accounts/:number/credentials',
      summary: 'Makes an API credential; its secret is in this answer only.',
      tag: 'Credentials',
      scope: 'account',
      params: wire.Numbered,
      body: wire.NewCredential,
      status: 201,
      answer: wire.ref(wire.CreatedCredential),
      async run({ actor, params, body }) {
        if (!mayTouch(actor, params)) return notFound(`Account ${params.number}`);
        const created = await core.credentials.create(actor.ctx, { accountNumber: params.number, ...body });
        return map(created, ({ credential, secret }) => ({
          credential: show.credential(credential),
          accountNumber: params.number,
          secret,
        }));
      },
    }),
    operation({
      id: 'revokeCredential',
      method: 'POST',
      path: '/credentials/:id/revoke',
      summary: 'Revokes an API credential and its tokens at once.',
      tag: 'Credentials',
      scope: 'account',
      params: wire.Identified,
      status: 200,
      answer: wire.ref(wire.Credential),
      async run({ actor, params }) {
        if (actor.kind === 'administrator') {
          const own = await core.credentials.list(actor.ctx, actor.caller.accountNumber);
          if (!own.ok) return own;
          if (!own.value.some(({ id }) => id === params.id)) return notFound(`Credential ${params.id}`);
        }
        return map(await core.credentials.revoke(actor.ctx, params.id), show.credential);
      },
    }),
    operation({
      id: 'listAuthorities',
      method: 'GET',
      path: '/authorities',
      summary: 'Lists certification authorities.',
      tag: 'Authorities',
      scope: 'installation',
      status: 200,
      answer: wire.pageOf(wire.Authority),
      async run({ actor }) {
        return map(await core.authorities.list(actor.ctx), (rows) =>
          show.page({ rows, next: null, previous: null }, show.authority),
        );
      },
    }),
    operation({
      id: 'importAuthority',
      method: 'POST',
      path: '/authorities',
      summary: 'Takes in an existing CA: certificate, chain and private key.',
      tag: 'Authorities',
      scope: 'installation',
      body: wire.NewAuthority,
      status: 201,
      answer: wire.ref(wire.Authority),
      async run({ actor, body }) {
        const { slug, name, certificate, chain, privateKey, passphrase, crlPartitions, crlLifetimeSeconds } = body;
        let pkcs8: Uint8Array;
        try {
          const key = createPrivateKey({ key: privateKey, ...(passphrase === undefined ? {} : { passphrase }) });
          pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
        } catch {
          return fail(
            domainError(
              'ca.importRefused',
              'The private key cannot be read: give PEM, and the passphrase if it is encrypted',
            ),
          );
        }
        const imported = await core.authorities.import(actor.ctx, {
          slug,
          name,
          certificate,
          chain,
          pkcs8,
          crl: { partitions: crlPartitions, lifetimeMs: crlLifetimeSeconds * 1000 },
        });
        return map(imported, show.authority);
      },
    }),
    operation({
      id: 'listOrders',
      method: 'GET',
      path: '/orders',
      summary: 'Lists orders, newest first.',
      tag: 'Orders',
      scope: 'account',
      query: wire.OrderQuery,
      status: 200,
      answer: wire.pageOf(wire.Order),
      async run({ actor, query }) {
        const { accountNumber: named, phase, family } = query;
        const account = await accountFilter(actor, named);
        if (!account.ok) return account;
        const accountNumber = actor.kind === 'administrator' ? actor.caller.accountNumber : named;
        const listed = await core.orders.list(
          actor.ctx,
          {
            ...(accountNumber === undefined ? {} : { accountNumber }),
            ...(phase === undefined ? {} : { phase }),
            ...(family === undefined ? {} : { family }),
          },
          pageRequest(query),
        );
        if (!listed.ok) return listed;
        const ids = [...new Set(listed.value.rows.map(({ accountId }) => accountId))];
        const numbers = new Map(await Promise.all(ids.map(async (id) => [id, await numberOf(id)] as const)));
        return ok(show.page(listed.value, (row) => show.order(row, numbers.get(row.accountId) ?? '')));
      },
    }),
    operation({
      id: 'getOrder',
      method: 'GET',
      path: '/orders/:number',
      summary: 'Shows an order with its requirements and certificate.',
      tag: 'Orders',
      scope: 'account',
      params: wire.Numbered,
      status: 200,
      answer: wire.ref(wire.OrderDetail),
      async run({ actor, params }) {
        const found = await core.orders.find(actor.ctx, params.number);
        if (!found.ok) return found;
        if (!mayTouch(actor, { id: found.value.order.accountId })) return notFound(`Order ${params.number}`);
        return ok(show.orderDetail(found.value, await numberOf(found.value.order.accountId), now()));
      },
    }),
    operation({
      id: 'approveOrder',
      method: 'POST',
      path: '/orders/:number/approve',
      summary: 'Approves an order that waits for approval; when nothing else is open, the certificate is issued.',
      tag: 'Orders',
      scope: 'installation',
      params: wire.Numbered,
      status: 200,
      answer: wire.ref(wire.OrderDetail),
      async run({ actor, params }) {
        const approved = await core.orders.approve(actor.ctx, params.number);
        if (!approved.ok) return approved;
        return ok(show.orderDetail(approved.value, await numberOf(approved.value.order.accountId), now()));
      },
    }),
    operation({
      id: 'rejectOrder',
      method: 'POST',
      path: '/orders/:number/reject',
      summary: 'Refuses an order for good.',
      tag: 'Orders',
      scope: 'installation',
      params: wire.Numbered,
      body: wire.Reason,
      status: 200,
      answer: wire.ref(wire.OrderDetail),
      async run({ actor, params, body }) {
        const refused = await core.orders.refuse(actor.ctx, params.number, body.reason);
        if (!refused.ok) return refused;
        return ok(show.orderDetail(refused.value, await numberOf(refused.value.order.accountId), now()));
      },
    }),
    operation({
      id: 'createOrganization',
      method: 'POST',
      path: '/accounts/:number/organizations',
      summary: 'Adds an organization to an account; it waits for vetting.',
      tag: 'Organizations',
      scope: 'account',
      params: wire.Numbered,
      body: wire.NewOrganization,
      status: 201,
      answer: wire.ref(wire.Organization),
      async run({ actor, params, body }) {
        if (!mayTouch(actor, params)) return notFound(`Account ${params.number}`);
        return map(await core.accounts.createOrganization(actor.ctx, params.number, body), show.organization);
      },
    }),
    operation({
      id: 'vetOrganization',
      method: 'POST',
      path: '/organizations/:number/vet',
      summary: 'Records the result of vetting; orders that wait for it go on or are rejected.',
      tag: 'Organizations',
      scope: 'installation',
      params: wire.Numbered,
      body: wire.VettingDecision,
      status: 200,
      answer: wire.ref(wire.VettedOrganization),
      async run({ actor, params, body }) {
        return map(await core.accounts.vet(actor.ctx, params.number, body), ({ organization, preVettingToken }) => ({
          organization: show.organization(organization),
          preVettingToken,
        }));
      },
    }),
    operation({
      id: 'searchCertificates',
      method: 'GET',
      path: '/certificates',
      summary: 'Searches certificates by name, serial number, state or expiry.',
      tag: 'Inventory',
      scope: 'account',
      query: wire.CertificateQuery,
      status: 200,
      answer: wire.pageOf(wire.Certificate),
      async run({ actor, query }) {
        const account = await accountFilter(actor, query.accountNumber);
        if (!account.ok) return account;
        const { domain, serial, status, expiresFrom, expiresBefore } = query;
        const filter: CertificateFilter = {
          accountId: account.value,
          now: now(),
          ...(domain === undefined ? {} : { domain: domain.toLowerCase() }),
          ...(serial === undefined ? {} : { serial: normalSerial(serial) }),
          ...(status === undefined ? {} : { status }),
          ...(expiresFrom === undefined ? {} : { expiresFrom: Date.parse(expiresFrom) }),
          ...(expiresBefore === undefined ? {} : { expiresBefore: Date.parse(expiresBefore) }),
        };
        const found = await core.certificates.search(actor.ctx, filter, pageRequest(query));
        return map(found, (page) => show.page(page, (row) => show.certificate(row, filter.now)));
      },
    }),
    operation({
      id: 'searchAudit',
      method: 'GET',
      path: '/audit',
      summary: 'Searches the audit trail, newest first.',
      tag: 'Audit',
      scope: 'account',
      query: wire.AuditQuery,
      status: 200,
      answer: wire.pageOf(wire.AuditEntry),
      async run({ actor, query }) {
        const account = await accountFilter(actor, query.accountNumber);
        if (!account.ok) return account;
        const { activity, objectType, objectId, since, before } = query;
        const filter: AuditFilter = {
          accountId: account.value,
          ...(activity === undefined ? {} : { activity }),
          ...(objectType === undefined ? {} : { objectType }),
          ...(objectId === undefined ? {} : { objectId }),
          ...(since === undefined ? {} : { from: Date.parse(since) }),
          ...(before === undefined ? {} : { before: Date.parse(before) }),
        };
        const found = await core.audit.search(actor.ctx, filter, pageRequest(query));
        return map(found, (page) => show.page(page, show.auditEntry));
      },
    }),
    operation({
      id: 'listJobs',
      method: 'GET',
      path: '/jobs',
      summary: 'Lists background jobs that wait, run or failed.',
      tag: 'System',
      scope: 'installation',
      query: wire.PageQuery,
      status: 200,
      answer: wire.pageOf(wire.Job),
      async run({ query }) {
        return ok(show.page(await deps.jobs(pageRequest(query)), (row) => show.job(row, now())));
      },
    }),
  ];
}
