/** Merges write sets into few statements: one per table and shape, whatever the number of sets. */

import type { Row } from '../read/reader.ts';
import type { SqlValue, TableDefinition } from '../schema/columns.ts';
import { CERTIFICATE_NAMES, JOBS } from '../schema/own-tables.ts';
import { type CounterDeltas, counterName } from '../write/counters.ts';
import {
  type EncodedDelete,
  type EncodedInsert,
  type EncodedSet,
  type EncodedUpdate,
  TABLE_LIST,
} from '../write/encode.ts';
import { deleteSql, insertSql, updateSql } from './statements.ts';

/** A merged statement and what its answer means. */
export interface MergedStatement {
  readonly text: string;
  readonly values: readonly (readonly SqlValue[])[];
  /** Adds to the counts; returns the ids that the statement should have changed and has not. */
  readonly settle: (rows: readonly Row[], deltas: CounterDeltas) => readonly MissedRow[];
}

export interface MissedRow {
  readonly table: number;
  readonly id: number;
}

interface Merged {
  readonly updates: Map<string, EncodedUpdate[]>;
  readonly deletes: Map<number, EncodedDelete[]>;
  readonly inserts: Map<number, EncodedInsert[]>;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Arrays of the values of one column each. */
function byColumn(width: number, rows: readonly (readonly SqlValue[])[]): SqlValue[][] {
  return Array.from({ length: width }, (_, at) => rows.map((row) => row[at] ?? null));
}

function tableAt(table: number): TableDefinition {
  const definition = TABLE_LIST[table];
  if (definition === undefined) throw new TypeError('unknown table');
  return definition;
}

function missing(table: number, ids: readonly number[], rows: readonly Row[]): readonly MissedRow[] {
  if (rows.length === ids.length) return [];
  const found = new Set(rows.map(([id]) => id));
  return ids.filter((id) => !found.has(id)).map((id) => ({ table, id }));
}

function updateStatement(updates: readonly EncodedUpdate[]): MergedStatement | undefined {
  const [first] = updates;
  if (first === undefined) return undefined;
  const table = tableAt(first.table);
  // in the order of the ids, so that two writers lock common rows in the same order
  const sorted = updates.toSorted((a, b) => a.id - b.id);
  const rows = sorted.map((one) => [one.id, one.version, ...one.values]);
  const wanted = new Map(sorted.map((one) => [one.id, one.counted]));
  return {
    text: updateSql(table, first.columns),
    values: byColumn(first.columns.length + 2, rows),
    settle(answer, deltas) {
      for (const [id, accountId, before] of answer) {
        const counted = wanted.get(Number(id));
        if (typeof counted !== 'string' || before === counted) continue;
        deltas.add(Number(accountId), counterName(table, String(before)), -1);
        deltas.add(Number(accountId), counterName(table, counted), 1);
      }
      return missing(first.table, [...wanted.keys()], answer);
    },
  };
}

function deleteStatement(tableNumber: number, deletes: readonly EncodedDelete[]): MergedStatement {
  const table = tableAt(tableNumber);
  const ids = deletes.map(({ id }) => id).sort((a, b) => a - b);
  return {
    text: deleteSql(table),
    values: [ids],
    settle(answer, deltas) {
      if (table.counted !== null) {
        for (const [, accountId, value] of answer) deltas.add(Number(accountId), counterName(table, String(value)), -1);
      }
      return missing(tableNumber, ids, answer);
    },
  };
}

function insertStatement(tableNumber: number, inserts: readonly EncodedInsert[]): MergedStatement {
  const table = tableAt(tableNumber);
  return {
    text: insertSql(table),
    values: byColumn(
      table.columns.length,
      inserts.map(({ values }) => values),
    ),
    settle(_answer, deltas) {
      for (const { counted } of inserts) {
        if (counted !== null) deltas.add(counted.accountId, counterName(table, counted.value), 1);
      }
      return [];
    },
  };
}

const noMisses = (): readonly MissedRow[] => [];

function nameStatement(inserts: readonly EncodedInsert[]): MergedStatement | undefined {
  const rows = inserts.flatMap(({ id, names }) => names.map((name) => [name, id]));
  if (rows.length === 0) return undefined;
  return { text: insertSql(CERTIFICATE_NAMES), values: byColumn(2, rows), settle: noMisses };
}

const NEW_JOB = {
  name: JOBS.name,
  columns: JOBS.columns.filter(({ name }) => name !== 'id' && name !== 'lease_until'),
};

function jobStatement(sets: readonly EncodedSet[]): MergedStatement | undefined {
  const jobs = sets.flatMap((set) => set.jobs);
  if (jobs.length === 0) return undefined;
  const rows = jobs
    .toSorted((a, b) => (`${a.kind} ${a.key}` < `${b.kind} ${b.key}` ? -1 : 1))
    .map((job) => [job.kind, job.key, job.payload, job.runAt, 0, '', job.createdAt]);
  return {
    text: insertSql(NEW_JOB, 'on conflict do nothing'),
    values: byColumn(NEW_JOB.columns.length, rows),
    settle: noMisses,
  };
}

/** The statements of a batch in a fixed order of kinds and tables, the same in every writer. */
export function mergeSets(sets: readonly EncodedSet[]): readonly MergedStatement[] {
  const merged: Merged = { updates: new Map(), deletes: new Map(), inserts: new Map() };
  for (const write of sets.flatMap((set) => set.writes)) {
    if (write.op === 'insert') push(merged.inserts, write.table, write);
    else if (write.op === 'delete') push(merged.deletes, write.table, write);
    else push(merged.updates, `${String(write.table).padStart(3, '0')} ${write.columns.join()}`, write);
  }
  const byKey = <K extends string | number, V>(map: Map<K, V>): [K, V][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const inserts = byKey(merged.inserts);
  return [
    ...byKey(merged.updates).map(([, updates]) => updateStatement(updates)),
    ...byKey(merged.deletes).map(([table, deletes]) => deleteStatement(table, deletes)),
    ...inserts.map(([table, rows]) => insertStatement(table, rows)),
    nameStatement(inserts.flatMap(([, rows]) => rows)),
    jobStatement(sets),
  ].filter((statement) => statement !== undefined);
}
