import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { send } from '../../../../test/support/sandbox.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/start.ts';

let sandbox: Sandbox;
before(async () => {
  sandbox = await startSandbox({ port: 0, logLevel: 'silent' });
});
after(() => sandbox.close());

const control = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  send(`${sandbox.ready.control}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

describe('control API', () => {
  it('describes itself', async () => {
    const document = (await control('GET', '/openapi.json')).json() as {
      openapi: string;
      paths: Record<string, Record<string, { operationId?: string; responses: object }>>;
    };
    assert.equal(document.openapi, '3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(operations.sort(), [
      'DELETE /dns/records',
      'DELETE /faults',
      'GET /clock',
      'GET /faults',
      'GET /mail',
      'POST /clock',
      'POST /faults',
      'POST /orders/{id}/approve',
      'POST /orders/{id}/reject',
      'POST /orders/{id}/resume',
      'POST /orders/{id}/suspend',
      'POST /organizations/{number}/vet',
      'POST /reset',
      'PUT /dns/records',
      'PUT /hosts',
      'PUT /http/files',
      'PUT /validation',
    ]);
  });

  for (const [method, path, body, field] of [
    ['PUT', '/dns/records', {}, 'name'],
    ['PUT', '/dns/records', { name: 'example.com', type: 'SRV', values: ['x'] }, 'type'],
    ['PUT', '/dns/records', { name: 'example.com', type: 'TXT', values: [] }, 'values'],
    ['PUT', '/dns/records', { name: 'example.com', type: 'TXT', values: 'x' }, 'values'],
    ['PUT', '/dns/records', { name: 'example.com', type: 'A', values: ['not an address'] }, 'values'],
    ['PUT', '/dns/records', { name: `${'a'.repeat(64)}.com`, type: 'A', values: ['192.0.2.1'] }, 'name'],
    ['PUT', '/dns/records', { name: 'example.com', type: 'TXT', values: ['x'], ttl: 5 }, 'ttl'],
    ['DELETE', '/dns/records', { type: 'TXT' }, 'name'],
    ['PUT', '/http/files', { host: 'example.com', path: 'no-slash', body: '' }, 'path'],
    ['PUT', '/http/files', { host: 'exa mple', path: '/', body: '' }, 'host'],
    ['PUT', '/http/files', { host: 'example.com', path: '/' }, 'body'],
    ['PUT', '/hosts', { name: 'example.com', address: 'localhost' }, 'address'],
    ['PUT', '/hosts', { name: 'example.com', address: '192.0.2.1', httpPort: 0 }, 'httpPort'],
    ['PUT', '/hosts', { name: '*', address: '192.0.2.1' }, 'name'],
    ['PUT', '/validation', { mode: 'off' }, 'mode'],
    ['GET', '/mail?form=x', undefined, 'form'],
    ['POST', '/clock', {}, 'advance'],
    ['POST', '/clock', { advance: 'P1D', set: '2027-01-01T00:00:00Z' }, 'advance'],
    ['POST', '/clock', { advance: '60 days' }, 'advance'],
    ['POST', '/clock', { set: 'tomorrow' }, 'set'],
    ['POST', '/clock', { set: '1999-01-01T00:00:00Z' }, 'set'],
    ['POST', '/faults', { face: 'v3', status: 500 }, 'face'],
    ['POST', '/faults', { face: 'v2' }, 'status'],
    ['POST', '/faults', { face: 'v2', status: 500, drop: 'before' }, 'status'],
    ['POST', '/faults', { face: 'v2', status: 200 }, 'status'],
    ['POST', '/faults', { face: 'v2', delayMs: 5, detail: 'x' }, 'detail'],
    ['POST', '/faults', { face: 'v2', drop: 'before', when: 'after' }, 'when'],
    ['POST', '/faults', { face: 'v2', status: 500, times: 0 }, 'times'],
    ['POST', '/faults', { face: 'v2', status: 500, operation: 'createSSLOrder' }, 'operation'],
    ['POST', '/orders/1/reject', { reason: '' }, 'reason'],
    ['POST', '/organizations/1/vet', { vettedFor: ['dv'] }, 'vettedFor.0'],
  ] as const) {
    it(`names the wrong input of ${method} ${path} ${JSON.stringify(body) ?? ''}`, async () => {
      const answer = await control(method, path, body);
      assert.equal(answer.status, 400, answer.bytes.toString());
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
      const { errors } = answer.json() as { errors: { field: string }[] };
      assert.equal(errors[0]?.field, field, answer.bytes.toString());
    });
  }

  it('reads bodies as JSON whatever their type, and says so when they are not', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal((await control('PUT', '/validation', '{"mode":"real"}', form)).status, 200);
    const refused = await control('PUT', '/validation', '{"mode":', form);
    assert.equal(refused.status, 400);
    assert.match(String(refused.json().detail), /not JSON/);
    assert.equal((await control('POST', '/reset', '')).status, 200);
  });

  it('answers unknown paths, orders and organizations with 404, and what is not built with 501', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['POST', '/orders/0000000000/approve'],
      ['POST', '/orders/0000000000/reject'],
      ['POST', '/organizations/0000000/vet'],
    ] as const) {
      assert.equal((await control(method, path)).status, 404, path);
    }
    assert.equal((await control('POST', '/orders/0000000000/suspend')).status, 501);
    assert.equal((await control('POST', '/orders/0000000000/resume')).status, 501);
  });

  it('is not for web pages', async () => {
    assert.equal((await control('GET', '/clock', undefined, { host: 'rebound.example' })).status, 403);
    assert.equal((await control('POST', '/reset', undefined, { origin: 'https://site.example' })).status, 403);
    assert.equal((await control('GET', '/clock', undefined, { origin: 'http://localhost:3000' })).status, 200);
  });

  it('listens on loopback only', async () => {
    const { port } = new URL(sandbox.ready.control);
    // an address of this machine outside 127.0.0.1 that a listener on every interface would answer at
    const refused = await new Promise((resolve) => {
      const socket = connect(Number(port), '127.0.0.2');
      socket.once('connect', () => resolve(false));
      socket.once('error', () => resolve(true));
      socket.unref();
    });
    assert.equal(refused, true);
  });

  it('puts a move of the clock in the audit trail', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'certwright-clock-'));
    const own = await startSandbox({ port: 0, data, logLevel: 'silent' });
    t.after(async () => {
      await own.close();
      await rm(data, { recursive: true, force: true });
    });
    await send(`${own.ready.control}/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ set: '2030-01-01T00:00:00Z' }),
    });
    const socketPath = join(data, 'manage.sock');
    const [response] = (await once(
      get({ socketPath, path: '/api/manage/v1/audit?activity=clock.moved' }),
      'response',
    )) as [IncomingMessage];
    const page = (await json(response)) as { items?: readonly { details: { to: string } }[] };
    assert.deepEqual(
      page.items?.map((entry) => entry.details.to),
      ['2030-01-01T00:00:00.000Z'],
      JSON.stringify(page),
    );
  });

  it('moves the clock and runs what is due', async () => {
    const before = Date.now();
    const moved = (await control('POST', '/clock', { advance: 'P60D' })).json();
    assert.equal(moved.offsetSeconds, 60 * 86_400);
    assert.ok(Date.parse(String(moved.now)) >= before + 60 * 86_400_000);
    const crl = await send(`${sandbox.ready.httpUrl}/crl/issuing-1.crl`);
    assert.equal(crl.status, 200);
    assert.ok(Date.parse(String(crl.headers['last-modified'])) >= before + 59 * 86_400_000, 'the CRL is a new one');
    const back = (await control('POST', '/clock', { set: '2026-01-01T00:00:00Z' })).json();
    assert.match(String(back.now), /^2026-01-01T00:00:0/);
    assert.equal((await control('POST', '/reset')).status, 200);
    assert.equal((await control('GET', '/clock')).json().offsetSeconds, 0);
  });

  it('shows records as published and forgets them', async () => {
    const long = 'x'.repeat(600);
    const put = await control('PUT', '/dns/records', { name: 'Example.COM.', type: 'TXT', values: ['a b', long] });
    assert.deepEqual(put.json().values, ['a b', long]);
    await control('PUT', '/dns/records', { name: 'example.com', type: 'CAA', values: ['0 issue "ca.example"'] });
    const deleted = await control('DELETE', '/dns/records', { name: 'example.com' });
    assert.deepEqual(deleted.json().types, ['TXT', 'CAA']);
    assert.deepEqual((await control('DELETE', '/dns/records', { name: 'example.com' })).json().types, []);
  });

  it('lists faults until they are spent', async () => {
    const wanted = { face: 'status', operation: 'GET /crl/{file}', times: 2, status: 503, retryAfterSeconds: 9 };
    const added = await control('POST', '/faults', wanted);
    assert.equal(added.status, 201);
    const { id } = added.json();
    assert.deepEqual(added.json(), { id, ...wanted, remaining: 2, when: 'before' });
    const fetchCrl = () => send(`${sandbox.ready.httpUrl}/crl/issuing-1.crl`);
    const first = await fetchCrl();
    assert.equal(first.status, 503);
    assert.equal(first.headers['retry-after'], '9');
    const [left] = (await control('GET', '/faults')).json().faults as { remaining: number }[];
    assert.equal(left?.remaining, 1);
    assert.equal((await fetchCrl()).status, 503);
    assert.equal((await fetchCrl()).status, 200);
    assert.deepEqual((await control('GET', '/faults')).json(), { faults: [] });
    await control('POST', '/faults', { face: '*', drop: 'after' });
    assert.deepEqual((await control('DELETE', '/faults')).json(), { cleared: 1 });
  });

  it('vets organizations', async () => {
    const { organizationNumber } = sandbox.ready;
    const path = `/organizations/${organizationNumber}/vet`;
    const vetted = (await control('POST', path, { vettedFor: ['ov'], preVettingToken: true })).json();
    assert.equal(vetted.validation, 'validated');
    assert.deepEqual(vetted.vettedFor, ['ov']);
    assert.equal(typeof vetted.preVettingToken, 'string');
    const rejected = (await control('POST', path, { decision: 'rejected' })).json();
    assert.equal(rejected.validation, 'rejected');
    await control('POST', '/reset');
  });
});
