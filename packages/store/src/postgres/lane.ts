/** One writing connection with its lane of the audit chain. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Invalidation, TableName, WriteRefusal } from '@certwright/core';
import pg from 'pg';
import { auditCells, extendLane, type LaneHead, type LaneState, MAX_HEADS, needsTie, newLane } from '../audit/chain.ts';
import type { Row } from '../read/reader.ts';
import { hexOf } from '../schema/codec.ts';
import { AUDIT } from '../schema/own-tables.ts';
import { CounterDeltas } from '../write/counters.ts';
import { type EncodedSet, TABLE_LIST } from '../write/encode.ts';
import type { Unavailable } from '../write/unit.ts';
import { arrayQuery, cells, connectionConfig, type Parameter } from './connection.ts';
import { classifyPostgresError, type PostgresFailure } from './errors.ts';
import { type MergedStatement, type MissedRow, mergeSets } from './merge.ts';
import { NOTIFY_SQL, notificationPayloads } from './notifications.ts';
import { insertSql } from './statements.ts';

const LANE_OCTETS = 8;
/** Rows of each count; writers of all processes pick theirs at random. */
const COUNTER_SLOTS = 64;
const MAX_RETRIES = 5;

const AUDIT_ROW = { name: AUDIT.name, columns: AUDIT.columns.slice(1) };
const COUNTER_UPSERT = `insert into "counters" ("account_id", "name", "slot", "value")
  select v."account_id", v."name", $4::bigint, v."value" from unnest($1::bigint[], $2::text[], $3::bigint[]) as v("account_id", "name", "value")
  on conflict ("account_id", "name", "slot") do update set "value" = "counters"."value" + excluded."value"`;
// no writer ever waits for a row of audit_heads: what another one is about to quote is passed over
const HEAD_REPLACE = `with stale as (delete from "audit_heads" where ("lane", "sequence") in (
    select "lane", "sequence" from "audit_heads" where "lane" = $1 and "sequence" < $2 for update skip locked))
  insert into "audit_heads" ("lane", "sequence", "hash") values ($1, $2, $3)`;
const HEADS_TAKE = `delete from "audit_heads" where ("lane", "sequence") in (
    select "lane", "sequence" from "audit_heads" where "lane" <> $1 limit ${MAX_HEADS} for update skip locked)
  returning "lane", "sequence", "hash"`;

export type SetResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly refusal: WriteRefusal }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly reason: Unavailable };

export interface LaneSet {
  readonly set: EncodedSet;
  readonly invalidate: readonly Invalidation[];
}

type BatchOutcome =
  | { readonly kind: 'committed' }
  | { readonly kind: 'missed'; readonly rows: readonly MissedRow[] }
  | { readonly kind: 'failed'; readonly failure: PostgresFailure; readonly unknown: boolean };

interface Session {
  readonly client: pg.Client;
  lane: LaneState;
  isBroken: boolean;
}

function newestHeads(rows: readonly Row[]): readonly LaneHead[] {
  const heads = new Map<string, LaneHead>();
  for (const [lane, sequence, hash] of rows) {
    const head = {
      lane: String(lane),
      sequence: Number(sequence),
      hash: hash instanceof Uint8Array ? hexOf(hash) : '',
    };
    if ((heads.get(head.lane)?.sequence ?? 0) < head.sequence) heads.set(head.lane, head);
  }
  return [...heads.values()].sort((a, b) => (a.lane < b.lane ? -1 : 1));
}

export class WriterLane {
  readonly #url: string;
  readonly #processId: string;
  readonly #slot = randomInt(COUNTER_SLOTS);
  #session: Session | undefined;

  constructor(url: string, processId: string) {
    this.#url = url;
    this.#processId = processId;
  }

