/**
 * Checks signatures of callers on a thread of its own. Importing a fresh P-256 key and checking with it takes 70 to
 * 150 µs, the largest piece of an issuance: on the server's thread it would bound the rate of the whole process.
 */
import { Worker } from 'node:worker_threads';
import type { SignatureVerifier } from '@certwright/core';
import { verifySignature } from '@certwright/pki';
import { type CheckedBatch, packChecks, type SignatureCheck } from './protocol.ts';

interface Waiting {
  readonly check: SignatureCheck;
  readonly resolve: (good: boolean) => void;
}

/** So many go at once; fewer wait for what else comes in this turn of the event loop. */
const EAGER_BATCH = 8;
const MAX_WAITING = 10_000;

export interface ThreadedVerifier extends SignatureVerifier {
  close(): Promise<void>;
}

const checkHere = ({ spki, algorithm, tbs, signature }: SignatureCheck): Promise<boolean> =>
  verifySignature(spki, algorithm, tbs, signature);

/** The thread starts when there is load; when it cannot run, signatures are checked here. */
export function createThreadedVerifier(): ThreadedVerifier {
  let worker: Worker | undefined;
  let isClosed = false;
  let isPosting = false;
  let queue: Waiting[] = [];
  /** Batches under way by their numbers. */
  const inFlight = new Map<number, readonly Waiting[]>();
  let lastBatch = 0;
  let underWay = 0;

  function here(batch: readonly Waiting[]): void {
    for (const { check, resolve } of batch) void checkHere(check).then(resolve);
  }

  function lost(from: Worker): void {
    if (worker !== from) return;
    worker = undefined;
    underWay = 0;
    const batches = [...inFlight.values()];
    inFlight.clear();
    for (const batch of batches) here(batch);
  }

  function spawn(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './verifier-worker.ts' : './verifier-worker.js';
    const made = new Worker(new URL(file, import.meta.url));
    made.unref();
    made.on('message', ({ batch, good }: CheckedBatch) => {
      const waiting = inFlight.get(batch) ?? [];
      inFlight.delete(batch);
      underWay -= waiting.length;
      for (const [index, { resolve }] of waiting.entries()) resolve(good[index] === 1);
    });
    made.on('error', () => lost(made));
    made.on('exit', () => lost(made));
    return made;
  }

  function post(): void {
    if (queue.length === 0) return;
    const batch = queue;
    queue = [];
    // one alone is done sooner here, and a server without load needs no thread
    if (isClosed || (batch.length === 1 && underWay === 0)) {
      here(batch);
      return;
    }
    worker ??= spawn();
    lastBatch++;
    inFlight.set(lastBatch, batch);
    underWay += batch.length;
    const packed = packChecks(
      lastBatch,
      batch.map(({ check }) => check),
    );
    worker.postMessage(packed, [packed.lengths.buffer, packed.bytes.buffer]);
  }

  return {
    verify(spki, algorithm, tbs, signature) {
      const check = { spki, algorithm, tbs, signature };
      if (isClosed || underWay + queue.length >= MAX_WAITING) return checkHere(check);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      queue.push({ check, resolve });
      if (queue.length >= EAGER_BATCH) post();
      else if (!isPosting) {
        isPosting = true;
        setImmediate(() => {
          isPosting = false;
          post();
        });
      }
      return promise;
    },

    async close() {
      isClosed = true;
      post();
      const ending = worker;
      if (ending === undefined) return;
      lost(ending);
      await ending.terminate();
    },
  };
}
