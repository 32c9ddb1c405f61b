import type { Core } from '../api.ts';
import type { JobRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';

/** Does one job; rejecting puts it back. Must be repeatable: a job may run again after a crash. */
export type JobHandler = (payload: JobRecord['payload']) => Promise<void>;

export interface PeriodicTask {
  readonly name: string;
  readonly everyMs: number;
  /** Only one process at a time runs it. */
  readonly exclusive: boolean;
  run(): Promise<unknown>;
}

/** How long a process may work on a job before another takes it. */
const LEASE_MS = 60_000;
/** Longest time between two looks at the table: jobs of other processes and of a moved clock are seen by then. */
const POLL_MS = 500;
const BATCH = 20;
const MAX_BACKOFF_MS = 3_600_000;

/** Delay before try number `attempts` + 1: 1 s doubling to an hour, ± 20 % so that failures do not march in step. */
export function backoffMs(attempts: number, jitter: number): number {
  const base = Math.min(1_000 * 2 ** Math.min(attempts, 20), MAX_BACKOFF_MS);
  return Math.round(base * (0.8 + 0.4 * jitter));
}

/**
 * Runs jobs and periodic tasks in this process until stopped. Each kind in `apart` has a loop of its own: kinds that wait
 * for servers of others (mail) must not hold up the rest.
 */
export function createJobRunner(
  deps: Pick<CoreDependencies, 'store' | 'clock' | 'wallClock' | 'random' | 'log'>,
  handlers: Readonly<Record<string, JobHandler>>,
  periodic: readonly PeriodicTask[],
  apart: readonly string[] = [],
): Core['jobs'] {
  const { store, clock, wallClock, random, log } = deps;
  const kinds = Object.keys(handlers);
  const lanes = [kinds.filter((kind) => !apart.includes(kind)), ...apart.map((kind) => [kind])];
  const holder = Buffer.from(random.bytes(12)).toString('hex');
  const lastRun = new Map<string, number>();
  let stopped = true;
  const wakers = new Set<() => void>();
  let loops: Promise<unknown> = Promise.resolve();

  async function runOne(job: JobRecord): Promise<void> {
    try {
      await handlers[job.kind]?.(job.payload);
      await store.jobs.done(job.id);
    } catch (error) {
      log.warn('job.failed', {
        kind: job.kind,
        jobId: job.id,
        attempts: job.attempts,
        message: error instanceof Error ? error.message : 'unknown',
      });
      const [octet = 0] = random.bytes(1);
      await store.jobs.retry(
        job.id,
        clock.now() + backoffMs(job.attempts, octet / 255),
        error instanceof Error ? error.message.slice(0, 500) : 'unknown',
      );
    }
  }

  /** Runs what is due until nothing is, or until `goOn` says no between two batches; returns how many jobs. */
  async function runDue(lane: readonly string[], goOn: () => boolean = () => true): Promise<number> {
    let count = 0;
    while (goOn()) {
      const jobs = await store.jobs.take(lane, clock.now(), LEASE_MS, BATCH);
      if (jobs.length === 0) return count;
      await Promise.all(jobs.map(runOne));
      count += jobs.length;
    }
    return count;
  }

  async function runPeriodic(): Promise<void> {
    for (const task of periodic) {
      const now = wallClock.now();
      const last = lastRun.get(task.name);
      if (last !== undefined && now - last < task.everyMs && now >= last) continue;
      lastRun.set(task.name, now);
      if (
        task.exclusive &&
        !(await store.lease(`task:${task.name}`, holder, now, now + Math.max(task.everyMs, 30_000)))
      )
        continue;
      try {
        await task.run();
      } catch (error) {
        log.error('task.failed', { task: task.name }, error);
      }
    }
  }

  /** Repeats `work` until stopped, with a pause after each round. */
  async function repeat(work: () => Promise<unknown>): Promise<void> {
    while (!stopped) {
      try {
        await work();
      } catch (error) {
        log.error('jobs.unavailable', {}, error);
      }
      if (stopped) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, POLL_MS);
      wakers.add(resolve);
      await promise;
      wakers.delete(resolve);
      clearTimeout(timer);
    }
  }

  return {
    kinds,
    start() {
      if (!stopped) return;
      stopped = false;
      // apart, so that neither a long job nor a steady stream of them keeps the platform's own renewals waiting
      const jobLoops = lanes.map((lane) => repeat(() => runDue(lane, () => !stopped)));
      loops = Promise.all([...jobLoops, repeat(runPeriodic)]);
    },
    async stop() {
      stopped = true;
      for (const wake of wakers) wake();
      await loops;
    },
    runDue: () => runDue(kinds),
  };
}
