import type { TableName, Tables } from '@certwright/core';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { SqlValue } from '../schema/columns.ts';
import { type Dialect, quote } from '../schema/ddl.ts';
import { RECORD_TABLES } from '../schema/tables.ts';
import { codecOf } from '../write/encode.ts';

export type Row = readonly SqlValue[];

/** Runs reading statements; rows are arrays in the order of the select list. */
export interface Reader {
  readonly dialect: Dialect;
  /** `isHot`: the text is one of a fixed few, worth a prepared statement on the server. @throws StoreUnavailableError */
  rows(sql: string, parameters: readonly SqlValue[], isHot: boolean): Promise<readonly Row[]>;
}

/** Tables and columns are named by strings: the table definitions are the one place that knows them. */
export interface AnyDatabase {
  [table: string]: { [column: string]: SqlValue };
}

/** Builds queries and runs none: the text goes through a {@link Reader}. */
export function createQueryBuilder(dialect: Dialect): Kysely<AnyDatabase> {
  return new Kysely<AnyDatabase>({
    dialect:
      dialect === 'sqlite'
        ? {
            createAdapter: () => new SqliteAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new SqliteIntrospector(db),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          }
        : {
            createAdapter: () => new PostgresAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new PostgresIntrospector(db),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
  });
}

/** What a query of Kysely gives to be run. */
interface Compilable {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
}

export interface Queries {
  readonly reader: Reader;
  readonly db: Kysely<AnyDatabase>;
  /** Runs a built query. */
  run(query: Compilable): Promise<readonly Row[]>;
  /** Rows of one table with these members equal, `rest` appended to the text (order, limit). */
  select<T extends TableName>(table: T, equal: Partial<Tables[T]>, rest?: string): Promise<readonly Tables[T][]>;
  /** The first of them. */
  first<T extends TableName>(table: T, equal: Partial<Tables[T]>, rest?: string): Promise<Tables[T] | undefined>;
}

/** Select list of a record table in the order in which its codec decodes. */
export const columnNames = (table: TableName): readonly string[] => codecOf(table).columns.map(({ name }) => name);

/** Decodes a row whose first cells are {@link columnNames}. */
export function decodeRow<T extends TableName>(table: T, row: Row): Tables[T] {
  // the codec is made from the definition that the compiler has checked against the record
  const record: unknown = codecOf(table).decode(row);
  return record as Tables[T];
}

export function createQueries(reader: Reader): Queries {
  const db = createQueryBuilder(reader.dialect);
  /** Texts of the fixed few queries below, by table, members and rest. */
  const texts = new Map<string, string>();
  const placeholder = (at: number): string => (reader.dialect === 'sqlite' ? '?' : `$${at + 1}`);

  function textOf(table: TableName, members: readonly string[], rest: string): string {
    const key = `${table} ${members.join()} ${rest}`;
    let text = texts.get(key);
    if (text === undefined) {
      const definition = RECORD_TABLES[table];
      const conditions = members.map((member, at) => {
        const column = definition.columns.find((one) => one.member === member);
        if (column === undefined) throw new TypeError(`${table} has no member ${member}`);
        return `${quote(column.name)} = ${placeholder(at)}`;
      });
      const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
      text =
        `select ${columnNames(table).map(quote).join(', ')} from ${quote(definition.name)}${where} ${rest}`.trimEnd();
      texts.set(key, text);
    }
    return text;
  }

  async function select<T extends TableName>(
    table: T,
    equal: Partial<Tables[T]>,
    rest = '',
  ): Promise<readonly Tables[T][]> {
    const members = Object.keys(equal);
    const values: Readonly<Record<string, unknown>> = equal;
    const codec = codecOf(table);
    const text = textOf(table, members, rest);
    const parameters = members.map((member) => codec.encodeCell(member, values[member]));
    const rows = await reader.rows(text, parameters, true);
    return rows.map((row) => decodeRow(table, row));
  }

  return {
    reader,
    db,
    run(query) {
      const { sql, parameters } = query.compile();
      return reader.rows(sql, parameters as readonly SqlValue[], false);
    },
    select,
    async first(table, equal, rest = 'limit 1') {
      const [row] = await select(table, equal, rest);
      return row;
    },
  };
}
