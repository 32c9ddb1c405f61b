import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../src/program.ts';
import { referencePage } from './reference-page.ts';

const FILE = fileURLToPath(new URL('../../../docs/reference/cli.md', import.meta.url));

test('docs/reference/cli.md says what the program does (UPDATE_REFERENCE=1 writes it)', () => {
  const io = { env: {}, out: () => undefined, err: () => undefined };
  const page = referencePage(buildProgram(io));
  if (process.env.UPDATE_REFERENCE === '1') writeFileSync(FILE, page);
  assert.equal(readFileSync(FILE, 'utf8'), page);
});
