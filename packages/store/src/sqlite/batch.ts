/** Runs batches of units on the writing connection: one transaction each, whatever the number of units. */
import { type TableName, unreachable, type WriteRefusal } from '@certwright/core';
import {
  type AuditEntry,
  auditCells,
  extendLane,
  type LaneHead,
  type LaneState,
  MAX_HEADS,
  needsTie,
} from '../audit/chain.ts';
import { hexOf } from '../schema/codec.ts';
import type { TableDefinition } from '../schema/columns.ts';
import { AUDIT, AUDIT_HEADS } from '../schema/own-tables.ts';
import { CounterDeltas, counterName } from '../write/counters.ts';
import {
  type EncodedDelete,
  type EncodedInsert,
  type EncodedSet,
  type EncodedUpdate,
  type EncodedWrite,
  TABLE_LIST,
} from '../write/encode.ts';
import type { Unit, UnitResult } from '../write/unit.ts';
import { runCommand } from './commands.ts';
import type { SqliteConnection } from './database.ts';
import { classifySqliteError } from './errors.ts';
import { deleteSql, insertSql, selectCountedSql, updateSql } from './statements.ts';

/** A unit said no; the transaction, or its savepoint, is rolled back. */
class Refused extends Error {
  readonly refusal: WriteRefusal;
  constructor(refusal: WriteRefusal) {
    super(refusal.kind);
    this.refusal = refusal;
  }
}

function conflict(table: TableDefinition, id: number): Refused {
  // the label of a record table is its name in write sets
  return new Refused({ kind: 'conflict', table: table.label as TableName, id });
}

/** What the units of a batch leave to be written at its end. */
interface Tail {
  readonly entries: AuditEntry[];
  readonly deltas: CounterDeltas;
}

interface SetEffects {
  readonly counts: (readonly [accountId: number, name: string, delta: number])[];
}

const AUDIT_INSERT = insertSql({ ...AUDIT, columns: AUDIT.columns.slice(1) });
const NAME_INSERT = 'insert into "certificate_names" ("name_reversed", "certificate_id") values (?, ?)';
const JOB_INSERT =
  'insert into "jobs" ("kind", "key", "payload", "run_at", "attempts", "last_error", "created_at") values (?, ?, ?, ?, 0, \'\', ?) on conflict do nothing';
const COUNTER_UPSERT =
  'insert into "counters" ("account_id", "name", "slot", "value") values (?, ?, 0, ?) on conflict ("account_id", "name", "slot") do update set "value" = "value" + excluded."value"';
const HEADS_OF_OTHERS = `select "lane", "sequence", "hash" from "audit_heads" where "lane" <> ? order by "lane", "sequence" desc limit ${MAX_HEADS}`;

export class SqliteBatchRunner {
  readonly #db: SqliteConnection;
  #lane: LaneState;
  #isCommitting = false;

  constructor(db: SqliteConnection, lane: LaneState) {
    this.#db = db;
    this.#lane = lane;
  }

  /** After an error: the commit itself failed, so that its outcome is in doubt. */
  get isCommitting(): boolean {
    return this.#isCommitting;
  }

