import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createClient } from '../src/client.ts';
import { CliError } from '../src/exit-codes.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwright-client-'));
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

/** A server on the socket of `data` that gives the answers in turn and keeps the requests. */
async function answering(name: string, ...answers: readonly (readonly [status: number, body: unknown])[]) {
  const data = join(folder, name);
  const requests: IncomingMessage[] = [];
  const left = [...answers];
  const server = createServer((request, response) => {
    requests.push(request);
    const [status, body] = left.shift() ?? [500, {}];
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  });
  servers.push(server);
  server.listen(`${data}.sock`);
  await once(server, 'listening');
  return { options: { data, socket: `${data}.sock` }, requests };
}

async function refusal(work: () => Promise<unknown>): Promise<CliError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof CliError);
    return error;
  }
  throw new Error('was not refused');
}

test('status codes of the API become exit codes, its sentence the message', async () => {
  const table: readonly (readonly [status: number, exitCode: number])[] = [
    [400, 1],
    [401, 5],
    [403, 5],
    [404, 4],
    [409, 1],
    [422, 1],
    [500, 1],
    [503, 1],
  ];
  const answers = table.map(([status]) => [status, { code: 'some.code', detail: `Refused ${status}.` }] as const);
  const { options } = await answering('statuses', ...answers);
  const client = createClient(options);
  for (const [status, exitCode] of table) {
    const error = await refusal(() => client.get('/orders/1'));
    assert.equal(error.exitCode, exitCode, String(status));
    assert.equal(error.message, `Refused ${status}`);
    assert.equal(error.code, 'some.code');
  }
});

test('answers that are no problem documents are refusals too', async () => {
  const { options } = await answering('odd', [502, 'bad gateway']);
  const error = await refusal(() => createClient(options).get('/orders'));
  assert.match(error.message, /answered 502/);
});

test('no server: exit code 3 and what to do', async () => {
  const error = await refusal(() => createClient({ data: join(folder, 'nobody') }).get('/orders'));
  assert.equal(error.exitCode, 3);
  assert.match(error.message, /nobody\/manage\.sock \(ENOENT\)/);
  assert.match(error.hint, /--data/);
  const remote = await refusal(() =>
    createClient({ data: folder, url: 'http://127.0.0.1:1', token: 't' }).get('/orders'),
  );
  assert.equal(remote.exitCode, 3);
});

test('a token is needed with --url and never goes in the clear to another machine', async () => {
  assert.throws(() => createClient({ data: folder, url: 'https://ca.example' }), { exitCode: 2 });
  assert.throws(() => createClient({ data: folder, url: 'http://ca.example', token: 't' }), { exitCode: 2 });
  assert.throws(() => createClient({ data: folder, url: 'ca.example', token: 't' }), { exitCode: 2 });
  assert.throws(() => createClient({ data: folder, url: 'https://ca.example', token: 't', caFile: '/absent' }), {
    exitCode: 2,
  });
});

test('lists are fetched page by page up to the limit', async () => {
  const rows = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
  const { options, requests } = await answering(
    'pages',
    [200, { items: rows(0, 200), next: 'second', previous: null }],
    [200, { items: rows(200, 50), next: 'third', previous: null }],
  );
  const page = await createClient(options).list<number>('/orders', { phase: 'dcv', family: undefined }, 250);
  assert.deepEqual(page.items, rows(0, 250));
  assert.equal(page.next, 'third');
  assert.deepEqual(
    requests.map(({ url }) => url),
    ['/api/manage/v1/orders?phase=dcv&limit=200', '/api/manage/v1/orders?phase=dcv&limit=50&cursor=second'],
  );
});
