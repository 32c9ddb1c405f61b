import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { Agent, get, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { ListenError, openListener } from '../../src/listeners/listener.ts';
import { openManageSocket } from '../../src/listeners/manage-socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwright-listen-'));
after(() => rmSync(folder, { recursive: true }));

const limits = { connections: 100, requestTimeoutMs: 10_000 };
const local = { host: '127.0.0.1', port: 0 };
const options = { tls: false, limits, key: 'listen' };

/** Sends a GET and resolves once the whole answer is there. */
function fetchText(port: number, agent?: Agent): Promise<{ status: number; connection: string; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; connection: string; body: string }>();
  get({ host: '127.0.0.1', port, path: '/', agent: agent ?? false }, (answer) => {
    answer.setEncoding('utf8');
    let body = '';
    answer.on('data', (text: string) => {
      body += text;
    });
    answer.on('end', () =>
      resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection ?? '', body }),
    );
    answer.on('error', reject);
  }).on('error', reject);
  return promise;
}

test('until a handler is attached the answer is 503 with Retry-After', async () => {
  const listener = await openListener(local, options);
  assert.equal((await fetchText(listener.port)).status, 503);
  listener.attach((_request, response) => response.end('here'));
  assert.deepEqual(await fetchText(listener.port), { status: 200, connection: 'close', body: 'here' });
  await listener.drain(1_000);
});

test('draining finishes the request in flight, tells its client to close, and accepts no more', async () => {
  const listener = await openListener(local, options);
  const arrived = Promise.withResolvers<ServerResponse>();
  listener.attach((_request, response) => arrived.resolve(response));
  const agent = new Agent({ keepAlive: true });
  const answer = fetchText(listener.port, agent);
  const response = await arrived.promise;

  const drained = listener.drain(10_000);
  assert.ok(listener.draining);
  await assert.rejects(fetchText(listener.port), { code: 'ECONNREFUSED' });
  response.end('finished');
  assert.deepEqual(await answer, { status: 200, connection: 'close', body: 'finished' });
  assert.equal(await drained, 0);
  agent.destroy();
});

test('idle keep-alive connections do not hold up the end', async () => {
  const listener = await openListener(local, options);
  listener.attach((_request: IncomingMessage, response) => response.end('ok'));
  const agent = new Agent({ keepAlive: true });
  assert.equal((await fetchText(listener.port, agent)).connection, 'keep-alive');
  assert.equal(await listener.drain(10_000), 0);
  agent.destroy();
});

test('a request that does not end is cut when the time is over, and counted', async () => {
  const listener = await openListener(local, options);
  const arrived = Promise.withResolvers<void>();
  listener.attach(() => arrived.resolve());
  const answer = assert.rejects(fetchText(listener.port), { code: 'ECONNRESET' });
  await arrived.promise;
  assert.equal(await listener.drain(20), 1);
  await answer;
});

test('an answer that comes before the body was read arrives, whole body or not', async () => {
  const listener = await openListener(local, options);
  listener.attach((_request, response) => response.writeHead(413, { Connection: 'close' }).end('too large'));
  const sent = request({ host: '127.0.0.1', port: listener.port, method: 'POST', agent: false });
  sent.end(Buffer.alloc(8 << 20));
  const [answer] = await once(sent, 'response');
  assert.equal(answer.statusCode, 413);
  assert.equal(await text(answer), 'too large');
  await listener.drain(1_000);
});

test('a taken address is named with the key to change', async () => {
  const listener = await openListener(local, options);
  await assert.rejects(openListener({ host: '127.0.0.1', port: listener.port }, options), (error: unknown) => {
    assert.ok(error instanceof ListenError);
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${listener.port} is in use.*listen`));
    return true;
  });
  await listener.drain(0);
});

test('the management socket is for its owner only, and goes with its listener', async () => {
  const path = join(folder, 'one.sock');
  const listener = await openManageSocket(path, limits);
  assert.ok(listener !== undefined);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await listener.drain(0);
  assert.ok(!existsSync(path));
});

test('a socket that a dead process left is replaced, one of a living process is respected', async () => {
  const path = join(folder, 'two.sock');
  // a server whose handle is gone but whose file stays, as after kill -9
  const dead = createServer().listen(path);
  await once(dead, 'listening');
  renameSync(path, `${path}.kept`);
  dead.close();
  await once(dead, 'close');
  renameSync(`${path}.kept`, path);

  const listener = await openManageSocket(path, limits);
  assert.ok(listener !== undefined);
  assert.equal(await openManageSocket(path, limits), undefined);
  await listener.drain(0);
});

test('a path that no socket can have is refused by name', async () => {
  await assert.rejects(
    openManageSocket(join(folder, 'x'.repeat(120)), limits),
    /longer than 103 bytes; set manageSocket/,
  );
  await assert.rejects(openManageSocket(join(folder, 'absent', 'x.sock'), limits), /cannot open the management socket/);
});
