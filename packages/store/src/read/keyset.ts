import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Slice } from './paging.ts';
import type { AnyDatabase } from './reader.ts';

export type Select = SelectQueryBuilder<AnyDatabase, string, Record<string, unknown>>;

/** A predicate given as SQL text; partial indexes are chosen only where the text is repeated as it stands in them. */
export const literally = (predicate: string): RawBuilder<SqlBool> => sql<SqlBool>`${sql.raw(predicate)}`;

/** Orders by the columns, all in one direction, and starts beyond the slice's key. */
export function keyset(query: Select, columns: readonly string[], { beyond, descending, limit }: Slice): Select {
  let slice = query;
  if (beyond !== undefined) {
    const refs = sql.join(columns.map((column) => sql.ref(column)));
    const operator = sql.raw(descending ? '<' : '>');
    slice = slice.where(sql<SqlBool>`(${refs}) ${operator} (${sql.join(beyond.map((part) => sql.val(part)))})`);
  }
  for (const column of columns) slice = slice.orderBy(column, descending ? 'desc' : 'asc');
  return slice.limit(limit);
}
