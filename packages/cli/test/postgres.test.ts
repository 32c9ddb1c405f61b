/** Several server processes on one PostgreSQL: what they must agree on. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../../../test/support/postgres.ts';
import { accessToken, https } from './support/https.ts';
import { run, runJson, type Serving, serve } from './support/process.ts';

const postgres = await startPostgres();

describe('on one PostgreSQL', 'skip' in postgres ? { skip: postgres.skip } : {}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'certwright-pg-'));
  const key = ['--set', 'key.env=TEST_PLATFORM_KEY'];
  const env = { TEST_PLATFORM_KEY: randomBytes(32).toString('base64'), DATABASE_URL: '' };
  let servers: Serving[] = [];
  const data = (index: number): string => join(folder, `data-${index}`);
  const ready = (index: number): Serving => {
    const server = servers[index];
    assert.ok(server !== undefined);
    return server;
  };

  before(async () => {
    assert.ok('database' in postgres);
    env.DATABASE_URL = await postgres.database();
    servers = await Promise.all([0, 1, 2].map((index) => serve(data(index), key, env)));
  });
  after(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true });
  });

  test('three first starts at once make one CA and one account', async () => {
    assert.equal(servers.filter((server) => server.ready.firstAccount !== null).length, 1);
    const roots = servers.map((server) => readFileSync(server.ready.caCertificate, 'utf8'));
    assert.equal(new Set(roots).size, 1);
    const cas = await runJson<{ items: { kind: string }[] }>(['ca', 'list', '--data', data(1)]);
    assert.deepEqual(cas.items.map(({ kind }) => kind).toSorted(), ['issuing', 'root']);
    const accounts = await runJson<{ items: { name: string }[] }>(['account', 'list', '--data', data(2)]);
    assert.deepEqual(accounts.items.map(({ name }) => name).toSorted(), ['Certwright', 'Certwright platform']);
  });

  test('a token of one process is good in another, and its end is known there within a second', async () => {
    const [first, second] = [ready(0).ready, ready(1).ready];
    const account = await runJson<{ account: { number: string } }>([
      ...['account', 'create', '--name', 'Spread', '--admin-email', 'admin@example.com'],
      ...['--data', data(0)],
    ]);
    const { number } = account.account;
    const made = await runJson<{ credential: { id: number }; secret: string }>([
      ...['credential', 'create', '--account', number],
      ...['--data', data(0)],
    ]);
    const client = { accountNumber: number, clientSecret: made.secret };
    const token = await accessToken(first.publicUrl, first.caCertificate, client);
    const me = () =>
      https(`${second.publicUrl}/api/certinext/v2/auth/me`, second.caCertificate, {
        headers: { Authorization: `Bearer ${token}` },
      });
    assert.equal((await me()).status, 200);
    const revoked = await run(['credential', 'revoke', String(made.credential.id), '--data', data(0)]);
    assert.equal(revoked.code, 0, revoked.err);
    const deadline = performance.now() + 1_000;
    let { status } = await me();
    while (status === 200 && performance.now() < deadline) ({ status } = await me());
    assert.equal(status, 401);
  });

  test('another key is named at start', async () => {
    const other = { ...env, TEST_PLATFORM_KEY: randomBytes(32).toString('base64') };
    await assert.rejects(
      serve(join(folder, 'other-key'), key, other),
      /the environment variable TEST_PLATFORM_KEY holds platform key [0-9a-f]{16}, but this database was made with/,
    );
    const file = join(folder, 'absent.key');
    await assert.rejects(serve(join(folder, 'no-key'), ['--set', `key.file=${file}`], env), /absent\.key is missing/);
    const implicit = await run(['config', 'check'], { DATABASE_URL: env.DATABASE_URL });
    assert.equal(implicit.code, 2);
    assert.match(implicit.err, /key must be given explicitly/);
  });

  test('a process in the directory of another serves without a management socket', async () => {
    const beside = await serve(data(0), key, env);
    assert.equal(beside.ready.manageSocket, null);
    assert.match(beside.errors(), /manage\.socketTaken/);
    assert.equal((await run(['ca', 'list', '--data', data(0)])).code, 0);
    assert.equal(await beside.stop(), 0);
    assert.equal((await run(['ca', 'list', '--data', data(0)])).code, 0);
  });

  test('when one process is killed the others go on, and it comes back', async () => {
    await ready(2).stop('SIGKILL');
    assert.equal((await run(['ca', 'list', '--data', data(2)])).code, 3);
    const { publicUrl, caCertificate } = ready(1).ready;
    assert.equal((await https(`${publicUrl}/readyz`, caCertificate)).status, 200);
    servers[2] = await serve(data(2), key, env);
    assert.equal((await run(['ca', 'list', '--data', data(2)])).code, 0);
  });

  test('the audit trail of all processes is intact; backups are PostgreSQL’s own', async () => {
    const report = await runJson<{ intact: boolean; lanes: number }>(['audit', 'verify', ...key], env);
    assert.ok(report.intact);
    assert.ok(report.lanes > 1);
    const backup = await run(['backup', join(folder, 'x.db'), ...key], env);
    assert.equal(backup.code, 1);
    assert.match(backup.err, /pg_dump/);
  });
});
