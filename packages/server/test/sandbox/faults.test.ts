import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { createOperationRegistry, installFaults } from '../../src/sandbox/faults/hooks.ts';
import { createFaultList, type FaultDraft, faceOf } from '../../src/sandbox/faults/list.ts';

const status = (code: number) => ({ kind: 'status', moment: 'before', status: code }) as const;

describe('fault list', () => {
  const list = () => createFaultList((id) => id === 'getSslOrder');
  const get = (path: string, operationId?: string) => ({ method: 'GET', path, operationId });
  const order = '/api/certinext/v2/ssl-certificates/1234567890';

  it('tells faces by their paths', () => {
    assert.equal(faceOf(order), 'v2');
    assert.equal(faceOf('/oauth/token'), 'token');
    assert.equal(faceOf('/ocsp/issuing'), 'status');
    assert.equal(faceOf('/crl/issuing.crl'), 'status');
    assert.equal(faceOf('/healthz'), undefined);
  });

  it('hits as many requests as asked, oldest fault first', () => {
    const faults = list();
    faults.add({ face: 'v2', times: 2, effect: status(500) });
    faults.add({ face: '*', times: 1, effect: status(503) });
    assert.deepEqual(
      faults.list().map(({ remaining }) => remaining),
      [2, 1],
    );
    const effects = [1, 2, 3, 4].map(() => faults.take(get(order))?.effect);
    assert.deepEqual(effects, [status(500), status(500), status(503), undefined]);
    assert.deepEqual(faults.list(), []);
  });

  it('leaves other faces alone', () => {
    const faults = list();
    faults.add({ face: 'token', times: 1, effect: status(500) });
    assert.equal(faults.take(get(order)), undefined);
    assert.equal(
      faults.take({ method: 'POST', path: '/oauth/token', operationId: 'issueToken' })?.effect.kind,
      'status',
    );
  });

  for (const [operation, subject, isHit] of [
    ['getSslOrder', get(order, 'getSslOrder'), true],
    ['getSslOrder', get(`${order}/dcv`, 'getSslOrderDcv'), false],
    ['GET /api/certinext/v2/ssl-certificates/*', get(order), true],
    ['GET /api/certinext/v2/ssl-certificates/{orderId}', get(order), true],
    ['* /api/certinext/v2/ssl-certificates/*', get(order), true],
    ['POST /api/certinext/v2/ssl-certificates/*', get(order), false],
    ['GET /api/certinext/v2/ssl-certificates/*', get(`${order}/dcv`), false],
    [`GET ${order}`, get(order), true],
  ] as const) {
    it(`${operation} ${isHit ? 'hits' : 'misses'} ${subject.path}`, () => {
      const faults = list();
      assert.ok(faults.add({ face: 'v2', operation, times: 1, effect: status(500) }).ok);
      assert.equal(faults.take(subject) !== undefined, isHit);
    });
  }

  it('refuses an operation that does not exist, and more faults than fit', () => {
    const faults = list();
    for (const operation of ['getSslOrders', 'GET', 'GET  /x', 'get /x', '/x']) {
      const added = faults.add({ face: 'v2', operation, times: 1, effect: status(500) });
      assert.ok(!added.ok && added.error.field === 'operation', operation);
    }
    for (let count = 0; count < 1_000; count++) faults.add({ face: '*', times: 1, effect: status(500) });
    assert.equal(faults.add({ face: '*', times: 1, effect: status(500) }).ok, false);
    faults.clear();
    assert.equal(faults.add({ face: '*', times: 1, effect: status(500) }).ok, true);
  });
});

