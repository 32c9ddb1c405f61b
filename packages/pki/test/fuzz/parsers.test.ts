/**
 * Mutation fuzzing of the parsers that meet hostile bytes first. `FUZZ_SECONDS` (3 unless set) bounds the time of each target;
 * `FUZZ_SEED` repeats a run. A failing input is reported as hex: add it to `corpus/` with the fix.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DerError, DerReader, describeSpki, parseCsr, parseDnsName, parseName } from '@certwright/pki';
import { mutate, seededNumbers } from './mutation.ts';

const seconds = Number(process.env.FUZZ_SECONDS ?? '3');
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32);
/** A parser that takes longer for 80 kB has a step whose cost grows faster than its input. */
const SLOW_MS = 50;

const folder = new URL('./corpus/', import.meta.url);
const corpus = readdirSync(folder).map((file) => {
  const bytes = readFileSync(new URL(file, folder));
  return file.endsWith('.hex') ? Buffer.from(bytes.toString('latin1').replace(/\s+/g, ''), 'hex') : bytes;
});

/** Reads every value in every way, nested ones too. */
function walk(bytes: Uint8Array, depth = 0): void {
  const readers: readonly ((reader: DerReader) => unknown)[] = [
    (reader) => reader.boolean(),
    (reader) => reader.integerBytes(),
    (reader) => reader.smallInteger(),
    (reader) => reader.enumerated(),
    (reader) => reader.oid(),
    (reader) => reader.null(),
    (reader) => reader.bitString(),
    (reader) => reader.time(),
    (reader) => reader.text(),
    (reader) => reader.setOf(),
    (reader) => reader.optionalContext(0),
    (reader) => reader.optionalContextPrimitive(0),
  ];
  const reader = new DerReader(bytes);
  while (!reader.done) {
    const value = reader.any();
    for (const read of readers) {
      try {
        read(new DerReader(value.bytes));
      } catch (error) {
        if (!(error instanceof DerError)) throw error;
      }
    }
    if ((value.tag & 0x20) !== 0 && depth < 8) walk(value.content, depth + 1);
  }
}

const targets: readonly [name: string, run: (bytes: Buffer) => void][] = [
  [
    'DerReader',
    (bytes) => {
      try {
        walk(bytes.subarray(0, 4096));
      } catch (error) {
        if (!(error instanceof DerError)) throw error;
      }
    },
  ],
  [
    'parseCsr',
    (bytes) => {
      const result = parseCsr(bytes);
      assert.ok(result.ok || (result.error.code.startsWith('csr.') && result.error.detail.length < 300));
      parseCsr(bytes.toString('latin1'));
      parseCsr(bytes.toString('base64'));
    },
  ],
  ['describeSpki', (bytes) => void describeSpki(bytes)],
  [
    'names',
    (bytes) => {
      parseDnsName(bytes.toString('utf8'));
      parseName(bytes.toString('utf8'));
    },
  ],
];

function elapsedMs(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

describe('hostile bytes', () => {
  for (const [name, run] of targets) {
    it(`${name} answers the corpus and its mutations (FUZZ_SEED=${seed})`, () => {
      for (const bytes of corpus) run(bytes);
      const next = seededNumbers(seed);
      const end = performance.now() + (seconds * 1000) / targets.length;
      let bytes: Buffer = Buffer.alloc(0);
      try {
        while (performance.now() < end) {
          bytes = mutate(corpus, next);
          const took = elapsedMs(() => run(bytes));
          // The machine may have been busy with something else: only what stays slow is slow.
          if (took > SLOW_MS) {
            const best = Math.min(...Array.from({ length: 5 }, () => elapsedMs(() => run(bytes))));
            assert.ok(best <= SLOW_MS, `${best} ms`);
          }
        }
      } catch (error) {
        throw new Error(`${name} failed on ${bytes.toString('hex')}`, { cause: error });
      }
    });
  }
});
