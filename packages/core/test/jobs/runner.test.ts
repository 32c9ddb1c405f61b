import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openSqliteStore } from '@certwright/store';
import { createJobRunner, type JobHandler, type PeriodicTask } from '../../src/jobs/runner.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

it('periodic tasks go on while a job takes its time, and stopping waits for it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'certwright-jobs-'));
  const store = await openSqliteStore({ directory });
  t.after(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });
  const now = Date.now();
  await store.write({
    bookkeeping: 'test',
    writes: [],
    jobs: [{ kind: 'slow', key: null, payload: {}, runAt: now }],
  });

  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let finished = false;
  const slow: JobHandler = async () => {
    started.resolve();
    await release.promise;
    finished = true;
  };
  const ticked = Promise.withResolvers<void>();
  let jobStarted = false;
  const task: PeriodicTask = {
    name: 'tick',
    everyMs: 0,
    exclusive: false,
    run: async () => {
      if (jobStarted) ticked.resolve();
    },
  };
  const clock = { now: () => now };
  const runner = createJobRunner(
    { store, clock, wallClock: { now: Date.now }, random: { bytes: (length) => randomBytes(length) }, log: quiet },
    { slow },
    [task],
  );
  runner.start();
  await started.promise;
  jobStarted = true;
  await ticked.promise;
  assert.equal(finished, false);

  const stopping = runner.stop();
  release.resolve();
  await stopping;
  assert.equal(finished, true);
  assert.equal((await store.jobs.list({ limit: 1 })).rows.length, 0);
});

it('a kind that waits for others does not hold up the rest', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'certwright-jobs-'));
  const store = await openSqliteStore({ directory });
  t.after(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });
  const now = Date.now();
  const draft = (kind: string) => ({ kind, key: null, payload: {}, runAt: now });
  await store.write({ bookkeeping: 'test', writes: [], jobs: Array.from({ length: 30 }, () => draft('mail')) });

  const hanging = Promise.withResolvers<void>();
  const mailing = Promise.withResolvers<void>();
  const published = Promise.withResolvers<void>();
  const handlers: Record<string, JobHandler> = {
    mail: () => {
      mailing.resolve();
      return hanging.promise;
    },
    publish: async () => published.resolve(),
  };
  const clock = { now: () => now };
  const runner = createJobRunner(
    { store, clock, wallClock: { now: Date.now }, random: { bytes: (length) => randomBytes(length) }, log: quiet },
    handlers,
    [],
    ['mail'],
  );
  runner.start();
  await mailing.promise;
  await store.write({ bookkeeping: 'test', writes: [], jobs: [draft('publish')] });
  await published.promise;
  hanging.resolve();
  await runner.stop();
});
