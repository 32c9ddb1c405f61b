import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Invalidation, StoreUnavailableError, type Write, type WriteSet } from '@certwright/core';
import {
  account,
  audit,
  ca,
  certificate,
  domain,
  order,
  organization,
  product,
  subscription,
  T0,
  token,
} from './records.ts';
import { describeStores } from './stores.ts';

const bookkeeping = (...writes: Write[]): WriteSet => ({ bookkeeping: 'test', writes });

describeStores('Write sets', (current) => {
  it('stores and returns records of every kind of value as they were given', async () => {
    const store = await current().open();
    const rows = {
      organization: organization(2, { agreement: { signerName: 'A', place: 'B', signedAt: T0 }, vettedUntil: T0 }),
      order: order(3, { level: null, csr: new Uint8Array(2_000).map((_, at) => at) }),
      certificate: certificate(4, { names: ['a.example.com', '*.example.com', '192.0.2.1'] }),
      ca: ca(5),
      domain: domain(6),
      product: product(7, { accountId: 1 }),
    };
    assert.deepEqual(
      await store.write(
        bookkeeping(
          { op: 'insert', table: 'organization', row: rows.organization },
          { op: 'insert', table: 'order', row: rows.order },
          { op: 'insert', table: 'certificate', row: rows.certificate },
          { op: 'insert', table: 'ca', row: rows.ca },
          { op: 'insert', table: 'domain', row: rows.domain },
          { op: 'insert', table: 'product', row: rows.product },
        ),
      ),
      { ok: true },
    );
    assert.deepEqual(await store.accounts.organizationById(2), rows.organization);
    assert.deepEqual(await store.orders.byId(3), rows.order);
    assert.deepEqual(await store.certificates.bySerial(1, rows.certificate.serial), rows.certificate);
    assert.deepEqual(await store.authorities.bySlug('ca-5'), rows.ca);
    assert.deepEqual(await store.domains.byPublicId(1, 'domain-6'), rows.domain);
    assert.deepEqual(await store.products.byId(7), rows.product);
  });

  it('raises the version with each compare-and-set and refuses an old one', async () => {
    const store = await current().open();
    await store.write(bookkeeping({ op: 'insert', table: 'account', row: account(1) }));
    const rename = (version: number, name: string) =>
      store.write(bookkeeping({ op: 'update', table: 'account', id: 1, version, set: { name } }));
    assert.deepEqual(await rename(1, 'second'), { ok: true });
    assert.deepEqual(await rename(1, 'lost'), { ok: false, error: { kind: 'conflict', table: 'account', id: 1 } });
    assert.deepEqual(await rename(2, 'third'), { ok: true });
    const { name, version } = (await store.accounts.byId(1)) ?? {};
    assert.deepEqual({ name, version }, { name: 'third', version: 3 });
  });

  it('lets one of many concurrent changes of a row win', async () => {
    const store = await current().open();
    await store.write(bookkeeping({ op: 'insert', table: 'account', row: account(1) }));
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        store.write(bookkeeping({ op: 'update', table: 'account', id: 1, version: 1, set: { name: `n${at}` } })),
      ),
    );
    assert.equal(outcomes.filter((outcome) => outcome.ok).length, 1);
    assert.equal((await store.accounts.byId(1))?.version, 2);
  });

  it('takes changes of one row that follow each other without waiting', async () => {
    const store = await current().open();
    await store.write(bookkeeping({ op: 'insert', table: 'account', row: account(1) }));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        store.write(bookkeeping({ op: 'update', table: 'account', id: 1, version: at + 1, set: { name: `n${at}` } })),
      ),
    );
    assert.ok(outcomes.every((outcome) => outcome.ok));
    assert.equal((await store.accounts.byId(1))?.name, 'n19');
  });

  it('names the unique value that was taken', async () => {
    const store = await current().open();
    const insert = (write: Write) => store.write(bookkeeping(write));
    const cases: readonly (readonly [Write, Write, string])[] = [
      [
        { op: 'insert', table: 'order', row: order(1) },
        { op: 'insert', table: 'order', row: order(2, { number: order(1).number }) },
        'order.number',
      ],
      [
        { op: 'insert', table: 'certificate', row: certificate(1) },
        { op: 'insert', table: 'certificate', row: certificate(2, { serial: certificate(1).serial }) },
        'certificate.serial',
      ],
      [
        { op: 'insert', table: 'domain', row: domain(1) },
        { op: 'insert', table: 'domain', row: domain(2, { name: domain(1).name }) },
        'domain.name',
      ],
      [
        { op: 'insert', table: 'product', row: product(1) },
        { op: 'insert', table: 'product', row: product(2, { code: '1' }) },
        'product.code',
      ],
      [
        { op: 'insert', table: 'token', row: token(1) },
        { op: 'insert', table: 'token', row: token(2, { refreshHash: 'refresh-1' }) },
        'token.refreshHash',
      ],
      [
        { op: 'insert', table: 'subscription', row: subscription(1) },
        { op: 'insert', table: 'subscription', row: subscription(1) },
        'subscription.id',
      ],
    ];
    for (const [first, second, constraint] of cases) {
      assert.deepEqual(await insert(first), { ok: true });
      assert.deepEqual(await insert(second), { ok: false, error: { kind: 'duplicate', constraint } });
    }
    // the same name under another organization, the same serial of another CA, drafts without a number
    assert.deepEqual(
      await store.write(
        bookkeeping(
          { op: 'insert', table: 'domain', row: domain(3, { name: domain(1).name, organizationId: 9 }) },
          { op: 'insert', table: 'certificate', row: certificate(3, { serial: certificate(1).serial, caId: 2 }) },
          { op: 'insert', table: 'order', row: order(3, { number: null }) },
          { op: 'insert', table: 'order', row: order(4, { number: null }) },
        ),
      ),
      { ok: true },
    );
  });

  it('undoes the whole of a set that fails and nothing of its neighbours', async () => {
    const store = await current().open();
    await store.write(bookkeeping({ op: 'insert', table: 'order', row: order(1) }));
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, at) => {
        const id = at + 2;
        // every seventh takes a number that is taken, every eleventh changes a row that is not there
        const last: Write =
          at % 7 === 0
            ? { op: 'insert', table: 'order', row: order(1_000 + id, { number: order(1).number }) }
            : at % 11 === 0
              ? { op: 'update', table: 'order', id: 999_999, version: 1, set: { label: 'x' } }
              : { op: 'insert', table: 'order', row: order(1_000 + id) };
        return store.write({
          writes: [
            { op: 'insert', table: 'subscription', row: subscription(id) },
            { op: 'insert', table: 'certificate', row: certificate(id) },
            last,
          ],
          audit: audit({ objectId: String(id) }),
          jobs: [{ kind: 'test', key: `job-${id}`, payload: {}, runAt: T0 }],
        });
      }),
    );
    for (const [at, outcome] of outcomes.entries()) {
      const id = at + 2;
      const shouldFail = at % 7 === 0 || at % 11 === 0;
      assert.equal(outcome.ok, !shouldFail, `set ${at}`);
      if (!outcome.ok) assert.equal(outcome.error.kind, at % 7 === 0 ? 'duplicate' : 'conflict');
      assert.equal((await store.orders.subscription(id)) !== undefined, outcome.ok, `subscription ${id}`);
      assert.equal((await store.certificates.byId(id)) !== undefined, outcome.ok, `certificate ${id}`);
      const entries = await store.audit.search({ accountId: null, objectId: String(id) }, { limit: 10 });
      assert.equal(entries.rows.length, outcome.ok ? 1 : 0, `audit ${id}`);
    }
    const succeeded = outcomes.filter((outcome) => outcome.ok).length;
    assert.equal((await store.jobs.list({ limit: 1_000 })).rows.length, succeeded);
    assert.equal((await store.certificates.count(1)).prepared, succeeded);
    assert.deepEqual((await store.verifyAudit()).problems, []);
  });

  it('deletes, and refuses to delete what is not there', async () => {
    const store = await current().open();
    const link = { id: 1, orderId: 5, domainId: 6 };
    await store.write(bookkeeping({ op: 'insert', table: 'orderDomain', row: link }));
    assert.deepEqual(await store.orders.domainLinks(5), [link]);
    const remove = bookkeeping({ op: 'delete', table: 'orderDomain', id: 1 });
    assert.deepEqual(await store.write(remove), { ok: true });
    assert.deepEqual(await store.write(remove), {
      ok: false,
      error: { kind: 'conflict', table: 'orderDomain', id: 1 },
    });
    assert.deepEqual(await store.orders.domainLinks(5), []);
  });

  it('refuses values that do not fit as bugs of the caller, without harm to others', async () => {
    const store = await current().open();
    const [bad, good] = await Promise.allSettled([
      store.write(bookkeeping({ op: 'insert', table: 'account', row: account(1, { name: 'a\0b' }) })),
      store.write(bookkeeping({ op: 'insert', table: 'account', row: account(2) })),
    ]);
    assert.equal(bad.status, 'rejected');
    assert.equal(good.status, 'fulfilled');
    await assert.rejects(
      store.write(bookkeeping({ op: 'update', table: 'domain', id: 1, version: 1, set: { name: 'other' } })),
      TypeError,
    );
    await assert.rejects(store.write(bookkeeping({ op: 'delete', table: 'certificate', id: 1 })), TypeError);
  });

  it('keeps counts of certificates by account and state', async () => {
    const store = await current().open();
    const insert = (id: number, accountId: number): Write => ({
      op: 'insert',
      table: 'certificate',
      row: certificate(id, { accountId }),
    });
    await Promise.all(
      Array.from({ length: 30 }, (_, at) => store.write(bookkeeping(insert(at + 1, at % 3 === 0 ? 2 : 1)))),
    );
    assert.deepEqual(await store.certificates.count(1), { prepared: 20, valid: 0, hold: 0, revoked: 0, abandoned: 0 });
    const set = (id: number, version: number, state: 'valid' | 'revoked') =>
      store.write(bookkeeping({ op: 'update', table: 'certificate', id, version, set: { state } }));
    await Promise.all(Array.from({ length: 30 }, (_, at) => set(at + 1, 1, 'valid')));
    await set(1, 2, 'revoked');
    await set(1, 2, 'revoked');
    await set(2, 2, 'valid');
    assert.deepEqual(await store.certificates.count(2), { prepared: 0, valid: 9, hold: 0, revoked: 1, abandoned: 0 });
    assert.deepEqual(await store.certificates.count(null), {
      prepared: 0,
      valid: 29,
      hold: 0,
      revoked: 1,
      abandoned: 0,
    });
    const counters = await current().sql(
      `select "name", sum("value") as "total" from "counters" where "account_id" = 1 group by "name" order by "name"`,
    );
    assert.equal(Number(counters.find(({ name }) => name === 'certificate.valid')?.total), 20);
  });

  it('tells of invalidations before the write is answered', async () => {
    const store = await current().open();
    const heard: unknown[] = [];
    const stop = store.onInvalidation((change) => heard.push(change));
    const change: Invalidation = { kind: 'credential', credentialId: 7 };
    await store.write({ ...bookkeeping(), invalidate: [change] });
    assert.deepEqual(heard, [change]);
    // a refused set has changed nothing
    const missing: Write = { op: 'update', table: 'account', id: 1, version: 1, set: { name: 'x' } };
    await store.write({ ...bookkeeping(missing), invalidate: [change] });
    stop();
    await store.write({ ...bookkeeping(), invalidate: [change] });
    assert.equal(heard.length, 1);
  });

  it('hands out ids once, rising, whoever asks', async () => {
    const store = await current().open();
    const ids = await Promise.all(Array.from({ length: 3_500 }, () => store.nextId()));
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    await store.close();
    const again = await (await current().open()).nextId();
    assert.ok(!ids.includes(again) && again > Math.max(...ids));
  });

  it('counts and compares right when handles change the same rows at once', { timeout: 60_000 }, async () => {
    const harness = current();
    const stores = [await harness.open()];
    if (harness.kind === 'postgres') stores.push(await harness.open(), await harness.open());
    const [first] = stores;
    assert.ok(first !== undefined);
    const rows = Array.from({ length: 12 }, (_, at) => at + 1);
    await first.write(
      bookkeeping(
        ...rows.map(
          (id): Write => ({ op: 'insert', table: 'certificate', row: certificate(id, { accountId: 1 + (id % 2) }) }),
        ),
      ),
    );
    const won = new Map<number, number>();
    const states = ['valid', 'hold', 'revoked'] as const;
    const client = async (store: (typeof stores)[number], seed: number): Promise<void> => {
      for (let round = 0; round < 25; round++) {
        // two rows a set, in an order of its own, and a value that others want too
        const ids = [...new Set([1 + ((seed + round * 5) % 12), 1 + ((seed * 7 + round) % 12)])];
        const before = await Promise.all(ids.map((id) => store.certificates.byId(id)));
        const id = await store.nextId();
        const outcome = await store.write({
          writes: [
            ...before.flatMap((row): Write[] =>
              row === undefined
                ? []
                : [
                    {
                      op: 'update',
                      table: 'certificate',
                      id: row.id,
                      version: row.version,
                      set: { state: states[(seed + round) % 3] ?? 'valid' },
                    },
                  ],
            ),
            { op: 'insert', table: 'setting', row: { id, name: `n${(seed + round) % 90}`, value: '', version: 1 } },
          ],
          audit: audit({ objectId: String(id) }),
        });
        if (outcome.ok) for (const one of ids) won.set(one, (won.get(one) ?? 0) + 1);
      }
    };
    await Promise.all(
      stores.flatMap((store, at) => Array.from({ length: 8 }, (_, number) => client(store, at * 8 + number))),
    );
    const found = await Promise.all(rows.map((id) => first.certificates.byId(id)));
    for (const row of found) assert.equal(row?.version, 1 + (won.get(row?.id ?? 0) ?? 0));
    const counts = await first.certificates.count(null);
    for (const state of states) assert.equal(counts[state], found.filter((row) => row?.state === state).length, state);
    assert.deepEqual((await first.verifyAudit()).problems, []);
  });

  it('hands out different ids to different handles', async () => {
    const harness = current();
    const stores = [await harness.open()];
    if (harness.kind === 'postgres') stores.push(await harness.open());
    const ids = (
      await Promise.all(stores.flatMap((store) => Array.from({ length: 2_500 }, () => store.nextId())))
    ).flat();
    assert.equal(new Set(ids).size, ids.length);
  });

  it('commits what waits before it closes and refuses what comes later', async () => {
    const store = await current().open();
    const waiting = Array.from({ length: 300 }, (_, at) =>
      store.write(bookkeeping({ op: 'insert', table: 'account', row: account(at + 1) })),
    );
    await store.close();
    assert.ok((await Promise.all(waiting)).every((outcome) => outcome.ok));
    await assert.rejects(
      store.write(bookkeeping({ op: 'insert', table: 'account', row: account(500) })),
      StoreUnavailableError,
    );
    const again = await current().open();
    assert.equal((await again.accounts.byId(300))?.id, 300);
  });

  it('answers more than it can queue with overload', async () => {
    const store = await current().open();
    const outcomes = await Promise.allSettled(Array.from({ length: 10_050 }, () => store.write(bookkeeping())));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    // what is on its way to the database waits in the queue no more
    assert.ok(refused.length > 0 && refused.length <= 50, `${refused.length} refused`);
    assert.ok(
      refused.every(({ reason }) => reason instanceof StoreUnavailableError && /overloaded/.test(reason.message)),
    );
    assert.deepEqual(await store.write(bookkeeping()), { ok: true });
  });
});
