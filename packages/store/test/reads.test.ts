import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Write } from '@certwright/core';
import type { CertwrightStore } from '@certwright/store';
import {
  account,
  ca,
  certificate,
  credential,
  domain,
  order,
  organization,
  product,
  serialOf,
  subscription,
  T0,
  token,
} from './records.ts';
import { describeStores } from './stores.ts';

const DAY = 86_400_000;

async function insert(store: CertwrightStore, ...writes: Write[]): Promise<void> {
  assert.deepEqual(await store.write({ bookkeeping: 'test', writes }), { ok: true });
}

const ids = (rows: readonly { readonly id: number }[]): readonly number[] => rows.map(({ id }) => id);

describeStores('Reads', (current) => {
  it('finds accounts and what belongs to them', async () => {
    const store = await current().open();
    const group = {
      id: 1,
      accountId: 1,
      number: '0000000007',
      name: 'Default',
      isDefault: true,
      status: 'active',
      ownBalance: false,
      balance: '0.00',
      productCodes: null,
      createdAt: T0,
      version: 1,
    } as const;
    const user = {
      id: 1,
      accountId: 1,
      email: 'a@example.com',
      name: 'A',
      role: 'administrator',
      status: 'active',
      createdAt: T0,
      version: 1,
    } as const;
    await insert(
      store,
      { op: 'insert', table: 'account', row: account(1) },
      { op: 'insert', table: 'account', row: account(2) },
      { op: 'insert', table: 'group', row: group },
      { op: 'insert', table: 'group', row: { ...group, id: 2, number: '8', productCodes: ['842'], isDefault: false } },
      { op: 'insert', table: 'user', row: user },
      { op: 'insert', table: 'organization', row: organization(5) },
      { op: 'insert', table: 'organization', row: organization(6, { accountId: 2 }) },
    );
    assert.deepEqual(await store.accounts.byNumber(account(1).number), account(1));
    assert.equal(await store.accounts.byNumber('none'), undefined);
    const groups = await store.accounts.groups(1);
    assert.deepEqual(groups[0], group);
    assert.deepEqual(groups[1]?.productCodes, ['842']);
    assert.deepEqual(await store.accounts.users(1), [user]);
    assert.deepEqual(await store.accounts.userById(1), user);
    assert.deepEqual(ids(await store.accounts.organizations(1)), [5]);
    assert.equal((await store.accounts.organizationByNumber(1, organization(5).number))?.id, 5);
    assert.equal(await store.accounts.organizationByNumber(2, organization(5).number), undefined);
    assert.equal((await store.accounts.findOrganization(organization(6).number))?.id, 6);
  });

  it('finds products of the platform and of the account, by code', async () => {
    const store = await current().open();
    await insert(
      store,
      { op: 'insert', table: 'product', row: product(1, { code: '900' }) },
      { op: 'insert', table: 'product', row: product(2, { code: '842', status: 'retired' }) },
      { op: 'insert', table: 'product', row: product(3, { code: '870', accountId: 1 }) },
      { op: 'insert', table: 'product', row: product(4, { code: '871', accountId: 2 }) },
    );
    assert.deepEqual(
      (await store.products.forAccount(1)).map(({ code }) => code),
      ['842', '870', '900'],
    );
  });

  it('finds credentials and tokens', async () => {
    const store = await current().open();
    await insert(
      store,
      { op: 'insert', table: 'credential', row: credential(1) },
      { op: 'insert', table: 'credential', row: credential(2, { accountId: 2, sealedSecret: null }) },
      { op: 'insert', table: 'token', row: token(1) },
      { op: 'insert', table: 'token', row: token(2, { familyId: 1, state: 'spent' }) },
      { op: 'insert', table: 'token', row: token(3, { credentialId: 2 }) },
    );
    assert.deepEqual(await store.credentials.byId(1), credential(1));
    assert.deepEqual(ids(await store.credentials.ofAccount(2)), [2]);
    assert.deepEqual(await store.credentials.tokenByAccessHash('access-1'), token(1));
    assert.equal((await store.credentials.tokenByRefreshHash('refresh-3'))?.id, 3);
    assert.equal(await store.credentials.tokenByRefreshHash('access-3'), undefined);
    assert.deepEqual(ids(await store.credentials.tokensOfFamily(1)), [1, 2]);
    assert.deepEqual(ids(await store.credentials.liveTokens(1)), [1]);
  });

  it('finds orders and those that wait', async () => {
    const store = await current().open();
    await insert(
      store,
      { op: 'insert', table: 'order', row: order(1, { organizationId: 5, phase: 'organization' }) },
      { op: 'insert', table: 'order', row: order(2, { organizationId: 5, phase: 'issued' }) },
      { op: 'insert', table: 'order', row: order(3, { organizationId: 5, phase: 'organization' }) },
      { op: 'insert', table: 'subscription', row: subscription(1) },
      { op: 'insert', table: 'orderDomain', row: { id: 1, orderId: 1, domainId: 8 } },
      { op: 'insert', table: 'orderDomain', row: { id: 2, orderId: 3, domainId: 8 } },
      { op: 'insert', table: 'orderDomain', row: { id: 3, orderId: 3, domainId: 9 } },
    );
    assert.equal((await store.orders.byNumber(order(2).number ?? ''))?.id, 2);
    assert.equal((await store.orders.byRequestNumber(1, order(3).requestNumber))?.id, 3);
    assert.equal(await store.orders.byRequestNumber(2, order(3).requestNumber), undefined);
    assert.deepEqual(await store.orders.subscription(1), subscription(1));
    assert.deepEqual(await store.orders.waitingForOrganization(5, 0, 10), [1, 3]);
    assert.deepEqual(await store.orders.waitingForOrganization(5, 1, 10), [3]);
    assert.deepEqual(ids(await store.orders.waitingForDomain(8, 0, 1)), [1]);
    assert.deepEqual(ids(await store.orders.waitingForDomain(8, 1, 5)), [2]);
    assert.deepEqual(ids(await store.orders.domainLinks(3)), [2, 3]);
  });

  it('finds domains by name, below a name, by inheritance', async () => {
    const store = await current().open();
    const names = [
      'example.com',
      'a.example.com',
      '*.example.com',
      'example-shop.com',
      'b.a.example.com',
      'xexample.com',
    ];
    await insert(
      store,
      ...names.map((name, at): Write => ({ op: 'insert', table: 'domain', row: domain(at + 1, { name }) })),
      {
        op: 'insert',
        table: 'domain',
        row: domain(10, { name: 'c.example.com', organizationId: 3, inheritedFrom: 1 }),
      },
      { op: 'insert', table: 'domain', row: domain(11, { name: 'example.com', organizationId: 3 }) },
      { op: 'insert', table: 'domain', row: domain(12, { name: 'example.com', accountId: 2 }) },
    );
    assert.deepEqual(ids(await store.domains.byNames(1, ['example.com', 'a.example.com', 'none'])), [1, 2, 11]);
    assert.deepEqual(await store.domains.byNames(1, []), []);
    assert.deepEqual(ids(await store.domains.byIds([12, 1, 1, 999])), [1, 12]);
    assert.deepEqual(ids(await store.domains.below(1, null, 'example.com', 0, 10)), [2, 3, 5]);
    assert.deepEqual(ids(await store.domains.below(1, null, 'example.com', 2, 1)), [3]);
    assert.deepEqual(ids(await store.domains.below(1, 3, 'example.com', 0, 10)), [10]);
    assert.deepEqual(ids(await store.domains.children(1, 0, 10)), [10]);
    assert.equal(await store.domains.byPublicId(2, 'domain-1'), undefined);
  });

  it('lists domains by every filter and order, with the total', async () => {
    const store = await current().open();
    const rows = [
      domain(1, {
        name: 'b.example.com',
        dcvStatus: 'verified',
        validTill: T0 + DAY,
        verifiedAt: T0,
        organizationId: 4,
      }),
      domain(2, { name: 'a.example.com', dcvStatus: 'verified', validTill: T0 - 1, verifiedAt: T0 - 5 }),
      domain(3, { name: 'c%d.example.net', status: 'inactive' }),
      domain(4, { name: 'cxd.example.net', dcvStatus: 'rejected', method: 'http-url' }),
    ];
    await insert(store, ...rows.map((row): Write => ({ op: 'insert', table: 'domain', row })));
    await insert(store, { op: 'insert', table: 'domain', row: domain(9, { accountId: 2 }) });
    type Filter = Parameters<typeof store.domains.list>[0];
    const list = async (filter: Partial<Filter>) => {
      const page = await store.domains.list({
        accountId: 1,
        now: T0,
        sortBy: 'createdAt',
        descending: false,
        offset: 0,
        limit: 10,
        ...filter,
      });
      assert.ok(page.total >= page.rows.length);
      return ids(page.rows);
    };
    assert.deepEqual(await list({}), [1, 2, 3, 4]);
    assert.deepEqual(await list({ descending: true, offset: 1, limit: 2 }), [3, 2]);
    assert.deepEqual(await list({ sortBy: 'name' }), [2, 1, 3, 4]);
    assert.deepEqual(await list({ sortBy: 'validTill' }), [3, 4, 2, 1]);
    assert.deepEqual(await list({ sortBy: 'verifiedAt', descending: true }), [1, 2, 4, 3]);
    assert.deepEqual(await list({ statuses: ['active'] }), [1, 4]);
    assert.deepEqual(await list({ statuses: ['expired', 'inactive'] }), [2, 3]);
    assert.deepEqual(await list({ dcvStatuses: ['verified', 'rejected'] }), [1, 2, 4]);
    assert.deepEqual(await list({ methods: ['http-url'] }), [4]);
    assert.deepEqual(await list({ methods: [] }), []);
    assert.deepEqual(await list({ search: 'EXAMPLE.NET' }), [3, 4]);
    assert.deepEqual(await list({ search: 'c%d' }), [3]);
    assert.deepEqual(await list({ search: 'a.example.com', exact: true }), [2]);
    assert.deepEqual(await list({ search: 'example.com', exact: true }), []);
    assert.deepEqual(await list({ organizationId: 4 }), [1]);
    assert.deepEqual(await list({ createdFrom: T0 + 2, createdBefore: T0 + 4 }), [2, 3]);
  });

  it('finds attempts, newest first, and mail approvals', async () => {
    const store = await current().open();
    const attempt = (id: number, domainId: number) => ({
      id,
      accountId: 1,
      domainId,
      method: 'dns-txt' as const,
      outcome: 'failed' as const,
      failureClass: 'timeout',
      diagnostics: { tokenIsStale: false, expected: { recordNames: [], value: 'v', url: null }, findings: [] },
      at: T0,
    });
    const approval = {
      id: 1,
      tokenHash: 'h',
      accountId: 1,
      domainId: 2,
      recipient: 'admin@example.com',
      challengeToken: 't',
      requestedAt: T0,
      expiresAt: T0 + 1,
      approvedAt: null,
      version: 1,
    };
    await insert(
      store,
      ...[1, 2, 3].map((id): Write => ({ op: 'insert', table: 'attempt', row: attempt(id, 2) })),
      { op: 'insert', table: 'attempt', row: attempt(4, 5) },
      { op: 'insert', table: 'mailApproval', row: approval },
    );
    const page = await store.domains.attempts(2, 1, 1);
    assert.deepEqual([page.total, ids(page.rows)], [3, [2]]);
    assert.equal((await store.domains.lastAttempt(2))?.id, 3);
    assert.deepEqual(await store.domains.attempt(2, 1), attempt(1, 2));
    assert.equal(await store.domains.attempt(5, 1), undefined);
    assert.deepEqual(await store.domains.mailApprovalByToken('h'), approval);
    assert.deepEqual(await store.domains.mailApprovalsOf(2), [approval]);
  });

  it('finds the status of a certificate and what was left unfinished', async () => {
    const store = await current().open();
    await insert(
      store,
      { op: 'insert', table: 'certificate', row: certificate(1, { leaseUntil: T0 }) },
      { op: 'insert', table: 'certificate', row: certificate(2, { leaseUntil: T0 + 50 }) },
      {
        op: 'insert',
        table: 'certificate',
        row: certificate(3, { state: 'revoked', revokedAt: T0, revocationReason: 'keyCompromise', leaseUntil: T0 }),
      },
    );
    assert.deepEqual(await store.certificates.status(1, serialOf(3)), {
      certificateId: 3,
      state: 'revoked',
      notAfter: certificate(3).notAfter,
      revokedAt: T0,
      revocationReason: 'keyCompromise',
    });
    assert.equal(await store.certificates.status(2, serialOf(3)), undefined);
    assert.deepEqual(ids(await store.certificates.unfinished(T0 + 50, 10)), [1]);
  });

  it('finds authorities, responders and the newest CRLs', async () => {
    const store = await current().open();
    const crl = (id: number, number: number, size: number | null) => ({
      id,
      caId: 1,
      partition: 0,
      number,
      tbsSha256: 'ab'.repeat(32),
      size,
      entries: 1,
      thisUpdate: T0,
      nextUpdate: T0 + 1,
      createdAt: T0,
      version: 1,
    });
    const piece = (id: number, crlId: number, position: number, octets: readonly number[]): Write => ({
      op: 'insert',
      table: 'crlPiece',
      row: { id, crlId, position, octets: Uint8Array.from(octets) },
    });
    const responder = (id: number) => ({
      id,
      caId: 1,
      keyId: 1,
      certificateId: 1,
      der: null,
      notBefore: T0,
      notAfter: T0,
      createdAt: T0,
      version: 1,
    });
    const key = {
      id: 1,
      algorithm: 'ec-p256',
      spki: Uint8Array.of(1),
      sealedPrivateKey: Uint8Array.of(2),
      createdAt: T0,
    } as const;
    await insert(
      store,
      { op: 'insert', table: 'ca', row: ca(1) },
      { op: 'insert', table: 'key', row: key },
      { op: 'insert', table: 'responder', row: responder(1) },
      { op: 'insert', table: 'responder', row: responder(2) },
      { op: 'insert', table: 'crl', row: crl(1, 1, 1) },
      { op: 'insert', table: 'crl', row: crl(2, 2, 5) },
      { op: 'insert', table: 'crl', row: crl(3, 3, null) },
      piece(11, 1, 0, [1]),
      piece(22, 2, 1, [4, 5]),
      piece(21, 2, 0, [1, 2, 3]),
      // of a CRL whose row is gone
      piece(91, 9, 0, [1]),
    );
    assert.deepEqual(await store.authorities.list(), [ca(1)]);
    assert.deepEqual(await store.authorities.key(1), key);
    assert.deepEqual(ids(await store.authorities.responders(1)), [2, 1]);
    assert.equal((await store.authorities.crl(1, 0))?.id, 2);
    assert.equal((await store.authorities.lastCrl(1, 0))?.id, 3);
    assert.deepEqual(await store.authorities.staleCrls(1, 0), { crls: [1], pieces: [11, 91] });
    assert.deepEqual(await store.authorities.crlDer({ id: 2, size: 5 }), Uint8Array.of(1, 2, 3, 4, 5));
    assert.equal(await store.authorities.crlDer({ id: 2, size: 6 }), undefined, 'a piece is missing');
    assert.equal(await store.authorities.crlDer({ id: 2, size: 4 }), undefined, 'more than the CRL has');
    assert.equal(await store.authorities.crlDer({ id: 3, size: null }), undefined);
    assert.equal(await store.authorities.crl(1, 1), undefined);
  });

  it('streams revoked certificates of a partition or of all, as of the start', async () => {
    const store = await current().open();
    const rows = Array.from({ length: 5_000 }, (_, at) => {
      const id = at + 1;
      const isRevoked = id % 2 === 0;
      return certificate(id, {
        tbs: null,
        state: isRevoked ? (id % 10 === 0 ? 'hold' : 'revoked') : 'valid',
        crlPartition: (id % 3) + 1,
        revokedAt: isRevoked ? T0 + id : null,
        revocationReason: isRevoked ? (id % 10 === 0 ? 'certificateHold' : 'superseded') : null,
        notAfter: id <= 100 ? T0 : T0 + DAY,
      });
    });
    for (let at = 0; at < rows.length; at += 1_000) {
      await insert(
        store,
        ...rows.slice(at, at + 1_000).map((row): Write => ({ op: 'insert', table: 'certificate', row })),
      );
    }
    const expected = (partition: number, after: number) =>
      rows
        .filter(
          ({ revokedAt, notAfter, crlPartition }) =>
            revokedAt !== null && notAfter >= after && (partition === 0 || crlPartition === partition),
        )
        .map(({ serial }) => serial)
        .sort();
    for (const [partition, after] of [
      [0, 0],
      [0, T0 + 1],
      [2, 0],
      [9, 0],
    ] as const) {
      const found: string[] = [];
      for await (const slice of store.revoked(1, partition, after)) {
        for (const { serial } of slice) found.push(serial.toLowerCase());
      }
      assert.deepEqual(found.sort(), expected(partition, after));
    }
    // what is revoked after the start is not in the list
    let seen = 0;
    for await (const slice of store.revoked(1, 0, 0)) {
      seen += slice.length;
      await insert(store, {
        op: 'insert',
        table: 'certificate',
        row: certificate(10_000 + seen, {
          state: 'revoked',
          revokedAt: T0,
          revocationReason: 'superseded',
          crlPartition: 9,
        }),
      });
    }
    assert.equal(seen, 2_500);
    // a reader that stops early leaves nothing open
    for await (const slice of store.revoked(1, 0, 0)) {
      assert.equal(slice[0]?.reason === 'superseded' || slice[0]?.reason === 'certificateHold', true);
      break;
    }
  });
});