describe('faults of an application', () => {
  const operations = createOperationRegistry();
  const faults = createFaultList(operations.has);
  let app: FastifyInstance;
  let base = '';
  let effects = 0;

  before(async () => {
    app = fastify({ forceCloseConnections: true });
    operations.observe(app);
    installFaults(app, faults);
    // faces live in scopes of their own
    await app.register(async (face) => {
      const schema = { operationId: 'createThing' };
      face.post('/api/certinext/v2/things', { schema: schema as object }, async (_request, reply) => {
        effects += 1;
        return reply.code(201).header('Location', '/things/1').send({ made: effects });
      });
      face.post('/oauth/token', async () => ({ access_token: 'x' }));
      face.get('/crl/issuing.crl', async (_request, reply) =>
        reply.header('ETag', '"1"').header('Content-Length', '3').send(Buffer.from('crl')),
      );
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  });
  after(() => app.close());
  beforeEach(() => {
    faults.clear();
    effects = 0;
  });

  const add = (fault: Omit<FaultDraft, 'times'>) => assert.ok(faults.add({ times: 1, ...fault }).ok);
  const create = () => fetch(`${base}/api/certinext/v2/things`, { method: 'POST' });

  it('knows the operation ids of the faces', () => {
    assert.ok(operations.has('createThing'));
    assert.ok(!operations.has('createThings'));
  });

  it('answers with a problem of the API v2 before the effect, then lets through', async () => {
    add({
      face: 'v2',
      operation: 'createThing',
      effect: { ...status(422), code: 'EMS-915', detail: 'no such product' },
    });
    const refused = await create();
    assert.equal(refused.status, 422);
    assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/);
    const problem = (await refused.json()) as Record<string, unknown>;
    assert.equal(problem.code, 'EMS-915');
    assert.equal(problem.detail, '[EMS-915] no such product');
    assert.equal(problem.instance, '/api/certinext/v2/things');
    assert.equal(effects, 0);
    assert.equal((await create()).status, 201);
    assert.equal(effects, 1);
  });

  it('says when to come back with 429 and 503', async () => {
    add({ face: 'v2', effect: status(429) });
    add({ face: 'v2', effect: { ...status(503), retryAfterSeconds: 7 } });
    assert.equal((await create()).headers.get('retry-after'), '1');
    assert.equal((await create()).headers.get('retry-after'), '7');
  });

  it('replaces the answer after the effect', async () => {
    add({ face: 'v2', effect: { ...status(500), moment: 'after' } });
    const answer = await create();
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get('location'), null);
    assert.equal(effects, 1);
    add({ face: 'status', effect: { ...status(503), moment: 'after' } });
    const crl = await fetch(`${base}/crl/issuing.crl`);
    assert.equal(crl.status, 503);
    assert.equal(crl.headers.get('etag'), null);
    assert.match(await crl.text(), /fault/);
  });

  it('speaks OAuth at the token endpoint', async () => {
    add({ face: 'token', effect: status(401) });
    const answer = await fetch(`${base}/oauth/token`, { method: 'POST' });
    assert.equal(answer.status, 401);
    assert.equal(((await answer.json()) as { error: string }).error, 'invalid_client');
  });

  it('cuts the connection before or after the effect', async () => {
    add({ face: 'v2', effect: { kind: 'drop', moment: 'before' } });
    await assert.rejects(create());
    assert.equal(effects, 0);
    add({ face: 'v2', effect: { kind: 'drop', moment: 'after' } });
    await assert.rejects(create());
    assert.equal(effects, 1);
  });

  it('delays before or after the effect', async () => {
    add({ face: 'v2', effect: { kind: 'delay', moment: 'before', delayMs: 60 } });
    const begun = performance.now();
    assert.equal((await create()).status, 201);
    assert.ok(performance.now() - begun >= 55);
    add({ face: 'v2', effect: { kind: 'delay', moment: 'after', delayMs: 60_000 } });
    const abort = new AbortController();
    const pending = fetch(`${base}/api/certinext/v2/things`, { method: 'POST', signal: abort.signal });
    const arrived = once(app.server, 'request');
    await Promise.race([arrived, pending]);
    // the handler runs in the turns after the request has arrived
    while (effects < 2) await new Promise(setImmediate);
    abort.abort();
    await assert.rejects(pending);
  });
});
