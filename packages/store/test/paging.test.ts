import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  type CertificateFilter,
  type CertificateRecord,
  InvalidCursorError,
  type Page,
  type PageRequest,
  type Write,
} from '@certwright/core';
import type { CertwrightStore } from '@certwright/store';
import fc from 'fast-check';
import { account, audit, certificate, order, T0 } from './records.ts';
import { describeStores } from './stores.ts';

const DAY = 86_400_000;

/** Walks all pages from one end to the other. */
async function walk<T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  limit: number,
  from: 'start' | 'end',
): Promise<readonly (readonly T[])[]> {
  const pages: (readonly T[])[] = [];
  let request: PageRequest = { limit, from };
  for (;;) {
    const page = await list(request);
    pages.push(page.rows);
    const cursor = from === 'start' ? page.next : page.previous;
    if (cursor === null) return pages;
    request = { limit, cursor };
  }
}

async function assertWalks<T extends { readonly id: number }>(
  list: (page: PageRequest) => Promise<Page<T>>,
  expected: readonly number[],
  limit: number,
): Promise<void> {
  const ids = (rows: readonly (readonly T[])[]) => rows.flat().map(({ id }) => id);
  assert.deepEqual(ids(await walk(list, limit, 'start')), expected);
  assert.deepEqual(ids((await walk(list, limit, 'end')).toReversed()), expected);
}

async function insertAll(store: CertwrightStore, writes: readonly Write[]): Promise<void> {
  for (let at = 0; at < writes.length; at += 1_000) {
    const outcome = await store.write({ bookkeeping: 'test', writes: writes.slice(at, at + 1_000) });
    assert.deepEqual(outcome, { ok: true });
  }
}

/** What a search shall find and in which order, said once more in plain code. */
function searched(all: readonly CertificateRecord[], filter: CertificateFilter): readonly number[] {
  const reversed = (name: string): string => name.split('.').reverse().join(' ');
  const isBelow = (name: string): boolean => name === filter.domain || name.endsWith(`.${filter.domain}`);
  const { now, status } = filter;
  const found = all.filter(
    (one) =>
      ['valid', 'hold', 'revoked'].includes(one.state) &&
      (filter.accountId === null || one.accountId === filter.accountId) &&
      (filter.domain === undefined || one.names.some(isBelow)) &&
      (filter.serial === undefined || one.serial === filter.serial) &&
      (status === undefined ||
        (status === 'valid'
          ? one.state === 'valid' && one.notAfter > now
          : status === 'expired'
            ? one.state === 'valid' && one.notAfter <= now
            : one.state === status)) &&
      one.notAfter >= (filter.expiresFrom ?? 0) &&
      one.notAfter < (filter.expiresBefore ?? Number.POSITIVE_INFINITY),
  );
  const firstName = (one: CertificateRecord): string => one.names.filter(isBelow).map(reversed).sort()[0] ?? '';
  const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const byExpiry = status !== undefined || filter.expiresFrom !== undefined || filter.expiresBefore !== undefined;
  const compare = (a: CertificateRecord, b: CertificateRecord): number => {
    if (filter.serial !== undefined) return b.id - a.id;
    if (filter.domain !== undefined) return compareText(firstName(a), firstName(b)) || a.id - b.id;
    if (!byExpiry) return b.id - a.id;
    const order = a.notAfter - b.notAfter || a.id - b.id;
    return status === 'expired' ? -order : order;
  };
  return found.sort(compare).map(({ id }) => id);
}

