import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, it } from 'node:test';

const root = resolve(import.meta.dirname, '../..');

interface ImportLine {
  readonly from: string;
  readonly to: string;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What a file imports: packages by name, relative files as paths from the root. */
function importsOf(file: string): ImportLine[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(
    /(?:^|[\s;])(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\s*\(?\s*['"]([^'"]+)['"]/g,
  );
  const from = relative(root, file).split(sep).join('/');
  return [...found].map((match) => {
    const target = match[1] ?? match[2] ?? '';
    const to = target.startsWith('.')
      ? relative(root, resolve(dirname(file), target))
          .split(sep)
          .join('/')
      : target;
    return { from, to };
  });
}

const packages = ['pki', 'core', 'store', 'server', 'cli'] as const;

/** Own packages that a package may import; nothing may be imported upwards. */
const allowed: Readonly<Record<(typeof packages)[number], readonly string[]>> = {
  pki: [],
  core: ['pki'],
  store: ['core', 'pki'],
  server: ['pki', 'core', 'store'],
  cli: ['pki', 'core', 'store', 'server'],
};

/** What one import breaks, or undefined. */
export function violation({ from, to }: ImportLine): string | undefined {
  const owner = /^packages\/([^/]+)\//.exec(from)?.[1];
  const own = packages.find((name) => name === owner);
  if (own === undefined) return undefined;
  const named = /^@certwright\/([^/]+)(\/.*)?$/.exec(to);
  if (named?.[2] !== undefined) return 'imports past the index of a package';
  const target = named?.[1] ?? /^packages\/([^/]+)\//.exec(to)?.[1];
  if (target !== undefined && target !== own) {
    if (named === null) return 'reaches into another package by path';
    if (!allowed[own].includes(target)) return `${own} must not import ${target}`;
  }
  if (own === 'pki' && /^node:(fs|net|http|https|dns|tls|dgram|child_process|worker_threads)/.test(to))
    return 'pki does no I/O';
  if (own === 'core' && /^node:(fs|net|http|https|dns|tls|dgram|child_process|worker_threads|sqlite)/.test(to))
    return 'core does no I/O';
  if (own !== 'store' && /^(kysely|pg|node:sqlite)(\/|$)/.test(to)) return 'only store speaks SQL';
  const face = /^packages\/server\/src\/faces\/([^/]+)\//.exec(from)?.[1];
  const otherFace = /^packages\/server\/src\/faces\/([^/]+)\//.exec(to)?.[1];
  if (face !== undefined && otherFace !== undefined && face !== otherFace) return 'a face imports another face';
  if (face !== undefined && target === 'store') return 'a face touches the store';
  if (face !== undefined && /^packages\/server\/src\/(compose|adapters|sandbox|serve)/.test(to))
    return 'a face reaches for the composition root';
  if (own === 'server' && face === undefined && otherFace !== undefined && /\/(adapters|config)\//.test(from))
    return 'an adapter imports a face';
  return undefined;
}

describe('import directions', () => {
  const imports = packages.flatMap((name) => sources(join(root, 'packages', name, 'src')).flatMap(importsOf));

  it('finds the imports it is to judge', () => {
    assert.ok(imports.length > 100);
  });

  it('all point one way: faces → core ← store, pki below all, nothing imports a face', () => {
    const broken = imports.flatMap((line) => {
      const problem = violation(line);
      return problem === undefined ? [] : [`${line.from} → ${line.to}: ${problem}`];
    });
    assert.deepEqual(broken, []);
  });

  for (const [from, to] of [
    ['packages/core/src/orders/orders.ts', '@certwright/store'],
    ['packages/pki/src/der/read.ts', 'node:fs'],
    ['packages/server/src/faces/v2/orders.ts', '@certwright/store'],
    ['packages/server/src/faces/v2/orders.ts', 'packages/server/src/faces/status/index.ts'],
    ['packages/cli/src/main.ts', 'packages/server/src/compose.ts'],
    ['packages/server/src/compose.ts', 'kysely'],
  ] as const) {
    it(`refuses ${from} → ${to}`, () => {
      assert.notEqual(violation({ from, to }), undefined);
    });
  }
});
