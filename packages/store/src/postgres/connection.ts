import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Row } from '../read/reader.ts';
import type { SqlValue } from '../schema/columns.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** A server that does not answer is given up after this. */
const QUERY_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 10_000;
/** Texts with a prepared statement; others are sent in full. */
const MAX_PREPARED = 500;

/**
 * Every statement goes by an index. A plan that was cached while a table was empty would otherwise read all of it until
 * the server's next ANALYZE. No just-in-time compiler: it takes longer than any of our statements.
 */
const PLANNER = '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off';

/** A parameter: a cell, or a column of cells that the text unnests. */
export type Parameter = SqlValue | readonly SqlValue[];

const INT8 = 20;
const BYTEA = 17;

/** Parsers for our connections only: int8 as number (ids and instants stay below 2^53), bytea as plain octets. */
function typeParsers(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, Number);
  types.setTypeParser(BYTEA, (text: string) => new Uint8Array(Buffer.from(text.slice(2), 'hex')));
  return types;
}

export function connectionConfig(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    types: typeParsers(),
    application_name: 'certwright',
    options: PLANNER,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: QUERY_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    keepAlive: true,
  };
}

const names = new Map<string, string>();

/** Name of the prepared statement of a text; undefined when there are too many already. */
function preparedName(text: string): string | undefined {
  let name = names.get(text);
  if (name === undefined && names.size < MAX_PREPARED) {
    name = `c${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    names.set(text, name);
  }
  return name;
}

/** Query whose rows come as arrays of cells. */
export function arrayQuery(text: string, values: readonly Parameter[], isHot: boolean): pg.QueryArrayConfig<unknown[]> {
  const name = isHot ? preparedName(text) : undefined;
  return { text, values: [...values], rowMode: 'array', ...(name === undefined ? {} : { name }) };
}

/** Cells as our type parsers and columns yield them. */
export const cells = (rows: readonly unknown[][]): readonly Row[] => rows as readonly SqlValue[][];

/** `$1`, `$2`, … for position 0, 1, … */
export const placeholder = (at: number): string => `$${at + 1}`;
