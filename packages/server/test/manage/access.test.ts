import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Core, OperatorContext } from '@certwright/core';
import { operations } from '../../src/faces/manage/operations.ts';
import type { Platform } from '../../src/index.ts';
import { type Answer, call, callSocket, startTestPlatform } from '../support/platform.ts';

const BASE = '/api/manage/v1';
const operator: OperatorContext = {
  operator: 'test',
  origin: { channel: 'test', requestId: '', ip: '', originator: 'test' },
};

const folder = mkdtempSync(join(tmpdir(), 'certwright-manage-'));
let platform: Platform;
let own: { number: string; token: string; credentialId: number };
let foreign: { number: string; token: string; credentialId: number };

async function makeAccount(core: Core, name: string) {
  const created = await core.accounts.create(operator, {
    name,
    administratorName: 'Administrator',
    administratorEmail: 'administrator@example.com',
  });
  assert.ok(created.ok);
  return { number: created.value.account.number, groupNumber: created.value.group.number };
}

async function tokenOf(core: Core, accountNumber: string, groupNumber?: string) {
  const made = await core.credentials.create(operator, {
    accountNumber,
    authType: 'oauth',
    label: 'test',
    ...(groupNumber === undefined ? {} : { groupNumber }),
  });
  assert.ok(made.ok);
  const tokens = await core.credentials.tokenByClientSecret(operator.origin, accountNumber, made.value.secret);
  assert.ok(tokens.ok);
  return { number: accountNumber, token: tokens.value.accessToken, credentialId: made.value.credential.id };
}

before(async () => {
  platform = await startTestPlatform(join(folder, 'data'));
  const { core } = platform;
  own = await tokenOf(core, (await makeAccount(core, 'Own')).number);
  foreign = await tokenOf(core, (await makeAccount(core, 'Foreign')).number);
});
after(async () => {
  await platform?.close();
  rmSync(folder, { recursive: true });
});

