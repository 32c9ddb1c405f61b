import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { openPostgresStore, openSqliteStore, SchemaError } from '@certwright/store';
import { pendingMigrations, SCHEMA, type Schema } from '../src/schema/migrations.ts';
import { SqliteConnection } from '../src/sqlite/database.ts';
import { migrateSqlite } from '../src/sqlite/migrate.ts';
import { describeStores, type Harness } from './stores.ts';

/** The current schema one step further. */
const NEXT: Schema = {
  create: (dialect) => [...SCHEMA.create(dialect), 'create table "extra" ("id" integer)'],
  steps: [...SCHEMA.steps, { name: 'extra', statements: () => ['create table "extra" ("id" integer)'] }],
};

const openWith = (harness: Harness, schema: Schema) =>
  harness.kind === 'sqlite'
    ? openSqliteStore({ directory: harness.location, schema })
    : openPostgresStore({ url: harness.location, schema });

const recorded = async (harness: Harness): Promise<readonly number[]> =>
  (await harness.sql('select "version" from "schema_version" order by "version"')).map(({ version }) =>
    Number(version),
  );

describeStores('Migrations', (current) => {
  it('make the schema once and find it done afterwards', async () => {
    const harness = current();
    await (await harness.open()).close();
    await (await harness.open()).close();
    assert.deepEqual(await recorded(harness), [SCHEMA.steps.length + 1]);
  });

  it('bring an older database up and refuse a newer one', async () => {
    const harness = current();
    const older = await harness.open();
    await older.write({
      bookkeeping: 'test',
      writes: [{ op: 'insert', table: 'setting', row: { id: 1, name: 'kept', value: 'yes', version: 1 } }],
    });
    await older.close();
    const newer = await openWith(harness, NEXT);
    assert.equal((await newer.settings.byName('kept'))?.value, 'yes');
    await newer.close();
    assert.deepEqual(await harness.sql('select * from "extra"'), []);
    await assert.rejects(harness.open(), SchemaError);
  });

  it('leave nothing behind when a step fails', async () => {
    const harness = current();
    await (await harness.open()).close();
    const broken: Schema = {
      create: SCHEMA.create,
      steps: [
        {
          name: 'broken',
          statements: () => ['create table "extra" ("id" integer)', 'create table "extra" ("id" integer)'],
        },
      ],
    };
    await assert.rejects(openWith(harness, broken));
    await assert.rejects(harness.sql('select * from "extra"'));
    await (await harness.open()).close();
  });

  it('are safe when several processes start at once', { timeout: 60_000 }, async () => {
    const harness = current();
    const file = new URL('./support/opening-child.ts', import.meta.url).pathname;
    const children = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, [file, harness.kind, harness.location], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      return { child, lines };
    });
    for (const { lines } of children) assert.equal((await lines.next()).value, 'ready');
    for (const { child } of children) child.stdin.end('go\n');
    const answers = await Promise.all(children.map(async ({ lines }) => String((await lines.next()).value)));
    const opened = answers.filter((answer) => answer.startsWith('opened'));
    if (harness.kind === 'postgres') assert.equal(opened.length, 4, answers.join());
    // one process at a time may use a directory; the others are told so
    else
      assert.ok(
        opened.length >= 1 && answers.every((answer) => /^opened|Another certwright process/.test(answer)),
        answers.join(),
      );
    assert.equal(new Set(opened).size, opened.length);
    assert.deepEqual(await recorded(harness), [1]);
  });
});

describe('Migrations', () => {
  it('run the steps after the version found', () => {
    const versions = (found: number) =>
      pendingMigrations(NEXT, found, 'sqlite').map(({ version, name }) => [version, name]);
    assert.deepEqual(versions(0), [[2, 'create']]);
    assert.deepEqual(versions(1), [[2, 'extra']]);
    assert.deepEqual(versions(2), []);
    assert.throws(() => versions(3), SchemaError);
  });

  it('of two connections to one SQLite file run once', () => {
    const directory = mkdtempSync(join(tmpdir(), 'certwright-store-'));
    const connect = () => new SqliteConnection({ path: join(directory, 'x.db'), readOnly: false, cacheKiB: 1_024 });
    const [first, second] = [connect(), connect()];
    migrateSqlite(first, SCHEMA);
    migrateSqlite(second, SCHEMA);
    assert.deepEqual(second.all('select count(*) from "schema_version"', []), [[1]]);
    first.close();
    second.close();
    rmSync(directory, { recursive: true, force: true });
  });
});
