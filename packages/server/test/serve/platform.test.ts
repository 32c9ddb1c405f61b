import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { createSecretBox, platformKey } from '../../src/adapters/vault/index.ts';
import { type CertificatePem, createOwnCertificate } from '../../src/compose/own-certificate.ts';
import { certificateFromFiles } from '../../src/compose/tls.ts';
import type { Platform } from '../../src/index.ts';
import { openListener } from '../../src/listeners/listener.ts';
import { call, startTestPlatform } from '../support/platform.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwright-serve-'));
after(() => rmSync(folder, { recursive: true }));

async function servedCertificate(
  platform: Pick<Platform, 'ports' | 'rootCertificate'>,
  servername: string,
): Promise<X509Certificate> {
  const socket = connect({ host: '127.0.0.1', port: platform.ports.main, servername, ca: platform.rootCertificate });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  assert.ok(certificate !== undefined);
  return certificate;
}

describe('a platform from nothing', () => {
  const data = join(folder, 'first');
  let platform: Platform;
  before(async () => {
    platform = await startTestPlatform(data);
  });
  after(() => platform.close());

  test('the first start makes an account whose credential works', async () => {
    const { firstAccount } = platform;
    assert.ok(firstAccount !== null);
    assert.match(firstAccount.accountNumber, /^\d{10}$/);
    const answer = await call(platform, '/oauth/token', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: firstAccount.accountNumber,
        client_secret: firstAccount.clientSecret,
      }).toString(),
    });
    assert.equal(answer.status, 200, answer.body);
    assert.ok(answer.body.includes('access_token'));
  });

  test('data directory, key file and socket are for their owner only', () => {
    assert.equal(statSync(data).mode & 0o777, 0o700);
    assert.equal(statSync(join(data, 'platform.key')).mode & 0o777, 0o600);
    assert.equal(statSync(join(data, 'manage.sock')).mode & 0o777, 0o600);
    assert.equal(readFileSync(platform.rootCertificateFile, 'utf8'), platform.rootCertificate);
  });

  test('HTTPS has a certificate of this CA for the names of this machine', async () => {
    const certificate = await servedCertificate(platform, 'localhost');
    assert.ok(certificate.checkHost('localhost'));
    assert.ok(certificate.checkIP('127.0.0.1'));
    assert.ok(certificate.checkIP('::1'));
  });

  test('health and readiness', async () => {
    assert.equal((await call(platform, '/healthz')).status, 200);
    const ready = await call(platform, '/readyz');
    assert.equal(ready.status, 200, ready.body);
    assert.deepEqual(JSON.parse(ready.body).checks, { database: 'ok', keys: 'ok', crls: 'ok' });
  });

  test('metrics name issuance, requests, commits and signatures', async () => {
    const { status, body } = await call(platform, '/metrics');
    assert.equal(status, 200);
    for (const name of [
      'certwright_certificates_total{profile="intranet-server",result="issued"}',
      'certwright_http_request_duration_seconds_count{face="system",method="GET",route="/healthz",status="200"}',
      'certwright_store_commit_duration_seconds_count{result="committed"}',
      'certwright_signing_duration_seconds_count{purpose="certificate",result="signed"}',
      'certwright_certificates{state="valid"}',
      'certwright_crl_age_seconds{ca=',
      'certwright_job_lag_seconds{queue="jobs"}',
      'certwright_store_write_sets_waiting',
      'process_resident_memory_bytes',
    ]) {
      assert.ok(body.includes(name), name);
    }
  });

  test('a sane request id is kept, another one replaced', async () => {
    const kept = await call(platform, '/healthz', { headers: { 'X-Request-Id': 'abc-123.DEF' } });
    assert.equal(kept.headers['x-request-id'], 'abc-123.DEF');
    for (const id of ['short', 'x'.repeat(65), 'has blank in it', 'quote"quote"']) {
      const answer = await call(platform, '/healthz', { headers: { 'X-Request-Id': id } });
      assert.match(String(answer.headers['x-request-id']), /^[0-9a-f-]{36}$/, id);
    }
    const problem = await call(platform, '/api/manage/v1/orders', { headers: { 'X-Request-Id': 'abc-123.DEF' } });
    assert.equal(problem.status, 401);
    assert.equal(JSON.parse(problem.body).requestId, 'abc-123.DEF');
  });

  test('the documentation lists the operations of every face, with nothing from elsewhere', async () => {
    for (const path of ['/', '/swagger-ui/index.html']) {
      const led = await call(platform, path);
      assert.deepEqual([led.status, led.headers.location], [302, '/docs']);
    }
    const { status, headers, body } = await call(platform, '/docs');
    assert.equal(status, 200);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    for (const path of ['/api/manage/v1/orders/{number}/approve', '/api/certinext/v2/'])
      assert.ok(body.includes(path), path);
    assert.ok(!/<script|src=|https?:\/\/(?!localhost)/.test(body.replaceAll(/<p>[^<]*<\/p>/g, '')));
  });

  test('the plain listener has status and nothing else', async () => {
    const get = async (path: string): Promise<number> => {
      const sent = httpRequest(new URL(path, platform.urls.publicHttpUrl), { agent: false }).end();
      const [answer] = await once(sent, 'response');
      answer.resume();
      return answer.statusCode;
    };
    const [ca] = await platform.store.authorities.list();
    assert.equal(await get(`/ca/${ca?.slug}.cer`), 200);
    for (const path of ['/api/manage/v1/orders', '/oauth/token', '/metrics', '/docs'])
      assert.equal(await get(path), 404, path);
  });
});

