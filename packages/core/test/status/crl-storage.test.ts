import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CertwrightStore, openSqliteStore } from '@certwright/store';
import { auditEntry, systemContext } from '../../src/audit/draft.ts';
import type { CrlRecord } from '../../src/records/index.ts';
import { createCrlStorage } from '../../src/status/crl-storage.ts';

const T0 = Date.parse('2026-06-01T00:00:00Z');
const CA = 1;
const MIB = 1024 * 1024;

async function withStore(use: (store: CertwrightStore) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'certwright-crl-'));
  const store = await openSqliteStore({ directory });
  try {
    await use(store);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

/** Puts the row of an unsigned CRL on record. */
async function begin(store: CertwrightStore, number: number): Promise<CrlRecord> {
  const record: CrlRecord = {
    id: await store.nextId(),
    caId: CA,
    partition: 0,
    number,
    tbsSha256: '00'.repeat(32),
    size: null,
    entries: 0,
    thisUpdate: T0,
    nextUpdate: T0 + 1,
    createdAt: T0,
    version: 1,
  };
  const writes = [{ op: 'insert', table: 'crl', row: record }] as const;
  assert.deepEqual(await store.write({ bookkeeping: 'test', writes }), { ok: true });
  return record;
}

const audit = () =>
  auditEntry(systemContext('test'), T0, { activity: 'crl.published', objectType: 'crl', objectId: 'x/0' });

test('a CRL comes back as it was stored, whatever its size', async () => {
  await withStore(async (store) => {
    const storage = createCrlStorage({ store });
    assert.equal(await storage.newest(CA, 0), undefined);
    for (const [at, size] of [1, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 12_345].entries()) {
      const der = randomBytes(size);
      const record = await begin(store, at + 1);
      assert.equal(await storage.save(record, der, audit(), false), true);
      const found = await storage.newest(CA, 0);
      assert.equal(found?.record.number, at + 1);
      assert.equal(found?.record.size, size);
      assert.equal(Buffer.compare(found?.der ?? new Uint8Array(), der), 0);
    }
  });
});

test('an unfinished CRL is not the newest', async () => {
  await withStore(async (store) => {
    const storage = createCrlStorage({ store });
    await storage.save(await begin(store, 1), randomBytes(10), audit(), false);
    await begin(store, 2);
    assert.equal((await storage.newest(CA, 0))?.record.number, 1);
  });
});

test('what was replaced is removed with all its pieces, the newest stays', async () => {
  await withStore(async (store) => {
    const storage = createCrlStorage({ store });
    const newest = randomBytes(2 * MIB + 5);
    await storage.save(await begin(store, 1), randomBytes(6 * MIB), audit(), false);
    await storage.save(await begin(store, 2), randomBytes(5), audit(), false);
    await begin(store, 3);
    await storage.save(await begin(store, 4), newest, audit(), false);
    await storage.removeStale({ id: CA }, 0);
    assert.deepEqual(await store.authorities.staleCrls(CA, 0), { crls: [], pieces: [] });
    assert.equal(Buffer.compare((await storage.newest(CA, 0))?.der ?? new Uint8Array(), newest), 0);
  });
});

test('a CRL whose row was removed meanwhile is not stored, and its pieces do not stay', async () => {
  await withStore(async (store) => {
    const storage = createCrlStorage({ store });
    const late = await begin(store, 1);
    await storage.save(await begin(store, 2), randomBytes(5), audit(), false);
    await storage.removeStale({ id: CA }, 0);
    assert.equal(await storage.save(late, randomBytes(2 * MIB), audit(), false), false);
    await storage.removeStale({ id: CA }, 0);
    assert.equal(await store.authorities.crlDer({ id: late.id, size: 2 * MIB }), undefined);
    assert.deepEqual(await store.authorities.staleCrls(CA, 0), { crls: [], pieces: [] });
    assert.equal((await storage.newest(CA, 0))?.record.number, 2);
  });
});
