import pg from 'pg';
import { pendingMigrations, type Schema, VERSION_TABLE } from '../schema/migrations.ts';
import { connectionConfig } from './connection.ts';

/** Key of the advisory lock, an arbitrary constant of this program. */
const MIGRATION_LOCK = 7_306_122_853;
const MIGRATION_TIMEOUT_MS = 3_600_000;

/**
 * Brings the database to the current schema. Of several processes that start at once one does the work, the others
 * wait for it and find it done.
 * @throws SchemaError when the database is newer than this program.
 */
export async function migratePostgres(url: string, schema: Schema): Promise<void> {
  const client = new pg.Client({
    ...connectionConfig(url),
    query_timeout: MIGRATION_TIMEOUT_MS,
    statement_timeout: MIGRATION_TIMEOUT_MS,
    lock_timeout: MIGRATION_TIMEOUT_MS,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('begin');
    // held to the end of the transaction, so the version read below is the newest
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(VERSION_TABLE);
    const { rows } = await client.query('select coalesce(max("version"), 0) as "version" from "schema_version"');
    for (const { version, name, statements } of pendingMigrations(schema, Number(rows[0]?.version), 'postgres')) {
      for (const statement of statements) await client.query(statement);
      await client.query('insert into "schema_version" ("version", "name") values ($1, $2)', [version, name]);
    }
    await client.query('commit');
  } finally {
    // closing the connection rolls back what was not committed
    await client.end();
  }
}