test('a second start finds everything, and no second account is made', async () => {
  const data = join(folder, 'again');
  const first = await startTestPlatform(data);
  const served = await servedCertificate(first, 'localhost');
  await first.close();
  await first.close();
  const second = await startTestPlatform(data);
  try {
    assert.equal(second.firstAccount, null);
    assert.equal(second.rootCertificate, first.rootCertificate);
    assert.equal((await servedCertificate(second, 'localhost')).fingerprint256, served.fingerprint256);
  } finally {
    await second.close();
  }
});

test('a second process on the same directory is refused, and the first goes on', async () => {
  const data = join(folder, 'shared');
  const first = await startTestPlatform(data);
  try {
    await assert.rejects(startTestPlatform(data), /another|PostgreSQL/i);
    assert.equal((await call(first, '/healthz')).status, 200);
  } finally {
    await first.close();
  }
});

test('a wrong key and a missing key are named at start', async () => {
  const data = join(folder, 'keys');
  await (await startTestPlatform(data)).close();
  const other = join(folder, 'keys-other');
  await (await startTestPlatform(other)).close();

  await assert.rejects(
    startTestPlatform(data, { 'key.file': join(other, 'platform.key') }),
    /keys-other\/platform\.key holds platform key [0-9a-f]{16}, but this database was made with platform key [0-9a-f]{16}/,
  );
  renameSync(join(data, 'platform.key'), join(data, 'moved.key'));
  await assert.rejects(startTestPlatform(data), /platform\.key is missing.*restore/);
  await (await startTestPlatform(data, { 'key.file': join(data, 'moved.key') })).close();
});

test('an address that is taken leaves nothing behind', async () => {
  const running = await startTestPlatform(join(folder, 'taken'));
  try {
    const data = join(folder, 'not-made');
    await assert.rejects(
      startTestPlatform(data, { listen: `127.0.0.1:${running.ports.main}` }),
      /is in use by another program/,
    );
    assert.throws(() => statSync(data), { code: 'ENOENT' });
  } finally {
    await running.close();
  }
});

test('a certificate from files is served, and a newer one without a restart', async () => {
  const issuing = await startTestPlatform(join(folder, 'issuer'), { 'tls.mode': 'off' });
  const ordered: CertificatePem[] = [];
  const [root, issuer] = await issuing.store.authorities.list();
  assert.ok(root !== undefined && issuer !== undefined);
  for (const names of [['localhost'], ['localhost', 'second.example']]) {
    const own = createOwnCertificate({
      ...{ core: issuing.core, store: issuing.store, platformAccount: issuing.platformAccount, names },
      secrets: createSecretBox(platformKey(randomBytes(32))),
      wallClock: { now: () => Date.now() },
      holder: 'files',
      issuer: issuer.certificate,
      install: (certificate) => ordered.push(certificate),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    await own.refresh();
  }
  await issuing.close();
  const [first, second] = ordered;
  assert.ok(first !== undefined && second !== undefined);

  const [cert, key] = [join(folder, 'tls-cert.pem'), join(folder, 'tls-key.pem')];
  writeFileSync(cert, first.cert);
  writeFileSync(key, second.key);
  const flags = { 'tls.mode': 'files', 'tls.cert': cert, 'tls.key': key };
  await assert.rejects(startTestPlatform(join(folder, 'files'), flags), /do not belong together/);

  writeFileSync(key, first.key);
  const listener = await openListener(
    { host: '127.0.0.1', port: 0 },
    { tls: true, key: 'listen', limits: { connections: 10, requestTimeoutMs: 1_000 } },
  );
  try {
    const keeper = certificateFromFiles(cert, key, listener, {
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    });
    const served = async () =>
      (
        await servedCertificate(
          { ports: { main: listener.port, plain: 0 }, rootCertificate: issuing.rootCertificate },
          'localhost',
        )
      ).serialNumber;
    await keeper.refresh();
    assert.equal(await served(), new X509Certificate(first.cert).serialNumber);
    writeFileSync(cert, second.cert);
    await assert.rejects(keeper.refresh(), /do not belong together/);
    assert.equal(await served(), new X509Certificate(first.cert).serialNumber);
    writeFileSync(key, second.key);
    await keeper.refresh();
    assert.equal(await served(), new X509Certificate(second.cert).serialNumber);
  } finally {
    await listener.drain(0);
  }
});

test('a process serves what its roles say', async () => {
  const platform = await startTestPlatform(join(folder, 'roles'), { roles: 'jobs' });
  try {
    assert.equal(platform.ports.plain, 0);
    assert.equal((await call(platform, '/readyz')).status, 200);
    assert.equal((await call(platform, '/api/certinext/v2/auth/me')).status, 404);
  } finally {
    await platform.close();
  }
});

test('without TLS the main listener is plain', async () => {
  const platform = await startTestPlatform(join(folder, 'plain'), { 'tls.mode': 'off' });
  try {
    assert.match(platform.urls.publicUrl, /^http:\/\/localhost:/);
    const sent = httpRequest(`${platform.urls.publicUrl}/readyz`, { agent: false }).end();
    const [answer] = await once(sent, 'response');
    assert.equal(answer.statusCode, 200);
    answer.resume();
  } finally {
    await platform.close();
  }
});
