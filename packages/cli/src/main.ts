#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';

// signatures run in the thread pool, which has four threads whatever the machine has
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

// the second start and every one after it need not compile again
enableCompileCache();
const { run } = await import('./program.ts');

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
