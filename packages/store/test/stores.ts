/** Runs the same tests on SQLite and on a real PostgreSQL. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe } from 'node:test';
import { type CertwrightStore, openPostgresStore, openSqliteStore } from '@certwright/store';
import pg from 'pg';
import { startPostgres } from '../../../test/support/postgres.ts';

export const postgres = await startPostgres();

/** One database, empty at first; opened as often as the test likes, PostgreSQL also several times at once. */
export interface Harness {
  readonly kind: 'sqlite' | 'postgres';
  open(): Promise<CertwrightStore>;
  /** Where the database is: what a child process needs to open it. */
  readonly location: string;
  /** Runs SQL behind the store's back. */
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  dispose(): Promise<void>;
}

export async function sqliteHarness(options: { readonly maxPages?: number } = {}): Promise<Harness> {
  const directory = mkdtempSync(join(tmpdir(), 'certwright-store-'));
  const opened: CertwrightStore[] = [];
  return {
    kind: 'sqlite',
    location: directory,
    async open() {
      const store = await openSqliteStore({ directory, ...options });
      opened.push(store);
      return store;
    },
    async sql(text) {
      const db = new DatabaseSync(join(directory, 'certwright.db'), { timeout: 5_000 });
      try {
        return db.prepare(text).all();
      } finally {
        db.close();
      }
    },
    async dispose() {
      await Promise.all(opened.map((store) => store.close()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function postgresHarness(): Promise<Harness> {
  if ('skip' in postgres) throw new Error(postgres.skip);
  const url = await postgres.database();
  const opened: CertwrightStore[] = [];
  return {
    kind: 'postgres',
    location: url,
    async open() {
      const store = await openPostgresStore({ url });
      opened.push(store);
      return store;
    },
    async sql(text) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    },
    async dispose() {
      await Promise.all(opened.map((store) => store.close()));
    },
  };
}

/** Defines the tests once per database; each test gets a database of its own through `current()`. */
export function describeStores(title: string, define: (current: () => Harness) => void): void {
  const databases = [
    ['SQLite', sqliteHarness, false],
    ['PostgreSQL', postgresHarness, 'skip' in postgres ? postgres.skip : false],
  ] as const;
  for (const [name, make, skip] of databases) {
    describe(`${title} (${name})`, { skip }, () => {
      let harness: Harness | undefined;
      beforeEach(async () => {
        harness = await make();
      });
      afterEach(async () => {
        await harness?.dispose();
        harness = undefined;
      });
      define(() => {
        if (harness === undefined) throw new Error('no database outside a test');
        return harness;
      });
    });
  }
}
