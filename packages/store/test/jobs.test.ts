import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { JobDraft, Write } from '@certwright/core';
import type { CertwrightStore } from '@certwright/store';
import { T0, token } from './records.ts';
import { describeStores } from './stores.ts';

const draft = (kind: string, key: string | null, runAt = T0): JobDraft => ({
  kind,
  key,
  payload: { n: 1, s: null },
  runAt,
});

async function add(store: CertwrightStore, ...jobs: JobDraft[]): Promise<void> {
  assert.deepEqual(await store.write({ bookkeeping: 'test', writes: [], jobs }), { ok: true });
}

describeStores('Jobs, leases, pruning', (current) => {
  it('gives out due jobs of the kinds asked for, soonest first, and not again during the lease', async () => {
    const store = await current().open();
    await add(
      store,
      draft('a', null, T0 + 2),
      draft('b', null, T0),
      draft('a', null, T0 + 1),
      draft('a', null, T0 + 99),
    );
    assert.equal(await store.jobs.nextDue(['a']), T0 + 1);
    assert.equal(await store.jobs.nextDue(['none']), undefined);
    const taken = await store.jobs.take(['a'], T0 + 10, 60_000, 5);
    assert.deepEqual(
      taken.map(({ runAt, attempts, payload }) => ({ runAt, attempts, payload })),
      [T0 + 1, T0 + 2].map((runAt) => ({ runAt, attempts: 1, payload: { n: 1, s: null } })),
    );
    assert.deepEqual(await store.jobs.take(['a'], T0 + 10, 60_000, 5), []);
    // the process went away: another takes over when the lease is over
    const [again] = await store.jobs.take(['a'], T0 + 60_010, 60_000, 1);
    assert.deepEqual([again?.id, again?.attempts], [taken[0]?.id, 2]);
    assert.deepEqual(await store.jobs.take([], T0, 1, 1), []);
  });

  it('removes finished jobs and puts failed ones back', async () => {
    const store = await current().open();
    await add(store, draft('a', 'k1'), draft('a', 'k2'));
    const [first, second] = await store.jobs.take(['a'], T0, 60_000, 2);
    assert.ok(first !== undefined && second !== undefined);
    await store.jobs.done(first.id);
    await store.jobs.retry(second.id, T0 + 500, 'no answer \0');
    const { rows } = await store.jobs.list({ limit: 10 });
    assert.deepEqual(
      rows.map(({ id, runAt, leaseUntil, lastError }) => ({ id, runAt, leaseUntil, lastError })),
      [{ id: second.id, runAt: T0 + 500, leaseUntil: null, lastError: 'no answer \ufffd' }],
    );
    assert.equal(await store.jobs.nextDue(['a']), T0 + 500);
  });

  it('keeps one waiting job per key; a retry yields to a newer one', async () => {
    const store = await current().open();
    await Promise.all(
      Array.from({ length: 10 }, () => add(store, draft('a', 'key'), draft('b', 'key'), draft('a', 'key'))),
    );
    assert.equal((await store.jobs.list({ limit: 10 })).rows.length, 2);
    const [taken] = await store.jobs.take(['a'], T0, 60_000, 5);
    assert.ok(taken !== undefined);
    // the one that is worked on does not wait any more
    await add(store, draft('a', 'key', T0 + 5));
    await store.jobs.retry(taken.id, T0 + 100, 'failed');
    const { rows } = await store.jobs.list({ limit: 10 });
    assert.deepEqual(rows.map(({ kind, runAt }) => [kind, runAt]).sort(), [
      ['a', T0 + 5],
      ['b', T0],
    ]);
  });

  it('gives each job to one of those who ask at once', async () => {
    const harness = current();
    const stores = [await harness.open()];
    if (harness.kind === 'postgres') stores.push(await harness.open());
    const [store] = stores;
    assert.ok(store !== undefined);
    await add(store, ...Array.from({ length: 200 }, () => draft('a', null)));
    const batches = await Promise.all(
      stores.flatMap((one) => Array.from({ length: 10 }, () => one.jobs.take(['a'], T0, 60_000, 15))),
    );
    const ids = batches.flat().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const rest = await store.jobs.take(['a'], T0, 60_000, 1_000);
    assert.equal(ids.length + rest.length, 200);
  });

  it('grants a lease to one holder until it ends', async () => {
    const store = await current().open();
    assert.equal(await store.lease('crl', 'a', 100, 200), true);
    assert.equal(await store.lease('crl', 'b', 150, 250), false);
    assert.equal(await store.lease('crl', 'a', 150, 300), true);
    assert.equal(await store.lease('crl', 'b', 299, 400), false);
    assert.equal(await store.lease('crl', 'b', 300, 400), true);
    assert.equal(await store.lease('other', 'a', 300, 400), true);
    const grants = await Promise.all(Array.from({ length: 10 }, (_, at) => store.lease('race', `h${at}`, 0, 100)));
    assert.equal(grants.filter((granted) => granted).length, 1);
  });

  it('prunes what has expired and nothing else', async () => {
    const store = await current().open();
    const writes: Write[] = Array.from({ length: 1_200 }, (_, at) => ({
      op: 'insert',
      table: 'token',
      row: token(
        at + 1,
        at === 0 ? { refreshExpiresAt: T0 + 10, expiresAt: T0 + 10 } : { refreshExpiresAt: T0 - 1, expiresAt: T0 - 1 },
      ),
    }));
    writes.push(
      { op: 'insert', table: 'proof', row: { id: 1, accountId: 1, txn: 'a', expiresAt: T0 - 1 } },
      { op: 'insert', table: 'proof', row: { id: 2, accountId: 1, txn: 'b', expiresAt: T0 } },
      {
        op: 'insert',
        table: 'idempotency',
        row: { id: 1, scope: 's', fingerprint: 'f', answer: null, leaseUntil: 0, expiresAt: T0 - 1, version: 1 },
      },
    );
    assert.deepEqual(await store.write({ bookkeeping: 'test', writes }), { ok: true });
    assert.equal(await store.prune(T0), 1_199 + 1 + 1);
    assert.equal(await store.prune(T0), 0);
    assert.equal((await store.credentials.tokenByAccessHash('access-1'))?.id, 1);
    assert.equal(await store.credentials.tokenByAccessHash('access-2'), undefined);
    assert.equal(await store.idempotency.byScope('s'), undefined);
  });
});