  /**
   * Commits the units and answers each. They share a transaction; only when one fails is the batch run again with
   * a savepoint around each, which costs more.
   * @throws the error of node:sqlite when the database cannot be used; nothing of the batch took effect then.
   */
  run(units: readonly Unit[]): readonly UnitResult[] {
    try {
      return this.#transaction(units, (unit, tail) => this.#apply(unit, tail));
    } catch (error) {
      this.#rollback();
      const isUnavailable = !(error instanceof Refused) && classifySqliteError(error).kind === 'unavailable';
      if (isUnavailable || this.#isCommitting) throw error;
    }
    try {
      return this.#transaction(units, (unit, tail) => this.#applyGuarded(unit, tail));
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #rollback(): void {
    // a full disk makes SQLite roll back by itself
    if (this.#db.isTransaction) this.#db.exec('rollback');
  }

  #transaction(units: readonly Unit[], apply: (unit: Unit, tail: Tail) => UnitResult): readonly UnitResult[] {
    const tail: Tail = { entries: [], deltas: new CounterDeltas() };
    this.#isCommitting = false;
    this.#db.exec('begin immediate');
    const results = units.map((unit) => apply(unit, tail));
    const lane = this.#finish(tail);
    this.#isCommitting = true;
    this.#db.exec('commit');
    this.#isCommitting = false;
    this.#lane = lane;
    return results;
  }

  #applyGuarded(unit: Unit, tail: Tail): UnitResult {
    this.#db.exec('savepoint unit');
    try {
      const result = this.#apply(unit, tail);
      this.#db.exec('release unit');
      return result;
    } catch (error) {
      const failure = error instanceof Refused ? undefined : classifySqliteError(error);
      if (failure?.kind === 'unavailable') throw error;
      this.#db.exec('rollback to unit');
      this.#db.exec('release unit');
      if (error instanceof Refused) return { kind: 'refused', refusal: error.refusal };
      if (failure?.kind === 'duplicate') return { kind: 'refused', refusal: failure };
      return { kind: 'failed', message: failure?.message ?? 'unknown error' };
    }
  }

  #apply(unit: Unit, tail: Tail): UnitResult {
    if (unit.kind !== 'set') return { kind: 'done', rows: runCommand(this.#db, unit) };
    const effects = this.#applySet(unit.set);
    // nothing may fail from here on: the batch's tail must hold exactly what its members did
    for (const [accountId, name, delta] of effects.counts) tail.deltas.add(accountId, name, delta);
    tail.entries.push(...unit.set.audit);
    return { kind: 'done', rows: [] };
  }

  #applySet(set: EncodedSet): SetEffects {
    const effects: SetEffects = { counts: [] };
    for (const write of set.writes) this.#applyWrite(write, effects);
    for (const job of set.jobs) this.#db.run(JOB_INSERT, [job.kind, job.key, job.payload, job.runAt, job.createdAt]);
    return effects;
  }

  #applyWrite(write: EncodedWrite, effects: SetEffects): void {
    const table = TABLE_LIST[write.table];
    if (table === undefined) throw new TypeError('unknown table');
    switch (write.op) {
      case 'insert':
        this.#insert(table, write, effects);
        break;
      case 'update':
        this.#update(table, write, effects);
        break;
      case 'delete':
        this.#delete(table, write, effects);
        break;
      default:
        unreachable(write);
    }
  }

  #insert(table: TableDefinition, write: EncodedInsert, { counts }: SetEffects): void {
    this.#db.run(insertSql(table), write.values);
    for (const name of write.names) this.#db.run(NAME_INSERT, [name, write.id]);
    if (write.counted !== null) counts.push([write.counted.accountId, counterName(table, write.counted.value), 1]);
  }

  #update(table: TableDefinition, write: EncodedUpdate, { counts }: SetEffects): void {
    if (write.counted !== null) {
      const { accountId, value } = this.#countedOf(table, write.id);
      if (value !== write.counted) {
        counts.push([accountId, counterName(table, value), -1], [accountId, counterName(table, write.counted), 1]);
      }
    }
    const changed = this.#db.run(updateSql(table, write.columns), [...write.values, write.id, write.version]);
    if (changed !== 1) throw conflict(table, write.id);
  }

  #delete(table: TableDefinition, write: EncodedDelete, { counts }: SetEffects): void {
    if (table.counted !== null) {
      const { accountId, value } = this.#countedOf(table, write.id);
      counts.push([accountId, counterName(table, value), -1]);
    }
    if (this.#db.run(deleteSql(table), [write.id]) !== 1) throw conflict(table, write.id);
  }

  #countedOf(table: TableDefinition, id: number): { readonly accountId: number; readonly value: string } {
    const [row] = this.#db.all(selectCountedSql(table), [id]);
    if (row === undefined) throw conflict(table, id);
    return { accountId: Number(row[0]), value: String(row[1]) };
  }

  /** Audit entries and counts of the whole batch; returns where the lane will stand after the commit. */
  #finish({ entries, deltas }: Tail): LaneState {
    for (const { accountId, name, delta } of deltas.changed()) this.#db.run(COUNTER_UPSERT, [accountId, name, delta]);
    if (entries.length === 0) return this.#lane;
    const { lane } = this.#lane;
    const heads = needsTie(this.#lane, entries) ? this.#takeHeads(lane) : undefined;
    const { chained, state } = extendLane(this.#lane, entries, heads);
    for (const entry of chained) this.#db.run(AUDIT_INSERT, auditCells(entry));
    this.#db.run('delete from "audit_heads" where "lane" = ?', [lane]);
    this.#db.run(insertSql(AUDIT_HEADS), [lane, state.sequence, Buffer.from(state.hash, 'hex')]);
    return state;
  }

  /** Heads that a tie quotes need no quoting again. */
  #takeHeads(lane: string): readonly LaneHead[] {
    const heads = this.#db.all(HEADS_OF_OTHERS, [lane]).map(([other, sequence, hash]) => ({
      lane: String(other),
      sequence: Number(sequence),
      hash: hash instanceof Uint8Array ? hexOf(hash) : '',
    }));
    for (const head of heads) {
      this.#db.run('delete from "audit_heads" where "lane" = ? and "sequence" <= ?', [head.lane, head.sequence]);
    }
    return heads;
  }
}
