import { randomBytes } from 'node:crypto';
import type { Backend } from '../backend.ts';
import { SCHEMA, type Schema, SchemaError } from '../schema/migrations.ts';
import { type CertwrightStore, createStore } from '../store.ts';
import { InvalidationHub } from '../write/invalidations.ts';
import { runCommand } from './commands.ts';
import { migratePostgres } from './migrate.ts';
import { NotificationListener } from './notifications.ts';
import { PostgresPool, toStoreError } from './pool.ts';
import { PostgresWriter } from './writer.ts';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with `sslmode` where wanted. */
  readonly url: string;
  /** Writing connections, each with a lane of the audit chain; default 4. */
  readonly writers?: number;
  /** Connections for reads and small transactions; default 6. */
  readonly readers?: number;
  /** Another schema than the program's own, for tests of migrations. */
  readonly schema?: Schema;
}

async function openBackend({ url, writers = 4, readers = 6, schema = SCHEMA }: PostgresStoreOptions): Promise<Backend> {
  try {
    await migratePostgres(url, schema);
  } catch (error) {
    throw error instanceof SchemaError ? error : toStoreError(error, false);
  }
  const processId = randomBytes(8).toString('hex');
  const invalidations = new InvalidationHub();
  const pool = new PostgresPool(url, readers);
  const writer = new PostgresWriter(url, processId, writers);
  const listener = new NotificationListener(url, processId, invalidations);
  const close = async (): Promise<void> => {
    await writer.close();
    await Promise.all([listener.close(), pool.close()]);
  };
  try {
    await Promise.all([writer.start(), listener.start()]);
  } catch (error) {
    await close();
    throw toStoreError(error, false);
  }
  return {
    kind: 'postgres',
    invalidations,
    reader: { dialect: 'postgres', rows: (sql, parameters, isHot) => pool.read(sql, parameters, isHot) },
    async submit(unit, invalidate) {
      if (unit.kind === 'set') return writer.submit(unit.set, invalidate);
      return { kind: 'done', rows: await runCommand(pool, unit) };
    },
    openSnapshot: () => pool.snapshot(),
    close,
  };
}

/**
 * Opens a PostgreSQL database, makes or migrates its schema. Any number of processes may use the same database.
 * @throws StoreUnavailableError when it cannot be reached; SchemaError when it is newer than this program.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<CertwrightStore> {
  return createStore(await openBackend(options));
}
