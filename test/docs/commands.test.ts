import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildProgram } from '../../packages/cli/src/program.ts';
import { allPages, codeBlocks, type Page, proseOf } from './markdown.ts';

type Command = ReturnType<typeof buildProgram>;

const program = buildProgram({ out: () => undefined, err: () => undefined, env: {} });
const pages = (await allPages()).filter(({ path }) => path !== 'docs/reference/cli.md');

/** Command lines of a page, each from behind the program's name, in code only. */
function commandLines(page: Page): string[] {
  const spans = [...proseOf(page).matchAll(/`((?:npx )?certwright [^`]+)`/g)].map((match) => match[1] ?? '');
  const lines = codeBlocks(page)
    .filter(({ info }) => ['sh', 'yaml', 'ini'].includes(info[0] ?? ''))
    .flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, ' ').split('\n'))
    .filter((line) => !line.trimStart().startsWith('#'));
  return [...spans, ...lines].flatMap((line) =>
    [...line.matchAll(/(?:^|\bnpx )certwright (.*?)(?:$|[|;&>)]| # )/g)].map((match) => match[1] ?? ''),
  );
}

/** What is wrong with a command line, or undefined. */
function problem(line: string): string | undefined {
  let command: Command = program;
  const words = line.split(/\s+/).filter((word) => word !== '');
  while (command.commands.length > 0) {
    const word = words.shift();
    if (word === undefined || word.startsWith('…') || word === 'help') return undefined;
    if (word.startsWith('--')) return undefined;
    const next = command.commands.find((child) => child.name() === word);
    if (next === undefined) return `there is no ${command.name()} ${word}`;
    command = next;
  }
  const unknown = words
    .filter((word) => word.startsWith('--'))
    .map((word) => word.split('=')[0])
    .find((flag) => !command.options.some(({ long }) => long === flag));
  return unknown === undefined ? undefined : `${command.name()} has no ${unknown}`;
}

describe('commands named in the documents', () => {
  it('are found', () => {
    const count = pages.flatMap(commandLines).length;
    assert.ok(count > 20, String(count));
  });

  it('that do not exist are noticed', () => {
    assert.equal(problem('credential destroy'), 'there is no credential destroy');
    assert.equal(problem('sandbox --ports 1'), 'sandbox has no --ports');
  });

  for (const page of pages) {
    const lines = commandLines(page);
    if (lines.length === 0) continue;
    it(`of ${page.path} exist`, () => {
      assert.deepEqual(
        lines.flatMap((line) => problem(line) ?? []),
        [],
      );
    });
  }
});
