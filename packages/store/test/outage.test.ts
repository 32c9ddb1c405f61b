import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Invalidation, StoreUnavailableError } from '@certwright/core';
import { type CertwrightStore, openPostgresStore } from '@certwright/store';
import { account, audit, subscription } from './records.ts';
import { postgres, postgresHarness } from './stores.ts';

type Change = Invalidation | { readonly kind: 'everything' };

/** Collects what a store tells of; `next` waits for the first change that fits. */
function listen(store: CertwrightStore) {
  const heard: Change[] = [];
  let wake: (() => void) | undefined;
  store.onInvalidation((change) => {
    heard.push(change);
    wake?.();
  });
  return {
    async next(fits: (change: Change) => boolean): Promise<Change> {
      for (;;) {
        const at = heard.findIndex(fits);
        const [found] = at < 0 ? [] : heard.splice(0, at + 1).slice(-1);
        if (found !== undefined) return found;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
  };
}

const isEverything = ({ kind }: Change): boolean => kind === 'everything';

/** A TCP relay in front of the server whose connections can be cut. */
async function startRelay(target: URL): Promise<{ readonly url: string; cut(): void; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = new URL(target.href);
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

const skip = 'skip' in postgres ? postgres.skip : postgres.control === undefined ? 'the server is not ours' : false;

describe('PostgreSQL that comes and goes', { skip }, () => {
  const control = 'skip' in postgres ? undefined : postgres.control;
  let harness: Awaited<ReturnType<typeof postgresHarness>>;
  before(async () => {
    harness = await postgresHarness();
  });
  after(async () => {
    await harness.dispose();
  });

  it('tells other processes of invalidations, this one before the write is answered', async () => {
    const [here, there] = [await harness.open(), await harness.open()];
    const elsewhere = listen(there);
    const heard: Change[] = [];
    here.onInvalidation((change) => heard.push(change));
    // more than fits one notification
    const changes = Array.from(
      { length: 400 },
      (_, at): Invalidation => ({ kind: 'certificate', caId: at, serial: 'ab'.repeat(16) }),
    );
    await here.write({ bookkeeping: 'test', writes: [], invalidate: changes });
    assert.deepEqual(heard, changes);
    assert.deepEqual(
      await elsewhere.next((change) => change.kind === 'certificate' && change.caId === 399),
      changes[399],
    );
    await here.write({ bookkeeping: 'test', writes: [], invalidate: [{ kind: 'catalog' }] });
    await elsewhere.next(({ kind }) => kind === 'catalog');
    assert.equal(heard.length, 401, 'its own notifications are not told twice');
  });

  it('is found again after a restart, idle connections included', async () => {
    const store = await harness.open();
    const changes = listen(store);
    await store.write({ writes: [{ op: 'insert', table: 'account', row: account(1) }], audit: audit() });
    await control?.restart();
    assert.deepEqual(
      await store.write({ writes: [{ op: 'insert', table: 'account', row: account(2) }], audit: audit() }),
      {
        ok: true,
      },
    );
    assert.equal((await store.accounts.byId(2))?.id, 2);
    // caches forget once when the connection breaks and once when it is back
    await changes.next(isEverything);
    await changes.next(isEverything);
    assert.deepEqual((await store.verifyAudit()).problems, []);
  });

  it('answers clearly while it is down, loses nothing that it acknowledged, and needs no hand to go on', async () => {
    const store = await harness.open();
    const acknowledged: number[] = [];
    const unknown: number[] = [];
    let id = 1_000;
    let isOver = false;
    let refused = 0;
    let afterwards = 0;
    const refusal = Promise.withResolvers<void>();
    const enough = Promise.withResolvers<void>();
    const recovered = Promise.withResolvers<void>();
    const client = async (): Promise<void> => {
      while (!isOver) {
        const mine = ++id;
        try {
          const outcome = await store.write({
            writes: [{ op: 'insert', table: 'subscription', row: subscription(mine) }],
            audit: audit({ objectType: 'subscription', objectId: `s${mine}` }),
          });
          assert.deepEqual(outcome, { ok: true });
          acknowledged.push(mine);
          if (acknowledged.length === 300) enough.resolve();
          if (refused > 0 && ++afterwards === 300) recovered.resolve();
        } catch (error) {
          assert.ok(error instanceof StoreUnavailableError, String(error));
          if (error.unknown) unknown.push(mine);
          else refused++;
          refusal.resolve();
          await new Promise(setImmediate);
        }
      }
    };
    const clients = Promise.all(Array.from({ length: 16 }, client));
    await enough.promise;
    await control?.kill();
    await refusal.promise;
    await assert.rejects(store.accounts.byId(1), StoreUnavailableError);
    await control?.start();
    await recovered.promise;
    isOver = true;
    await clients;

    for (const one of acknowledged)
      assert.ok(await store.orders.subscription(one), `${one} was acknowledged and is lost`);
    const rows = await harness.sql(
      `select count(*) as "rows", (select count(*) from "audit" where "object_type" = 'subscription') as "entries" from "subscriptions"`,
    );
    // a write whose outcome was not known may have happened, but with its audit entry
    assert.equal(rows[0]?.rows, rows[0]?.entries);
    assert.ok(
      Number(rows[0]?.rows) >= acknowledged.length && Number(rows[0]?.rows) <= acknowledged.length + unknown.length,
    );
    assert.deepEqual((await store.verifyAudit()).problems, []);
  });

  it('survives connections that are cut at any moment', async () => {
    const relay = await startRelay(new URL(harness.location));
    const store = await openPostgresStore({ url: relay.url });
    let next = 100_000;
    const done = new Set<number>();
    const doubtful = new Set<number>();
    for (let round = 0; round < 12; round++) {
      const writes = Array.from({ length: 40 }, async () => {
        const id = ++next;
        try {
          await store.write({
            bookkeeping: 'test',
            writes: [{ op: 'insert', table: 'subscription', row: subscription(id) }],
          });
          done.add(id);
        } catch (error) {
          assert.ok(error instanceof StoreUnavailableError, String(error));
          if (error.unknown) doubtful.add(id);
        }
      });
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      relay.cut();
      await Promise.all(writes);
    }
    const rows = await harness.sql('select "id" from "subscriptions" where "id" > 100000');
    const stored = new Set(rows.map(({ id }) => Number(id)));
    for (const id of done) assert.ok(stored.has(id), `${id} was acknowledged and is lost`);
    for (const id of stored) assert.ok(done.has(id) || doubtful.has(id), `${id} is stored though it was refused`);
    assert.deepEqual(await store.write({ bookkeeping: 'test', writes: [] }), { ok: true });
    await store.close();
    await relay.close();
  });

  it('refuses an address where nothing listens with a clear error', async () => {
    const nowhere = new URL(harness.location);
    nowhere.port = '1';
    await assert.rejects(openPostgresStore({ url: nowhere.href }), StoreUnavailableError);
    const missing = new URL(harness.location);
    missing.pathname = '/no_such_database';
    await assert.rejects(openPostgresStore({ url: missing.href }), /does not exist/);
  });
});
