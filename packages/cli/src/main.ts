#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { run } from './program.ts';

// signatures run in the thread pool, which has four threads whatever the machine has
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