function send(token: string | undefined, method: string, path: string, body?: unknown): Promise<Answer> {
  return call(platform, BASE + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Every operation with its parameters filled in; nothing is called through these dependencies. */
function everyOperation() {
  const list = operations({
    core: platform.core,
    now: Date.now,
    accountNumber: async () => undefined,
    accountId: async () => undefined,
    jobs: (page) => platform.store.jobs.list(page),
  });
  return list.map((operation) => ({
    ...operation,
    url: operation.path.replace(':number', own.number).replace(':id', String(own.credentialId)),
  }));
}

describe('over HTTPS', () => {
  test('no operation answers without a token, or with a forged one', async () => {
    for (const { method, url } of everyOperation()) {
      for (const token of [undefined, 'x'.repeat(43), 'Bearer']) {
        const answer = await send(token, method, url);
        assert.equal(answer.status, 401, `${method} ${url}`);
        assert.match(String(answer.headers['www-authenticate']), /^Bearer/);
        assert.match(String(answer.headers['content-type']), /problem\+json/);
      }
    }
  });

  test('operations on the whole installation are refused, before the request is looked at', async () => {
    const installation = everyOperation().filter(({ scope }) => scope === 'installation');
    assert.ok(installation.length >= 8);
    for (const { method, url } of installation) {
      const answer = await send(own.token, method, url, method === 'POST' ? { nonsense: true } : undefined);
      assert.equal(answer.status, 403, `${method} ${url}: ${answer.body}`);
      assert.equal(JSON.parse(answer.body).code, 'permission.denied');
    }
  });

  test('an administrator sees and changes the own account', async () => {
    assert.equal((await send(own.token, 'GET', `/accounts/${own.number}/credentials`)).status, 200);
    const created = await send(own.token, 'POST', `/accounts/${own.number}/credentials`, {
      authType: 'accessKey',
      label: 'made over HTTPS',
    });
    assert.equal(created.status, 201, created.body);
    const { credential } = JSON.parse(created.body);
    const revoked = await send(own.token, 'POST', `/credentials/${credential.id}/revoke`);
    assert.equal(revoked.status, 200);
    assert.equal(JSON.parse(revoked.body).status, 'revoked');
    for (const path of ['/orders', '/certificates', '/audit']) {
      const answer = await send(own.token, 'GET', path);
      assert.equal(answer.status, 200, `${path}: ${answer.body}`);
    }
  });

  test('objects of another account do not exist', async () => {
    const platformOrder = JSON.parse((await callSocket(platform, `${BASE}/orders`)).body).items[0].number;
    const table: readonly (readonly [method: string, path: string, body?: unknown])[] = [
      ['GET', `/accounts/${foreign.number}/credentials`],
      ['POST', `/accounts/${foreign.number}/credentials`, { authType: 'oauth', label: 'x' }],
      ['POST', `/credentials/${foreign.credentialId}/revoke`],
      ['POST', `/accounts/${foreign.number}/organizations`, { name: 'X', countryCode: 'GB' }],
      ['GET', `/orders?accountNumber=${foreign.number}`],
      ['GET', `/certificates?accountNumber=${foreign.number}`],
      ['GET', `/audit?accountNumber=${foreign.number}`],
      ['GET', `/orders/${platformOrder}`],
    ];
    for (const [method, path, body] of table) {
      const answer = await send(own.token, method, path, body);
      assert.equal(answer.status, 404, `${method} ${path}: ${answer.body}`);
    }
    assert.equal((await send(foreign.token, 'GET', `/accounts/${foreign.number}/credentials`)).status, 200);
  });

  test('lists hold nothing of other accounts', async () => {
    assert.deepEqual(JSON.parse((await send(own.token, 'GET', '/orders')).body).items, []);
    assert.deepEqual(JSON.parse((await send(own.token, 'GET', '/certificates')).body).items, []);
    const entries: { objectId: string }[] = JSON.parse((await send(own.token, 'GET', '/audit?limit=200')).body).items;
    assert.ok(entries.length > 0);
    assert.ok(entries.every(({ objectId }) => objectId !== String(foreign.credentialId)));
  });

  test('a credential that is bound to a group may not manage', async () => {
    const { number, groupNumber } = await makeAccount(platform.core, 'Groups');
    const bound = await tokenOf(platform.core, number, groupNumber);
    assert.equal((await send(bound.token, 'GET', `/accounts/${number}/credentials`)).status, 403);
  });

  test('the token of a revoked credential is worth nothing at once', async () => {
    const doomed = await tokenOf(platform.core, own.number);
    assert.equal((await send(doomed.token, 'GET', '/orders')).status, 200);
    assert.equal((await send(doomed.token, 'POST', `/credentials/${doomed.credentialId}/revoke`)).status, 200);
    assert.equal((await send(doomed.token, 'GET', '/orders')).status, 401);
  });
});

describe('requests', () => {
  const post = (path: string, body: string, type = 'application/json') =>
    callSocket(platform, BASE + path, { method: 'POST', body, headers: { 'Content-Type': type } });

  test('wrong bodies are refused with the fields named, and change nothing', async () => {
    const before = JSON.parse((await callSocket(platform, `${BASE}/accounts`)).body).items.length;
    const table: readonly (readonly [body: string, status: number, field?: string])[] = [
      ['{', 400],
      ['[]', 400],
      ['', 400, 'name'],
      ['{"name":"x","administratorName":"y","administratorEmail":"nowhere"}', 400, 'administratorEmail'],
      ['{"name":"x","administratorName":"y","administratorEmail":"a@b.example","role":"root"}', 400, 'role'],
      [`{"name":"${'x'.repeat(201)}","administratorName":"y","administratorEmail":"a@b.example"}`, 400, 'name'],
      [`{"name":${'['.repeat(5000)}${']'.repeat(5000)}}`, 400],
      [JSON.stringify({ name: 'x'.repeat(2_000_000) }), 413],
    ];
    for (const [body, status, field] of table) {
      const answer = await post('/accounts', body);
      assert.equal(answer.status, status, body.slice(0, 80) + answer.body);
      const problem = JSON.parse(answer.body);
      assert.equal(problem.status, status);
      if (field !== undefined)
        assert.ok(
          problem.errors.some((one: { field: string }) => one.field === field),
          answer.body,
        );
    }
    assert.equal((await post('/accounts', 'name=x', 'application/x-www-form-urlencoded')).status, 415);
    assert.equal(JSON.parse((await callSocket(platform, `${BASE}/accounts`)).body).items.length, before);
  });

  test('a cursor that no page gave out is a wrong request', async () => {
    for (const cursor of ['x', 'AAAA', '%00', 'e30']) {
      const answer = await callSocket(platform, `${BASE}/accounts?cursor=${cursor}`);
      assert.equal(answer.status, 400, answer.body);
    }
  });

  test('pages follow each other and lead back', async () => {
    for (const name of ['One', 'Two', 'Three']) await makeAccount(platform.core, name);
    const all = JSON.parse((await callSocket(platform, `${BASE}/accounts?limit=200`)).body).items;
    const numbers: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = JSON.parse((await callSocket(platform, `${BASE}/accounts?limit=2${query}`)).body);
      numbers.push(...page.items.map((account: { number: string }) => account.number));
      cursor = page.next;
    }
    assert.deepEqual(
      numbers,
      all.map((account: { number: string }) => account.number),
    );
  });

  test('the name of the operator goes into the audit trail', async () => {
    await callSocket(platform, `${BASE}/accounts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Operator': 'alice', 'X-Request-Id': 'request-of-alice' },
      body: JSON.stringify({ name: 'By Alice', administratorName: 'A', administratorEmail: 'a@example.com' }),
    });
    const { items } = JSON.parse((await callSocket(platform, `${BASE}/audit?activity=account.created&limit=1`)).body);
    assert.equal(items[0].actor, 'operator:alice');
    assert.equal(items[0].requestId, 'request-of-alice');
    assert.equal(items[0].channel, 'manage');
  });
});
