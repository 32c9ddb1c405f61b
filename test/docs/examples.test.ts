import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { skipWithout } from '../../packages/server/test/support/programs.ts';
import { type Skip, startPostgres } from '../support/postgres.ts';
import { allPages, type Example, examples, missingLine } from './markdown.ts';
import { runSession, type SessionResult } from './shell-session.ts';

const pages = (await allPages()).filter(({ path }) => path === 'README.md' || path.startsWith('docs/guide/'));
const all = pages.flatMap(examples);
const programs = ['bash', 'curl', 'dig', 'jq', 'nsupdate', 'openssl'];
const skip = programs.map(skipWithout).find((reason) => reason !== false) ?? false;

/** Servers that examples start keep off the ports of others. */
const ENVIRONMENT = { CERTWRIGHT_LISTEN: '127.0.0.1:0', CERTWRIGHT_HTTP_LISTEN: '127.0.0.1:0' };

/** `sh` blocks that no test runs, by a piece of their text. */
const NOT_RUN: readonly { readonly path: string; readonly contains: string; readonly reason: string }[] = [
  { path: 'README.md', contains: 'npm run demo', reason: 'installs a fresh clone; the demo has a test of its own' },
  { path: 'README.md', contains: 'certwright sandbox', reason: 'stays up; the tour of the sandbox guide starts one' },
  { path: 'README.md', contains: 'certwright serve', reason: 'stays up; the operator’s guide starts one' },
  { path: 'docs/guide/operate.md', contains: 'npm ci', reason: 'installs a fresh clone' },
  { path: 'docs/guide/operate.md', contains: 'systemctl', reason: 'changes the machine' },
];

const sessions = Map.groupBy(
  all.filter(({ session }) => session !== undefined),
  ({ path, session }) => `${path}, ${session}`,
);

describe('sessions', { concurrency: 2 }, () => {
  for (const [name, members] of sessions) {
    describe(`examples of ${name}`, { skip, timeout: 60_000 }, () => {
      let result: SessionResult | Skip;
      before(async () => {
        const database = members[0]?.session === 'postgres' ? await startPostgres() : undefined;
        if (database === undefined) result = await runSession(members, ENVIRONMENT);
        else if ('skip' in database) result = database;
        else result = await runSession(members, { ...ENVIRONMENT, DATABASE_URL: await database.database() });
      });
      for (const [index, example] of members.entries()) {
        it(`line ${example.line}`, (test) =>
          'skip' in result ? test.skip(result.skip) : check(example, result, index));
      }
    });
  }
});

function check({ output, text }: Example, { ran, errors }: SessionResult, index: number): void {
  const one = ran[index];
  assert.ok(one !== undefined, `not reached; standard error: ${errors}`);
  assert.ok(one.succeeded, `failed:\n${text}\nprinted:\n${one.printed}\nstandard error:\n${errors}`);
  const missing = output === undefined ? undefined : missingLine(output, one.printed);
  assert.equal(missing, undefined, `the page shows a line that was not printed; printed:\n${one.printed}`);
}

describe('examples', () => {
  it('are run, or there is a reason why not', () => {
    const left = all.filter(
      (example) =>
        example.session === undefined &&
        !NOT_RUN.some(({ path, contains }) => path === example.path && example.text.includes(contains)),
    );
    assert.deepEqual(
      left.map(({ path, line }) => `${path}:${line}`),
      [],
    );
  });

  it('that are not run are still there', () => {
    const gone = NOT_RUN.filter(
      ({ path, contains }) =>
        !all.some((one) => one.session === undefined && one.path === path && one.text.includes(contains)),
    );
    assert.deepEqual(gone, []);
  });
});
