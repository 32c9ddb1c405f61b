/** The thread that holds the writing connection: the server's thread stays free while a commit waits for the disk. */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { newLane } from '../audit/chain.ts';
import type { Unavailable } from '../write/unit.ts';
import { SqliteBatchRunner } from './batch.ts';
import { SqliteConnection } from './database.ts';
import { classifySqliteError } from './errors.ts';
import type { WorkerAnswer, WorkerRequest, WorkerSettings } from './protocol.ts';

const WRITER_CACHE_KIB = 32 * 1024;
const LANE_OCTETS = 8;

function start(settings: WorkerSettings): void {
  const port = parentPort;
  if (port === null) throw new Error('the writer runs in a worker thread');
  const answer = (message: WorkerAnswer): void => port.postMessage(message);
  let open: { readonly db: SqliteConnection; readonly runner: SqliteBatchRunner } | undefined;

  // a lane belongs to one connection: after a failure that leaves a doubt, a new one begins
  function connect(): { readonly db: SqliteConnection; readonly runner: SqliteBatchRunner } {
    const db = new SqliteConnection({
      path: settings.path,
      readOnly: false,
      cacheKiB: WRITER_CACHE_KIB,
      ...(settings.maxPages === null ? {} : { maxPages: settings.maxPages }),
    });
    return { db, runner: new SqliteBatchRunner(db, newLane(randomBytes(LANE_OCTETS))) };
  }

  function disconnect(): void {
    const { db } = open ?? {};
    open = undefined;
    try {
      db?.close();
    } catch {
      // a broken connection cannot be closed better than by forgetting it
    }
  }

  function unavailable(error: unknown): Unavailable {
    const failure = classifySqliteError(error);
    const isDiskFull = failure.kind === 'unavailable' && failure.isDiskFull;
    // a full disk is noticed before the commit is written; the connection and its lane stay good
    const unknown = !isDiskFull && open?.runner.isCommitting === true;
    if (!isDiskFull) disconnect();
    const message = failure.kind === 'duplicate' ? 'a unique value of the store was taken' : failure.message;
    return { message, unknown };
  }

  port.on('message', (request: WorkerRequest) => {
    if (request === null) {
      disconnect();
      port.close();
      return;
    }
    try {
      open ??= connect();
      answer({ kind: 'results', results: open.runner.run(request.units) });
    } catch (error) {
      answer({ kind: 'unavailable', reason: unavailable(error) });
    }
  });

  open = connect();
  answer({ kind: 'ready' });
}

start(workerData as WorkerSettings);
