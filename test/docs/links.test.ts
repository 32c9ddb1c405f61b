import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { allPages, type Page, proseOf, ROOT, readPage } from './markdown.ts';

const pages = await allPages();
const LINK = /!?\[[^\]]*\]\(([^)\s]+)\)/g;

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

function anchorsOf(page: Page): ReadonlySet<string> {
  return new Set([...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map((match) => anchorOf(match[1] ?? '')));
}

/** What is wrong with a link, or undefined. */
function problem(page: Page, target: string): string | undefined {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
  if (path.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(ROOT, path))) return 'there is no such file';
  if (anchor === undefined || !path.endsWith('.md')) return undefined;
  return anchorsOf(readPage(path)).has(anchor) ? undefined : 'the page has no such heading';
}

describe('links between documents', () => {
  it('are found', () => {
    assert.ok(pages.length > 10);
    const [readme] = pages.filter(({ path }) => path === 'README.md');
    assert.ok(readme !== undefined && [...proseOf(readme).matchAll(LINK)].length > 5);
  });

  for (const page of pages) {
    it(`of ${page.path} lead somewhere`, () => {
      const broken = [...proseOf(page).matchAll(LINK)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^(https?|mailto):/.test(target))
        .flatMap((target) => {
          const wrong = problem(page, target);
          return wrong === undefined ? [] : [`${target}: ${wrong}`];
        });
      assert.deepEqual(broken, []);
    });
  }
});

describe('files named in the divergence tables', () => {
  for (const page of pages.filter(({ path }) => path.startsWith('docs/divergences/'))) {
    it(`of ${page.path} exist`, () => {
      const named = [...proseOf(page).matchAll(/`((?:packages|test|bench|docs)\/[\w./-]+)`/g)].map(
        (match) => match[1] ?? '',
      );
      assert.deepEqual(
        named.filter((path) => !existsSync(join(ROOT, path))),
        [],
      );
    });
  }
});