describeStores('Pages', (current) => {
  it('walks accounts and orders both ways, the last page first when asked', async () => {
    const store = await current().open();
    const ids = Array.from({ length: 53 }, (_, at) => at + 1);
    await insertAll(store, [
      ...ids.map((id) => ({ op: 'insert', table: 'account', row: account(id) }) as const),
      ...ids.map(
        (id) =>
          ({
            op: 'insert',
            table: 'order',
            row: order(id, {
              accountId: (id % 2) + 1,
              phase: id % 5 === 0 ? 'issued' : 'dcv',
              family: id % 9 === 0 ? 'private-pki' : 'ssl',
            }),
          }) as const,
      ),
    ]);
    const newest = ids.toReversed();
    for (const limit of [1, 7, 53, 100]) {
      await assertWalks((page) => store.accounts.list(page), ids, limit);
      await assertWalks((page) => store.orders.list({ accountId: null }, page), newest, limit);
    }
    await assertWalks(
      (page) => store.orders.list({ accountId: 1 }, page),
      newest.filter((id) => id % 2 === 0),
      4,
    );
    await assertWalks(
      (page) => store.orders.list({ accountId: 2, phase: 'issued' }, page),
      newest.filter((id) => id % 2 === 1 && id % 5 === 0),
      2,
    );
    await assertWalks(
      (page) => store.orders.list({ accountId: null, family: 'private-pki' }, page),
      newest.filter((id) => id % 9 === 0),
      2,
    );
    await assertWalks((page) => store.orders.list({ accountId: 99 }, page), [], 2);
  });

  it('goes back from a page to the one before it', async () => {
    const store = await current().open();
    await insertAll(
      store,
      Array.from({ length: 10 }, (_, at) => ({ op: 'insert', table: 'account', row: account(at + 1) }) as const),
    );
    const ids = ({ rows }: Page<{ readonly id: number }>) => rows.map(({ id }) => id);
    const first = await store.accounts.list({ limit: 4 });
    assert.equal(first.previous, null);
    const second = await store.accounts.list({ limit: 4, cursor: first.next ?? '' });
    assert.deepEqual(ids(second), [5, 6, 7, 8]);
    const back = await store.accounts.list({ limit: 4, cursor: second.previous ?? '' });
    assert.deepEqual(ids(back), [1, 2, 3, 4]);
    assert.equal(back.previous, null);
    const end = await store.accounts.list({ limit: 4, from: 'end' });
    assert.deepEqual(ids(end), [7, 8, 9, 10]);
    assert.equal(end.next, null);
  });

  it('refuses cursors that it has not given out', async () => {
    const store = await current().open();
    await insertAll(store, [
      { op: 'insert', table: 'account', row: account(1) },
      { op: 'insert', table: 'account', row: account(2) },
    ]);
    const { next } = await store.accounts.list({ limit: 1 });
    const forged = [
      '',
      'x',
      '!!',
      Buffer.from('{"a":1}').toString('base64url'),
      Buffer.from('[1').toString('base64url'),
    ];
    forged.push(Buffer.from('["account",1,{}]').toString('base64url'));
    forged.push(Buffer.from('["account",1,1,2]').toString('base64url'));
    for (const cursor of forged) {
      await assert.rejects(store.accounts.list({ limit: 1, cursor }), InvalidCursorError);
    }
    await assert.rejects(store.orders.list({ accountId: 1 }, { limit: 1, cursor: next ?? '' }), InvalidCursorError);
  });

  it('finds certificates by any combination of filters, each once, in the promised order', async () => {
    const store = await current().open();
    const states = ['prepared', 'valid', 'valid', 'valid', 'hold', 'revoked', 'abandoned'] as const;
    const hosts = [
      'example.com',
      'a.example.com',
      'b.a.example.com',
      'example-shop.com',
      'com',
      'xexample.com',
      '*.example.com',
    ];
    const all = Array.from({ length: 260 }, (_, at) => {
      const id = at + 1;
      const names = [hosts[id % 7], hosts[(id * 3) % 7], hosts[(id * 5 + 1) % 7]].flatMap((name) => name ?? []);
      return certificate(id, {
        accountId: (id % 3) + 1,
        state: states[(id * 11) % 7] ?? 'valid',
        names: [...new Set(names)],
        // many equal ends of validity
        notAfter: T0 + ((id * 7) % 40) * DAY,
      });
    });
    await insertAll(
      store,
      all.map((row) => ({ op: 'insert', table: 'certificate', row }) as const),
    );
    const optional = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
    const filters = fc
      .record({
        accountId: fc.constantFrom(null, 1, 2, 9),
        domain: optional('example.com', 'a.example.com', 'com', 'example-shop.com', 'missing.example'),
        serial: optional(all[10]?.serial ?? '', all[11]?.serial ?? '', 'zz', 'abc'),
        status: optional('valid', 'hold', 'revoked', 'expired'),
        expiresFrom: optional(T0 + 5 * DAY, T0 + 30 * DAY),
        expiresBefore: optional(T0 + 10 * DAY, T0 + 35 * DAY),
        now: fc.constantFrom(T0 - 1, T0 + 21 * DAY, T0 + 100 * DAY),
        // a serial finds so little that the other members would hardly be tried
        hasSerial: fc.nat(5).map((one) => one === 0),
      })
      .map(({ hasSerial, ...filter }) => {
        const { serial, ...rest } = filter;
        const entries = Object.entries(hasSerial ? { ...rest, serial } : rest).filter(
          ([, value]) => value !== undefined,
        );
        return Object.fromEntries(entries) as unknown;
      });
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom(1, 17, 300), async (generated, limit) => {
        const filter = generated as CertificateFilter;
        const expected = searched(all, filter);
        // one row a page is slow for long lists
        const size = limit === 1 && expected.length > 30 ? 11 : limit;
        await assertWalks((page) => store.certificates.search(filter, page), expected, size);
      }),
      { numRuns: 60 },
    );
  });

  it('searches the audit trail newest first by any of its filters', async () => {
    const store = await current().open();
    for (let id = 1; id <= 40; id++) {
      await store.write({
        bookkeeping: 'unused',
        writes: [],
        audit: audit({
          at: T0 + id * 10,
          accountId: id % 2 === 0 ? 2 : null,
          activity: id % 5 === 0 ? 'certificate.issued' : 'order.created',
          objectType: id % 3 === 0 ? 'certificate' : 'order',
          objectId: String(id % 4),
        }),
      });
    }
    type Filter = Parameters<typeof store.audit.search>[0];
    const times = async (filter: Filter, from: 'start' | 'end' = 'start'): Promise<readonly number[]> => {
      const pages = await walk((page) => store.audit.search(filter, page), 6, from);
      const rows = (from === 'end' ? pages.toReversed() : pages).flat();
      return rows.filter(({ activity }) => activity !== 'audit.tie').map(({ at }) => (at - T0) / 10);
    };
    const ids = Array.from({ length: 40 }, (_, at) => 40 - at);
    assert.deepEqual(await times({ accountId: null }), ids);
    assert.deepEqual(await times({ accountId: null }, 'end'), ids);
    assert.deepEqual(
      await times({ accountId: 2, activity: 'certificate.issued' }),
      ids.filter((id) => id % 10 === 0),
    );
    assert.deepEqual(
      await times({ accountId: null, objectType: 'certificate', objectId: '1' }),
      ids.filter((id) => id % 3 === 0 && id % 4 === 1),
    );
    assert.deepEqual(
      await times({ accountId: null, activity: 'order.created', from: T0 + 100, before: T0 + 200 }),
      ids.filter((id) => id % 5 !== 0 && id >= 10 && id < 20),
    );
    const [entry] = (await store.audit.search({ accountId: null, objectId: '3' }, { limit: 1 })).rows;
    assert.deepEqual(entry?.details, { b: [1, null, { a: 2, z: 1 }], order: 'ü' });
  });
});
