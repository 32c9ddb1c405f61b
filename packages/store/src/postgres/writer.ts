import { type Invalidation, StoreUnavailableError } from '@certwright/core';
import type { EncodedSet } from '../write/encode.ts';
import { MAX_BATCH, MAX_QUEUE } from '../write/limits.ts';
import type { UnitResult } from '../write/unit.ts';
import { type SetResult, WriterLane } from './lane.ts';

/** How far into the queue a lane looks for sets that it may take. */
const LOOK_AHEAD = 1_024;
/** Sets that a lane takes at least when there are more: a transaction costs as much as some ten of them. */
const MIN_SHARE = 16;

interface Waiting {
  readonly set: EncodedSet;
  readonly invalidate: readonly Invalidation[];
  /** Rows that the set compares and changes. */
  readonly rows: readonly string[];
  readonly resolve: (result: UnitResult) => void;
  readonly reject: (error: Error) => void;
}

const rowsOf = (set: EncodedSet): readonly string[] =>
  set.writes.flatMap((write) => (write.op === 'insert' ? [] : [`${write.table}:${write.id}`]));

/**
 * Hands write sets to the lanes: an idle lane takes all that waits. Sets that change the same row go into different
 * batches, one after the other.
 */
export class PostgresWriter {
  readonly #lanes: readonly WriterLane[];
  readonly #idle: WriterLane[];
  readonly #busyRows = new Set<string>();
  #queue: Waiting[] = [];
  #isPumping = false;
  #isClosed = false;
  #drained: (() => void) | undefined;

  constructor(url: string, processId: string, lanes: number) {
    this.#lanes = Array.from({ length: lanes }, () => new WriterLane(url, processId));
    this.#idle = [...this.#lanes];
  }

  submit(set: EncodedSet, invalidate: readonly Invalidation[]): Promise<UnitResult> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailableError('The store is closed', { unknown: false }));
    if (this.#queue.length >= MAX_QUEUE) {
      return Promise.reject(new StoreUnavailableError('The store is overloaded', { unknown: false }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<UnitResult>();
    this.#queue.push({ set, invalidate, rows: rowsOf(set), resolve, reject });
    this.#pumpSoon();
    return promise;
  }

  /** What else comes in this turn of the event loop joins the batch. */
  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const batch = this.#takeBatch();
      if (batch.length === 0) return;
      const lane = this.#idle.pop();
      if (lane === undefined) return;
      for (const { rows } of batch) for (const row of rows) this.#busyRows.add(row);
      void this.#runBatch(lane, batch);
    }
    if (this.#queue.length === 0 && this.#idle.length === this.#lanes.length) this.#drained?.();
  }

  /** The sets at the head of the queue, without those that touch a row of a set before them or of a batch under way. */
  #takeBatch(): readonly Waiting[] {
    const batch: Waiting[] = [];
    const passed: Waiting[] = [];
    const taken = new Set<string>();
    let at = 0;
    // all lanes work: their waits for the disk overlap; too small a share is not worth a transaction of its own
    const share = Math.max(MIN_SHARE, Math.ceil(this.#queue.length / this.#idle.length));
    for (; at < this.#queue.length && batch.length < Math.min(share, MAX_BATCH) && at < LOOK_AHEAD; at++) {
      const waiting = this.#queue[at];
      if (waiting === undefined) break;
      const isFree = waiting.rows.every((row) => !taken.has(row) && !this.#busyRows.has(row));
      // rows of sets passed over count as taken too: their order is kept
      for (const row of waiting.rows) taken.add(row);
      (isFree ? batch : passed).push(waiting);
    }
    if (batch.length > 0) this.#queue = [...passed, ...this.#queue.slice(at)];
    return batch;
  }

  async #runBatch(lane: WriterLane, batch: readonly Waiting[]): Promise<void> {
    let results: readonly SetResult[] = [];
    try {
      results = await lane.run(batch);
    } catch (error) {
      for (const { reject } of batch) reject(error instanceof Error ? error : new Error('the writer failed'));
    }
    for (const { rows } of batch) for (const row of rows) this.#busyRows.delete(row);
    this.#idle.push(lane);
    results.forEach((result, at) => {
      const waiting = batch[at];
      if (waiting === undefined) return;
      if (result.kind === 'done') waiting.resolve({ kind: 'done', rows: [] });
      else if (result.kind === 'unavailable') {
        const { message, unknown } = result.reason;
        waiting.reject(new StoreUnavailableError(`The store cannot write: ${message}`, { unknown }));
      } else waiting.resolve(result);
    });
    this.#pumpSoon();
  }

  /** Connects every lane, so that a wrong address shows at the start. */
  async start(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.connect()));
  }

  /** Commits what waits and closes the connections. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      if (this.#queue.length > 0 || this.#idle.length < this.#lanes.length) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#drained = resolve;
        await promise;
      }
    }
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }
}
