import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { serve } from './support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwright-stop-'));
after(() => rmSync(folder, { recursive: true }));

const plain = ['--set', 'tls.mode=off'];

async function refused(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

test('SIGTERM finishes the request in flight, takes no more, and exits with 0', async () => {
  const server = await serve(join(folder, 'graceful'), plain);
  const url = new URL(server.ready.publicUrl);
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: server.ready.firstAccount?.accountNumber ?? '',
    client_secret: server.ready.firstAccount?.clientSecret ?? '',
  }).toString();
  const inFlight = request(new URL('/oauth/token', url), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': Buffer.byteLength(body),
      Expect: '100-continue',
    },
  });
  // the server has the head of the request when it asks for the body
  inFlight.flushHeaders();
  await once(inFlight, 'continue');

  const ended = server.stop();
  while (!(await refused(Number(url.port)))) await new Promise(setImmediate);
  inFlight.end(body);
  const [answer] = await once(inFlight, 'response');
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers.connection, 'close');
  assert.match(await text(answer), /access_token/);
  assert.equal(await ended, 0);
  assert.ok(!existsSync(join(folder, 'graceful', 'manage.sock')));
});

test('a second signal exits at once, whatever is in flight', async () => {
  const server = await serve(join(folder, 'impatient'), plain);
  const url = new URL(server.ready.publicUrl);
  const hanging = request(new URL('/oauth/token', url), {
    method: 'POST',
    headers: { 'Content-Length': '10', Expect: '100-continue' },
  });
  hanging.on('error', () => undefined);
  hanging.flushHeaders();
  await once(hanging, 'continue');
  const ended = server.stop('SIGINT');
  while (!(await refused(Number(url.port)))) await new Promise(setImmediate);
  server.child.kill('SIGINT');
  assert.equal(await ended, 1);
  assert.match(server.errors(), /second signal/);
});

test('the log is JSON lines without secrets', async () => {
  const server = await serve(join(folder, 'logs'), [...plain, '--log-level', 'debug']);
  const { accountNumber = '', clientSecret = '' } = server.ready.firstAccount ?? {};
  const sent = request(`${server.ready.publicUrl}/oauth/token`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Authorization: `Basic ${Buffer.from(`${accountNumber}:${clientSecret}`).toString('base64')}`,
    },
  }).end('grant_type=client_credentials');
  const [answer] = await once(sent, 'response');
  const tokens = JSON.parse(await text(answer));
  assert.equal(await server.stop(), 0);
  const log = server.errors();
  const events = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).event);
  for (const event of ['platform.ready', 'http.request', 'platform.closed']) assert.ok(events.includes(event), event);
  for (const secret of [clientSecret, tokens.access_token, tokens.refresh_token]) {
    assert.ok(typeof secret === 'string' && secret.length > 10);
    assert.ok(!log.includes(secret));
  }
});
