/**
 * `npm run bench`: starts the real server, puts load on it from another process, and prints each figure beside its target
 * and, where one is installed, a peer measured in the same minute.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crl } from './rows/crl.ts';
import { issuanceOnPostgres, issuanceOnSqlite } from './rows/issuance.ts';
import { memory } from './rows/memory.ts';
import { ocsp } from './rows/ocsp.ts';
import { search } from './rows/search.ts';
import { start } from './rows/start.ts';
import { track } from './rows/track.ts';
import type { BenchContext, Row } from './support/context.ts';
import { type Figure, formatFigures, reached } from './support/figures.ts';
import { makeCsrs } from './support/material.ts';

const ROWS: readonly Row[] = [issuanceOnSqlite, issuanceOnPostgres, ocsp, track, memory, search, crl, start];
const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const CSRS = 8_192;

const USAGE = `npm run bench -- [--only name,…] [--quick] [--json FILE]
rows: ${ROWS.map((row) => row.name).join(', ')}
`;

interface Failure {
  readonly row: string;
  readonly message: string;
}

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

function chosenRows(only: string | undefined): readonly Row[] {
  if (only === undefined) return ROWS;
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0) throw new RangeError(`no such row: ${unknown.join(', ')}\n${USAGE}`);
  return ROWS.filter((row) => names.includes(row.name));
}

async function runAll(rows: readonly Row[], quick: boolean): Promise<{ figures: Figure[]; failures: Failure[] }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'certwright-bench-'));
  let csrs: Promise<readonly string[]> | undefined;
  const context: BenchContext = {
    quick,
    directory,
    csrs: () => (csrs ??= makeCsrs(quick ? CSRS / 4 : CSRS)),
    say,
  };
  const figures: Figure[] = [];
  const failures: Failure[] = [];
  try {
    for (const row of rows) {
      say(`${row.name} …`);
      try {
        figures.push(...(await row.run(context)));
      } catch (error) {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        failures.push({ row: row.name, message });
        say(`${row.name} failed: ${message}`);
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return { figures, failures };
}

async function save(file: string, content: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const startedAt = new Date();
  const { figures, failures } = await runAll(chosenRows(values.only), values.quick);
  const [cpu] = cpus();
  const machine = { cores: cpus().length, model: cpu?.model ?? '', node: process.version, platform: process.platform };
  process.stdout.write(
    `\n${machine.cores} cores, ${machine.model}, Node ${machine.node}\n\n${formatFigures(figures)}\n`,
  );
  for (const { row, message } of failures) process.stdout.write(`\n${row} could not be measured: ${message}\n`);
  const missed = figures.filter((figure) => reached(figure) === false).length;
  process.stdout.write(
    `\n${missed + failures.length === 0 ? 'No row missed.' : `${missed} missed, ${failures.length} not measured.`}${values.quick ? ' Quick run: the figures prove nothing.' : ''}\n`,
  );
  const stamp = startedAt.toISOString().replace(/[:.]/g, '-');
  const file = values.json ?? path.join(RESULTS, `${stamp}.json`);
  await save(file, { startedAt, quick: values.quick, machine, figures, failures });
  return failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
