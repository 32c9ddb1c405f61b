import { pendingMigrations, type Schema, SchemaError, VERSION_TABLE } from '../schema/migrations.ts';
import type { SqliteConnection } from './database.ts';

function foundVersion(db: SqliteConnection): number {
  const [row] = db.all('select coalesce(max("version"), 0) from "schema_version"', []);
  return Number(row?.[0] ?? 0);
}

/**
 * Brings the database to the current schema, in one exclusive transaction: of several processes that start at once one
 * does the work and the others find it done.
 * @throws SchemaError when the database is newer than this program.
 */
export function migrateSqlite(db: SqliteConnection, schema: Schema): void {
  db.exec('begin exclusive');
  try {
    db.exec(VERSION_TABLE);
    for (const { version, name, statements } of pendingMigrations(schema, foundVersion(db), 'sqlite')) {
      for (const statement of statements) db.exec(statement);
      db.run('insert into "schema_version" ("version", "name") values (?, ?)', [version, name]);
    }
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}

/** For a connection that only reads. @throws SchemaError unless the database has exactly the current schema. */
export function requireCurrentSchema(db: SqliteConnection, schema: Schema): void {
  const pending = pendingMigrations(schema, foundVersion(db), 'sqlite');
  if (pending.length > 0)
    throw new SchemaError('the database has an older schema: start the server once to migrate it');
}
