import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { StoreUnavailableError, type Write } from '@certwright/core';
import { openSqliteStore } from '@certwright/store';
import { account, audit, T0, token } from './records.ts';
import { sqliteHarness } from './stores.ts';

const bookkeeping = (...writes: Write[]) => ({ bookkeeping: 'test', writes });

describe('SQLite store', () => {
  const folders: string[] = [];
  const folder = (): string => {
    const directory = mkdtempSync(join(tmpdir(), 'certwright-store-'));
    folders.push(directory);
    return directory;
  };
  after(() => {
    for (const directory of folders) rmSync(directory, { recursive: true, force: true });
  });

  it('lets one server use a directory, and any number of readers beside it', async () => {
    const directory = folder();
    await assert.rejects(openSqliteStore({ directory, readOnly: true }), StoreUnavailableError);
    const store = await openSqliteStore({ directory });
    await assert.rejects(openSqliteStore({ directory }), {
      name: 'StoreUnavailableError',
      message: /Another certwright process uses this data directory; several processes need PostgreSQL/,
    });
    const reader = await openSqliteStore({ directory, readOnly: true });
    await store.write({ writes: [{ op: 'insert', table: 'account', row: account(1) }], audit: audit() });
    assert.equal((await reader.accounts.byId(1))?.id, 1);
    assert.deepEqual((await reader.verifyAudit()).problems, []);
    await assert.rejects(reader.write(bookkeeping()), StoreUnavailableError);
    await reader.close();
    await store.close();
    const next = await openSqliteStore({ directory });
    await next.close();
  });

  it('copies the database while it is written to', async () => {
    const directory = folder();
    const store = await openSqliteStore({ directory });
    const started = Promise.withResolvers<void>();
    let isDone = false;
    let written = 0;
    const writer = (async () => {
      while (!isDone) {
        const id = ++written;
        const outcome = await store.write({
          writes: [
            { op: 'insert', table: 'account', row: account(id, { name: 'x'.repeat(2_000) }) },
            { op: 'insert', table: 'token', row: token(id) },
          ],
          audit: audit({ objectId: String(id) }),
        });
        assert.deepEqual(outcome, { ok: true });
        if (written === 500) started.resolve();
      }
    })();
    await started.promise;
    const atStart = written;
    const copy = folder();
    await store.backupTo?.(join(copy, 'certwright.db'));
    isDone = true;
    await writer;
    await assert.rejects(store.backupTo?.(join(copy, 'certwright.db')) ?? Promise.resolve(), /exists already/);
    await store.close();

    const restored = await openSqliteStore({ directory: copy });
    const { rows } = await restored.accounts.list({ limit: 1, from: 'end' });
    const last = rows[0]?.id ?? 0;
    assert.ok(last >= atStart - 1 && last <= written);
    assert.equal((await restored.credentials.tokenByAccessHash(`access-${last}`))?.id, last);
    assert.equal(await restored.credentials.tokenByAccessHash(`access-${last + 1}`), undefined);
    assert.deepEqual((await restored.verifyAudit()).problems, []);
    await restored.close();
  });

  it('says that the disk is full, keeps what was there, and goes on when there is room again', async () => {
    const harness = await sqliteHarness({ maxPages: 600 });
    const store = await harness.open();
    await store.write({ writes: [{ op: 'insert', table: 'account', row: account(1) }], audit: audit() });
    let written = 0;
    const fill = async (): Promise<unknown> => {
      for (;;) {
        const id = written + 1;
        const row = token(id, { refreshHash: `${id}`.padEnd(3_000, 'x'), expiresAt: T0, refreshExpiresAt: T0 });
        try {
          await store.write(bookkeeping({ op: 'insert', table: 'token', row }));
        } catch (error) {
          return error;
        }
        written = id;
      }
    };
    const error = await fill();
    assert.ok(error instanceof StoreUnavailableError, String(error));
    assert.match(error.message, /disk is full/);
    assert.equal(error.unknown, false);
    const several = await Promise.allSettled(
      [2, 3, 4].map((id) =>
        store.write({
          writes: [{ op: 'insert', table: 'account', row: account(id, { name: 'y'.repeat(9_000) }) }],
          audit: audit(),
        }),
      ),
    );
    assert.ok(several.every(({ status }) => status === 'rejected'));
    assert.equal(await store.accounts.byId(2), undefined);
    assert.equal((await store.accounts.byId(1))?.id, 1);
    assert.equal((await store.credentials.tokenByAccessHash(`access-${written}`))?.id, written);

    // deleting makes room in the file
    assert.equal(await store.prune(T0 + 1), written);
    assert.deepEqual(
      await store.write({ writes: [{ op: 'insert', table: 'account', row: account(2) }], audit: audit() }),
      { ok: true },
    );
    const report = await store.verifyAudit();
    assert.deepEqual(report.problems, []);
    assert.equal(report.lanes, 1);
    await harness.dispose();
  });

  it('waits for a lock that another program holds, refuses when it takes too long, and goes on afterwards', {
    timeout: 60_000,
  }, async () => {
    const directory = folder();
    const store = await openSqliteStore({ directory });
    const other = new DatabaseSync(join(directory, 'certwright.db'));
    other.exec('begin immediate');
    const refused = store.write({ writes: [{ op: 'insert', table: 'account', row: account(1) }], audit: audit() });
    await assert.rejects(
      refused,
      (error) => error instanceof StoreUnavailableError && !error.unknown && /locked/.test(error.message),
    );
    // reading does not wait for it
    assert.equal(await store.accounts.byId(1), undefined);
    other.exec('rollback');
    other.close();
    assert.deepEqual(
      await store.write({ writes: [{ op: 'insert', table: 'account', row: account(1) }], audit: audit() }),
      { ok: true },
    );
    assert.deepEqual((await store.verifyAudit()).problems, []);
    await store.close();
  });
});
