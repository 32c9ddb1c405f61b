import { indexName } from '../schema/ddl.ts';
import { ALL_TABLES } from '../schema/own-tables.ts';

const unquoted = (sql: string): string => sql.replaceAll('"', '');

/**
 * Names of unique constraints as refusals tell them (`order.number`), by what the databases call them: PostgreSQL the
 * index, SQLite the index when it is over expressions and the columns otherwise.
 */
const CONSTRAINTS: ReadonlyMap<string, string> = new Map(
  ALL_TABLES.flatMap((table) => [
    [`${table.name}.id`, `${table.label}.id`] as const,
    [`${table.name}_pkey`, `${table.label}.id`] as const,
    ...table.indexes
      .filter((index) => index.unique)
      .flatMap((index) => {
        const constraint = `${table.label}.${index.name}`;
        const columns = unquoted(index.on)
          .split(', ')
          .map((column) => `${table.name}.${column}`)
          .join(', ');
        return [[indexName(table, index), constraint] as const, [columns, constraint] as const];
      }),
  ]),
);

/** Name of a constraint for a refusal. */
export const constraintName = (databaseName: string): string => CONSTRAINTS.get(databaseName) ?? databaseName;
