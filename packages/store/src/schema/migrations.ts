import { type Dialect, tableDdl } from './ddl.ts';
import { ALL_TABLES } from './own-tables.ts';

/** One forward step from the schema version before it. */
export interface Migration {
  readonly name: string;
  readonly statements: (dialect: Dialect) => readonly string[];
}

/** A schema as it is made from nothing, and the steps that bring older ones up to it. */
export interface Schema {
  readonly create: (dialect: Dialect) => readonly string[];
  /** Step n leads from version n to n + 1; version 1 is the first schema. */
  readonly steps: readonly Migration[];
}

/** The current schema. A change edits the table definitions and adds the step that does the same to an existing database. */
export const SCHEMA: Schema = {
  create: (dialect) => ALL_TABLES.flatMap((table) => tableDdl(table, dialect)),
  steps: [],
};

export const VERSION_TABLE = `create table if not exists "schema_version" ("version" bigint not null, "name" text not null)`;

export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/**
 * What to run on a database whose newest recorded version is `found` (0: empty).
 * @throws SchemaError when the database is newer than this program.
 */
export function pendingMigrations(
  schema: Schema,
  found: number,
  dialect: Dialect,
): readonly { readonly version: number; readonly name: string; readonly statements: readonly string[] }[] {
  const newest = schema.steps.length + 1;
  if (found > newest) {
    throw new SchemaError(
      `the database has schema version ${found}, this program knows up to ${newest}: use a newer Certwright`,
    );
  }
  if (found === 0) return [{ version: newest, name: 'create', statements: schema.create(dialect) }];
  return schema.steps.slice(found - 1).map((step, at) => ({
    version: found + at + 1,
    name: step.name,
    statements: step.statements(dialect),
  }));
}
