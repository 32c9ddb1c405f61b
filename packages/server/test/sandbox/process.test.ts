import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { connectApi, send, startSandboxProcess } from '../../../../test/support/sandbox.ts';
import { createSandboxDns } from '../../src/sandbox/internet/dns/server.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import { runProgram, skipWithout } from '../support/programs.ts';

describe('sandbox process', () => {
  it('prints one line of JSON with what a client needs, and leaves nothing behind', async (t) => {
    const sandbox = await startSandboxProcess();
    t.after(() => sandbox.stop());
    const { ready } = sandbox;
    assert.deepEqual(Object.keys(ready).sort(), [
      ...[
        'accessKey',
        'accountNumber',
        'adminToken',
        'baseUrl',
        'caCertificate',
        'clientId',
        'clientSecret',
        'control',
      ],
      ...['dns', 'groupNumber', 'httpUrl', 'organizationNumber', 'preVettingToken', 'ready', 'second'],
    ]);
    assert.equal(ready.clientId, ready.accountNumber);
    assert.match(ready.accountNumber, /^\d{10}$/);
    assert.match(ready.groupNumber, /^\d{10}$/);
    assert.match(ready.organizationNumber, /^\d{7}$/);
    assert.match(ready.baseUrl, /^https:\/\/localhost:\d+$/);
    assert.match(ready.httpUrl, /^http:\/\/localhost:\d+$/);
    assert.match(ready.control, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.notEqual(ready.second.accountNumber, ready.accountNumber);

    const root = new X509Certificate(readFileSync(ready.caCertificate));
    assert.ok(root.ca && root.verify(root.publicKey));
    const health = await send(`${ready.baseUrl}/readyz`, { ca: root.toString() });
    assert.equal(health.status, 200, health.bytes.toString());

    assert.equal(await sandbox.stop('SIGTERM'), 0);
    assert.equal(sandbox.output().trimEnd().split('\n').length, 1);
    assert.equal(existsSync(dirname(ready.caCertificate)), false);
    for (const line of sandbox.errors().trimEnd().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
    for (const secret of [ready.clientSecret, ready.accessKey, ready.adminToken, ready.preVettingToken]) {
      assert.ok(!sandbox.errors().includes(secret), 'the log holds a secret');
    }
  });

  it('ends by SIGINT too, in the middle of a delayed answer', async (t) => {
    const sandbox = await startSandboxProcess();
    t.after(() => sandbox.stop());
    const { ready } = sandbox;
    const fault = { face: '*', delayMs: 60_000 };
    await send(`${ready.control}/faults`, { method: 'POST', body: JSON.stringify(fault) });
    const pending = send(`${ready.httpUrl}/crl/none.crl`).then(
      () => 'answered',
      () => 'cut',
    );
    // the fault is spent once the request has reached it
    for (let left = 1; left > 0; ) {
      const { faults } = (await send(`${ready.control}/faults`)).json();
      left = (faults as unknown[]).length;
    }
    assert.equal(await sandbox.stop('SIGINT'), 0);
    assert.equal(await pending, 'cut');
    assert.equal(existsSync(dirname(ready.caCertificate)), false);
  });

  it('speaks plain HTTP on the main listener when asked', async (t) => {
    const sandbox = await startSandboxProcess('--plain-http');
    t.after(() => sandbox.stop());
    try {
      assert.match(sandbox.ready.baseUrl, /^http:\/\/localhost:\d+$/);
      assert.equal((await send(`${sandbox.ready.baseUrl}/healthz`)).status, 200);
    } finally {
      await sandbox.stop();
    }
  });

  it('keeps numbers, secrets and tokens in --data, for its owner only', async (t) => {
    const data = mkdtempSync(join(tmpdir(), 'certwright-test-'));
    try {
      const first = await startSandboxProcess('--data', data);
      t.after(() => first.stop());
      assert.equal(await first.stop(), 0);
      assert.ok(existsSync(first.ready.caCertificate));
      assert.equal(statSync(join(data, 'sandbox.json')).mode & 0o777, 0o600);

      const second = await startSandboxProcess('--data', data);
      t.after(() => second.stop());
      const { baseUrl: _, httpUrl: __, control: ___, dns, ...values } = second.ready;
      for (const [name, value] of Object.entries(values)) {
        assert.deepEqual(value, first.ready[name as keyof typeof values], name);
      }
      assert.equal(dns?.tsigSecret, first.ready.dns?.tsigSecret);
      const account = await send(`${second.ready.baseUrl}/api/manage/v1/accounts/${values.accountNumber}/credentials`, {
        headers: { authorization: `Bearer ${values.adminToken}` },
        ca: readFileSync(values.caCertificate, 'utf8'),
      });
      assert.equal(account.status, 200);
      (await connectApi(second.ready)).close();
      assert.equal(await second.stop(), 0);
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  });

  it('takes updates signed with the key of the ready line', {
    skip: skipWithout('nsupdate') || skipWithout('dig'),
  }, async (t) => {
    const sandbox = await startSandboxProcess();
    t.after(() => sandbox.stop());
    try {
      const { dns } = sandbox.ready;
      assert.ok(dns);
      const [address = '', port = ''] = dns.address.split(':');
      const update = await runProgram(
        'nsupdate',
        ['-y', `${dns.tsigAlgorithm}:${dns.tsigName}:${dns.tsigSecret}`],
        `server ${address} ${port}\nzone example.com\nupdate add _acme-challenge.www.example.com 60 TXT "by update"\nsend\n`,
      );
      assert.equal(update.exitCode, 0, update.stderr);
      const args = [`@${address}`, '-p', port, '+short', '_acme-challenge.www.example.com', 'TXT'];
      assert.equal((await runProgram('dig', args)).stdout.trim(), '"by update"');
    } finally {
      await sandbox.stop();
    }
  });
});

describe('sandbox start', () => {
  it('refuses the data directory of a server', async () => {
    const data = mkdtempSync(join(tmpdir(), 'certwright-test-'));
    try {
      const sandbox = await startSandbox({ port: 0, data, logLevel: 'silent' });
      await sandbox.close();
      rmSync(join(data, 'sandbox.json'));
      await assert.rejects(startSandbox({ port: 0, data, logLevel: 'silent' }), /data of a real server/);
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  });

  it('asks another resolver, and then has no DNS of its own', async (t) => {
    const secret = Buffer.alloc(32).toString('base64');
    const dns = await createSandboxDns({ tsig: { name: 'key', algorithm: 'hmac-sha256', secret } });
    t.after(() => dns.close());
    const sandbox = await startSandbox({ port: 0, resolver: dns, logLevel: 'silent' });
    t.after(() => sandbox.close());
    assert.equal(sandbox.ready.dns, undefined);
    const body = JSON.stringify({ name: 'example.com', type: 'TXT', values: ['x'] });
    const refused = await send(`${sandbox.ready.control}/dns/records`, { method: 'PUT', body });
    assert.equal(refused.status, 409);
    assert.equal(refused.json().code, 'dns.otherResolver');
  });

  it('leaves nothing open when a port is taken', async (t) => {
    const first = await startSandbox({ port: 0, logLevel: 'silent' });
    t.after(() => first.close());
    const port = Number(new URL(first.ready.baseUrl).port);
    await assert.rejects(startSandbox({ port, logLevel: 'silent' }), /in use|EADDRINUSE/);
  });
});
