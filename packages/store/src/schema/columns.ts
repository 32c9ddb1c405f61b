import type { TableName, Tables } from '@certwright/core';

/** What a database cell holds on both databases. Instants are integers (ms), booleans 0 or 1, JSON is text. */
export type SqlValue = number | string | Uint8Array | null;

/** `hex`: lower-case hex in the record, octets in the database. `bytesList`: JSON array of base64. */
export type ColumnType = 'integer' | 'text' | 'bytes' | 'boolean' | 'json' | 'bytesList' | 'hex';

export interface Column {
  /** Member of the record. */
  readonly member: string;
  /** Column in the database. */
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** Not in the record: made from it when the row is inserted, for an index. */
  readonly derive?: (record: Readonly<Record<string, unknown>>) => SqlValue;
}

export interface Index {
  /** Name without the table; for a unique one also the name of the constraint in a refusal, e.g. `number`. */
  readonly name: string;
  /** SQL of the indexed expressions. */
  readonly on: string;
  readonly unique: boolean;
  /** SQL of the predicate; queries that shall use the index repeat it word for word. */
  readonly where?: string;
}

/** One table: the DDL of both dialects and the codec are made from it. */
export interface TableDefinition {
  /** Name in constraints and write sets, e.g. `orderDomain`. */
  readonly label: string;
  readonly name: string;
  readonly columns: readonly Column[];
  /** `id` counts up by itself; or the primary key's columns. */
  readonly primaryKey: 'id' | 'autoId' | readonly string[];
  readonly indexes: readonly Index[];
  readonly versioned: boolean;
  /** Column whose values are counted by account in the kept counters; `''` counts rows only. */
  readonly counted: string | null;
}

type BaseType<V> = [V] extends [number]
  ? 'integer'
  : [V] extends [string]
    ? 'text' | 'hex'
    : [V] extends [boolean]
      ? 'boolean'
      : [V] extends [Uint8Array]
        ? 'bytes'
        : [V] extends [readonly Uint8Array[]]
          ? 'bytesList'
          : 'json';

type Spec<V> = null extends V ? `${BaseType<NonNullable<V>>}?` : BaseType<V>;
type Specs<R> = { readonly [M in keyof R]-?: Spec<R[M]> };

/** `accountId` becomes `account_id`. */
export const snakeCase = (member: string): string => member.replace(/[A-Z]/g, (upper) => `_${upper.toLowerCase()}`);

function column(member: string, spec: string): Column {
  const nullable = spec.endsWith('?');
  return { member, name: snakeCase(member), type: (nullable ? spec.slice(0, -1) : spec) as ColumnType, nullable };
}

export const index = (name: string, on: string, where?: string): Index =>
  where === undefined ? { name, on, unique: false } : { name, on, unique: false, where };
export const unique = (name: string, on: string, where?: string): Index =>
  where === undefined ? { name, on, unique: true } : { name, on, unique: true, where };

/** Table of a record of the core; the compiler checks that every member has its column and a fitting type. */
export function recordTable<T extends TableName>(
  label: T,
  name: string,
  specs: Specs<Tables[T]>,
  indexes: readonly Index[],
  { counted = null, derived = [] }: { readonly counted?: string | null; readonly derived?: readonly Column[] } = {},
): TableDefinition & { readonly label: T } {
  const columns = [...Object.entries<string>(specs).map(([member, spec]) => column(member, spec)), ...derived];
  return { label, name, columns, primaryKey: 'id', indexes, versioned: 'version' in specs, counted };
}

/** Table of the store's own. */
export function ownTable(
  name: string,
  specs: Readonly<Record<string, ColumnType | `${ColumnType}?`>>,
  primaryKey: TableDefinition['primaryKey'],
  indexes: readonly Index[] = [],
): TableDefinition {
  const columns = Object.entries<string>(specs).map(([member, spec]) => column(member, spec));
  return { label: name, name, columns, primaryKey, indexes, versioned: false, counted: null };
}