  /** Connects unless connected. Rejects with the error of pg. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  async #connected(): Promise<Session> {
    if (this.#session !== undefined && !this.#session.isBroken) return this.#session;
    this.#session = undefined;
    const client = new pg.Client({ ...connectionConfig(this.#url), pipeline: true });
    const session: Session = { client, lane: newLane(randomBytes(LANE_OCTETS)), isBroken: false };
    const onEnd = (): void => {
      session.isBroken = true;
    };
    client.on('error', onEnd);
    client.on('end', onEnd);
    await client.connect();
    this.#session = session;
    return session;
  }

  /**
   * Commits the sets and answers each. They share a transaction; those that are refused leave it, and a set that fails
   * is found by halving.
   */
  async run(sets: readonly LaneSet[]): Promise<readonly SetResult[]> {
    const results = new Map<LaneSet, SetResult>();
    await this.#runInto(sets, results, { retries: 0, hasReconnected: false });
    return sets.map((set) => results.get(set) ?? { kind: 'failed', message: 'a write set was left without an answer' });
  }

  async #runInto(
    sets: readonly LaneSet[],
    results: Map<LaneSet, SetResult>,
    { retries, hasReconnected }: { readonly retries: number; readonly hasReconnected: boolean },
  ): Promise<void> {
    if (sets.length === 0) return;
    const outcome = await this.#attempt(sets);
    const answerAll = (result: SetResult): void => {
      for (const set of sets) results.set(set, result);
    };
    if (outcome.kind === 'committed') return answerAll({ kind: 'done' });
    if (outcome.kind === 'missed') {
      const rest = refuseMissed(sets, outcome.rows, results);
      return this.#runInto(rest, results, { retries, hasReconnected });
    }
    const { failure, unknown } = outcome;
    if (failure.kind === 'unavailable') {
      // the server was restarted, perhaps long ago: nothing was committed, so a new connection may try again
      if (failure.isConnectionLost && !unknown && !hasReconnected) {
        return this.#runInto(sets, results, { retries, hasReconnected: true });
      }
      return answerAll({ kind: 'unavailable', reason: { message: failure.message, unknown } });
    }
    if (failure.kind === 'retry' && retries < MAX_RETRIES) {
      return this.#runInto(sets, results, { retries: retries + 1, hasReconnected });
    }
    if (sets.length === 1) {
      if (failure.kind === 'duplicate') return answerAll({ kind: 'refused', refusal: failure });
      if (failure.kind === 'bug') return answerAll({ kind: 'failed', message: failure.message });
      return answerAll({ kind: 'unavailable', reason: { message: 'transactions block each other', unknown: false } });
    }
    const middle = Math.ceil(sets.length / 2);
    await this.#runInto(sets.slice(0, middle), results, { retries: 0, hasReconnected });
    await this.#runInto(sets.slice(middle), results, { retries: 0, hasReconnected });
  }

  /** One transaction over all sets, rolled back unless all of it went well. */
  async #attempt(sets: readonly LaneSet[]): Promise<BatchOutcome> {
    let session: Session;
    try {
      session = await this.#connected();
    } catch (error) {
      return { kind: 'failed', failure: classifyPostgresError(error), unknown: false };
    }
    const { client } = session;
    const merged = mergeSets(sets.map(({ set }) => set));
    const entries = sets.flatMap(({ set }) => set.audit);
    let isCommitting = false;
    const query = async (text: string, values: readonly Parameter[]): Promise<readonly Row[]> =>
      cells((await client.query(arrayQuery(text, values, true))).rows);
    try {
      const isTie = needsTie(session.lane, entries);
      // the statements are sent without waiting for each other's answers; the first that fails makes the others fail
      const [, answers, heads] = await allOrFirstError([
        query('begin', []),
        allOrFirstError(merged.map(({ text, values }) => query(text, values))),
        isTie ? query(HEADS_TAKE, [session.lane.lane]) : Promise.resolve([]),
      ] as const);
      const { missed, deltas } = settle(merged, answers);
      if (missed.length > 0) {
        await query('rollback', []);
        return { kind: 'missed', rows: missed };
      }
      const { chained, state } = extendLane(session.lane, entries, isTie ? newestHeads(heads) : undefined);
      const tail = this.#tail(deltas, chained.map(auditCells), state, sets);
      // a failure before the commit turns it into a rollback, so it need not be waited for
      const sent = tail.map(([text, values]) => query(text, values));
      isCommitting = true;
      const commit = client.query('commit');
      await allOrFirstError([...sent, commit]);
      // the server answers ROLLBACK to the commit of a failed transaction
      if ((await commit).command !== 'COMMIT') {
        return { kind: 'failed', failure: { kind: 'bug', message: 'the commit was a rollback' }, unknown: false };
      }
      session.lane = state;
      return { kind: 'committed' };
    } catch (error) {
      const failure = classifyPostgresError(error);
      const isLost = failure.kind === 'unavailable' && failure.isConnectionLost;
      if (isLost || !(await this.#rollback(client))) await this.#drop(session);
      return { kind: 'failed', failure, unknown: isLost && isCommitting };
    }
  }

  /** What follows the sets' own statements: audit entries, counts, notifications. */
  #tail(
    deltas: CounterDeltas,
    audit: readonly (readonly Parameter[])[],
    { lane, sequence, hash }: LaneState,
    sets: readonly LaneSet[],
  ): readonly (readonly [text: string, values: readonly Parameter[]])[] {
    const tail: (readonly [string, readonly Parameter[]])[] = [];
    if (audit.length > 0) {
      const columns = AUDIT_ROW.columns.map((_, at) => audit.map((row) => row[at] ?? null)) as Parameter[];
      tail.push([insertSql(AUDIT_ROW), columns], [HEAD_REPLACE, [lane, sequence, Buffer.from(hash, 'hex')]]);
    }
    const changed = deltas.changed();
    if (changed.length > 0) {
      tail.push([
        COUNTER_UPSERT,
        [
          changed.map(({ accountId }) => accountId),
          changed.map(({ name }) => name),
          changed.map(({ delta }) => delta),
          this.#slot,
        ],
      ]);
    }
    const invalidations = sets.flatMap(({ invalidate }) => invalidate);
    for (const payload of notificationPayloads(this.#processId, invalidations)) tail.push([NOTIFY_SQL, [payload]]);
    return tail;
  }

  /** False when the connection is of no use any more. */
  async #rollback(client: pg.Client): Promise<boolean> {
    try {
      await client.query('rollback');
      return true;
    } catch {
      return false;
    }
  }

  async #drop(session: Session): Promise<void> {
    session.isBroken = true;
    if (this.#session === session) this.#session = undefined;
    // a connection that is gone already has nothing more to say
    await session.client.end().catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#session !== undefined) await this.#drop(this.#session);
  }
}

/** Waits for all, then rejects with the first error in the order given: later ones only follow from it. */
async function allOrFirstError<const T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function settle(
  merged: readonly MergedStatement[],
  answers: readonly (readonly Row[])[],
): { readonly missed: readonly MissedRow[]; readonly deltas: CounterDeltas } {
  const deltas = new CounterDeltas();
  const missed = merged.flatMap((statement, at) => statement.settle(answers[at] ?? [], deltas));
  return { missed, deltas };
}

/** Refuses the sets that wanted to change one of the rows; returns the others. */
function refuseMissed(
  sets: readonly LaneSet[],
  missed: readonly MissedRow[],
  results: Map<LaneSet, SetResult>,
): readonly LaneSet[] {
  const byKey = new Map(missed.map((row) => [`${row.table}:${row.id}`, row]));
  return sets.filter((laneSet) => {
    const write = laneSet.set.writes.find((one) => one.op !== 'insert' && byKey.has(`${one.table}:${one.id}`));
    if (write === undefined) return true;
    // the label of a record table is its name in write sets
    const table = TABLE_LIST[write.table]?.label as TableName;
    results.set(laneSet, { kind: 'refused', refusal: { kind: 'conflict', table, id: write.id } });
    return false;
  });
}
