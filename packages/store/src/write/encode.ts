/** Turns write sets into cells: plain data that a worker thread or a connection can execute. */
import { type AuditDraft, type TableName, type Tables, unreachable, type WriteSet } from '@certwright/core';
import { type AuditEntry, encodeAudit } from '../audit/chain.ts';
import { type Codec, createCodec } from '../schema/codec.ts';
import type { SqlValue, TableDefinition } from '../schema/columns.ts';
import { RECORD_TABLES, reverseName } from '../schema/tables.ts';

/** Record tables by the number that encoded writes carry. */
export const TABLE_LIST: readonly TableDefinition[] = Object.values(RECORD_TABLES);

const CODECS: readonly Codec[] = TABLE_LIST.map(createCodec);
const NUMBERS = new Map(TABLE_LIST.map((table, at) => [table.label, at]));

export interface EncodedInsert {
  readonly op: 'insert';
  readonly table: number;
  readonly id: number;
  readonly values: readonly SqlValue[];
  /** Certificates: the names with labels reversed. */
  readonly names: readonly string[];
  readonly counted: { readonly accountId: number; readonly value: string } | null;
}

export interface EncodedUpdate {
  readonly op: 'update';
  readonly table: number;
  readonly id: number;
  readonly version: number;
  /** Positions in the table's columns, ascending. */
  readonly columns: readonly number[];
  readonly values: readonly SqlValue[];
  /** New value of the counted column when it is set. */
  readonly counted: string | null;
}

export interface EncodedDelete {
  readonly op: 'delete';
  readonly table: number;
  readonly id: number;
}

export type EncodedWrite = EncodedInsert | EncodedUpdate | EncodedDelete;

export interface EncodedJob {
  readonly kind: string;
  readonly key: string | null;
  readonly payload: string;
  readonly runAt: number;
  readonly createdAt: number;
}

export interface EncodedSet {
  readonly writes: readonly EncodedWrite[];
  readonly audit: readonly AuditEntry[];
  readonly jobs: readonly EncodedJob[];
}

/** Most rows that one write set may touch; a use case that needs more works in slices. */
const MAX_WRITES = 5_000;

const codecAt = (table: number): { readonly codec: Codec; readonly definition: TableDefinition } => {
  const codec = CODECS[table];
  const definition = TABLE_LIST[table];
  if (codec === undefined || definition === undefined) throw new TypeError('unknown table');
  return { codec, definition };
};

/** The codec of a record table. */
export const codecOf = (label: TableName): Codec => codecAt(numberOf(label)).codec;

function numberOf(label: string): number {
  const at = NUMBERS.get(label);
  if (at === undefined) throw new TypeError(`unknown table ${label}`);
  return at;
}

function encodeInsert(table: number, row: Tables[TableName]): EncodedInsert {
  const { codec, definition } = codecAt(table);
  const { counted } = definition;
  const members: Readonly<Record<string, unknown>> = { ...row };
  return {
    op: 'insert',
    table,
    id: row.id,
    values: codec.encodeRow(row),
    names: 'names' in row && 'serial' in row ? [...new Set(row.names.map(reverseName))] : [],
    counted:
      counted === null
        ? null
        : { accountId: Number(members.accountId), value: counted === '' ? '' : String(members[counted]) },
  };
}

function encodeUpdate(table: number, id: number, version: number, set: object): EncodedUpdate {
  const { codec, definition } = codecAt(table);
  // what the side tables and derived columns are made from is fixed when the row is made
  if ((definition.label === 'certificate' && 'names' in set) || (definition.label === 'domain' && 'name' in set)) {
    throw new TypeError(`the names of a ${definition.label} cannot change`);
  }
  if (definition.counted !== null && 'accountId' in set) throw new TypeError('a counted row stays in its account');
  const { columns, values } = codec.encodeSet(set);
  const members: Readonly<Record<string, unknown>> = { ...set };
  const counted = definition.counted === null || definition.counted === '' ? undefined : members[definition.counted];
  return { op: 'update', table, id, version, columns, values, counted: counted === undefined ? null : String(counted) };
}

/**
 * Encodes a write set.
 * @throws TypeError when a value does not fit its column: a bug of the caller, never a matter of input.
 */
export function encodeSet(set: WriteSet): EncodedSet {
  if (set.writes.length > MAX_WRITES) throw new TypeError(`a write set may touch ${MAX_WRITES} rows at most`);
  const audit: readonly AuditDraft[] = 'audit' in set ? set.audit : [];
  const writes = set.writes.map((write): EncodedWrite => {
    const table = numberOf(write.table);
    switch (write.op) {
      case 'insert':
        return encodeInsert(table, write.row);
      case 'update':
        return encodeUpdate(table, write.id, write.version, write.set);
      case 'delete':
        if (write.table === 'certificate') throw new TypeError('certificates are never deleted');
        return { op: 'delete', table, id: write.id };
      default:
        return unreachable(write);
    }
  });
  const jobs = (set.jobs ?? []).map((job) => ({
    kind: job.kind,
    key: job.key,
    payload: JSON.stringify(job.payload),
    runAt: job.runAt,
    createdAt: audit[0]?.at ?? job.runAt,
  }));
  return { writes, audit: audit.map(encodeAudit), jobs };
}
