import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { StoreUnavailableError } from '@certwright/core';
import { MAX_BATCH, MAX_QUEUE } from '../write/limits.ts';
import type { Unavailable, Unit, UnitResult } from '../write/unit.ts';
import type { WorkerAnswer, WorkerRequest, WorkerSettings } from './protocol.ts';

interface Waiting {
  readonly unit: Unit;
  readonly resolve: (result: UnitResult) => void;
  readonly reject: (error: Error) => void;
}

const unavailableError = ({ message, unknown }: Unavailable): StoreUnavailableError =>
  new StoreUnavailableError(`The store cannot write: ${message}`, { unknown });

/**
 * Batches that the writing thread may have before it: one at work and others that wait, so that it never idles while the
 * server's thread is busy with the callers of the last one.
 */
const MAX_IN_FLIGHT = 2;
/** So many units go at once, half of what 32 callers have under way; fewer wait for what else comes in this turn of the event loop. */
const EAGER_BATCH = 16;

/** Collects units and hands them to the writing thread in batches: all that has come meanwhile goes into the next. */
export class SqliteWriter {
  readonly #settings: WorkerSettings;
  #worker: Worker | undefined;
  #queue: Waiting[] = [];
  /** Oldest first; the thread answers in this order. */
  readonly #inFlight: (readonly Waiting[])[] = [];
  #isPumping = false;
  #isClosed = false;
  #idle: (() => void) | undefined;
  #answered: () => void = () => undefined;

  private constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }

  static async start(settings: WorkerSettings): Promise<SqliteWriter> {
    const writer = new SqliteWriter(settings);
    const worker = writer.#spawn();
    // a worker that cannot open the database ends with an error, which `once` rejects with
    await once(worker, 'message');
    return writer;
  }

  /** Is called when a batch was committed or given up, before anybody is told of it. */
  onAnswer(listener: () => void): void {
    this.#answered = listener;
  }

  /** Commits the unit together with others that wait. */
  submit(unit: Unit): Promise<UnitResult> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailableError('The store is closed', { unknown: false }));
    if (this.#queue.length >= MAX_QUEUE) {
      return Promise.reject(new StoreUnavailableError('The store is overloaded', { unknown: false }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<UnitResult>();
    this.#queue.push({ unit, resolve, reject });
    if (this.#queue.length >= EAGER_BATCH) this.#pump();
    else this.#pumpSoon();
    return promise;
  }

  #pumpSoon(): void {
    if (this.#isPumping || this.#inFlight.length >= MAX_IN_FLIGHT) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#inFlight.length >= MAX_IN_FLIGHT) return;
    if (this.#queue.length === 0) {
      if (this.#inFlight.length === 0) this.#idle?.();
      return;
    }
    const batch = this.#queue.length <= MAX_BATCH ? this.#queue : this.#queue.slice(0, MAX_BATCH);
    this.#queue = this.#queue.length <= MAX_BATCH ? [] : this.#queue.slice(MAX_BATCH);
    this.#inFlight.push(batch);
    this.#worker ??= this.#spawn();
    this.#post(this.#worker, { units: batch.map(({ unit }) => unit) });
  }

  #post(worker: Worker, request: WorkerRequest): void {
    worker.postMessage(request);
  }

  #spawn(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './writer-worker.ts' : './writer-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.#settings });
    this.#worker = worker;
    worker.on('message', (answer: WorkerAnswer) => this.#settle(answer));
    const onEnd = (message: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (let left = this.#inFlight.length; left > 0; left--) {
        this.#settle({ kind: 'unavailable', reason: { message, unknown: true } });
      }
    };
    worker.on('error', (error) => onEnd(error instanceof Error ? error.message : 'the writing thread failed'));
    worker.on('exit', () => onEnd('the writing thread ended'));
    return worker;
  }

  #settle(answer: WorkerAnswer): void {
    if (answer.kind === 'ready') return;
    this.#answered();
    const batch = this.#inFlight.shift() ?? [];
    if (answer.kind === 'unavailable') {
      for (const waiting of batch) waiting.reject(unavailableError(answer.reason));
    } else {
      batch.forEach((waiting, at) => {
        const result = answer.results[at];
        if (result === undefined) waiting.reject(new Error('the writing thread left a unit without an answer'));
        else if (result.kind === 'failed') waiting.reject(new Error(result.message));
        else waiting.resolve(result);
      });
    }
    // what waits goes at once when it is enough, else with what the callers of this batch add in their turn
    if (this.#queue.length >= EAGER_BATCH) this.#pump();
    else setImmediate(() => this.#pump());
  }

  /** Commits what waits and ends the thread. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#queue.length > 0 || this.#inFlight.length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      await promise;
    }
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    const exited = once(worker, 'exit');
    this.#post(worker, null);
    await exited;
  }
}
