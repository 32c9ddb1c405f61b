/** What the tests of the documentation read from Markdown files. */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface Page {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export interface CodeBlock {
  readonly path: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** Words after the fence, e.g. `sh`, `test=sandbox`. */
  readonly info: readonly string[];
  readonly text: string;
}

export interface Example extends CodeBlock {
  /** Examples of one page and session run one after the other in one shell; undefined: not run. */
  readonly session: string | undefined;
  /** What the page says that it prints; undefined when it says nothing. */
  readonly output: string | undefined;
}

const FENCE = /^( *)(`{3,})(.*)$/;

export function readPage(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

/** Every Markdown page of the project, the root's first. */
export async function allPages(): Promise<readonly Page[]> {
  const paths: string[] = [];
  for await (const path of glob(['*.md', 'docs/**/*.md'], { cwd: ROOT })) paths.push(path);
  return paths.toSorted().map(readPage);
}

/** The fenced blocks of a page, in their order. */
export function codeBlocks({ path, text }: Page): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { indent: number; fence: string; line: number; info: string[]; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent = '', fence = '', rest = ''] = FENCE.exec(line) ?? [];
    if (open === undefined) {
      const info = rest.trim().split(/\s+/).filter(Boolean);
      if (fence !== '') open = { indent: indent.length, fence, line: index + 1, info, lines: [] };
    } else if (fence === open.fence && rest.trim() === '') {
      blocks.push({ path, line: open.line, info: open.info, text: open.lines.join('\n') });
      open = undefined;
    } else {
      open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.line} a code block has no end`);
  return blocks;
}

/**
 * The `sh` blocks of a page. `sh test=NAME` is run in session NAME; a `text output` block right behind shows what it
 * prints.
 */
export function examples(page: Page): readonly Example[] {
  const blocks = codeBlocks(page);
  return blocks.flatMap((block, index): Example[] => {
    if (block.info[0] !== 'sh') return [];
    const session = block.info.find((word) => word.startsWith('test='))?.slice('test='.length);
    const next = blocks[index + 1];
    return [{ ...block, session, output: next?.info[1] === 'output' ? next.text : undefined }];
  });
}

/** The page without its fenced blocks, so that prose is searched and no program. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(/^ *(`{3,}).*\n[\s\S]*?^ *\1 *$/gm, '');
}

/**
 * Compares what was printed with what a page shows: the lines of the page come in this order, white space does not
 * count, `…` stands for anything in a line and, alone in its line, for any lines. Returns the first line that is
 * missing.
 */
export function missingLine(shown: string, printed: string): string | undefined {
  const squeeze = (line: string): string => line.replaceAll(/\s+/g, ' ').trim();
  const lines = printed.split('\n').map(squeeze);
  let from = 0;
  for (const expected of shown.split('\n').map(squeeze)) {
    if (expected === '' || expected === '…') continue;
    const pattern = new RegExp(`^${expected.split('…').map(RegExp.escape).join('.*')}$`);
    const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (at === -1) return expected;
    from = at + 1;
  }
  return undefined;
}
