import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createSecretBox, platformKey } from '../../src/adapters/vault/index.ts';
import { type CertificatePem, createOwnCertificate } from '../../src/compose/own-certificate.ts';
import type { Platform } from '../../src/index.ts';
import { startTestPlatform } from '../support/platform.ts';

const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'certwright-own-'));
const secrets = createSecretBox(platformKey(randomBytes(32)));
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
let platform: Platform;

before(async () => {
  platform = await startTestPlatform(join(folder, 'data'), { 'tls.mode': 'off' });
});
after(async () => {
  await platform?.close();
  rmSync(folder, { recursive: true });
});

/** A process that keeps a certificate for the names; its wall clock can be moved. */
async function keeper(holder: string, names: readonly string[]) {
  const installed: CertificatePem[] = [];
  const time = { now: Date.now() };
  const issuing = (await platform.store.authorities.list()).find(({ kind }) => kind === 'issuing');
  assert.ok(issuing !== undefined);
  const own = createOwnCertificate({
    core: platform.core,
    store: platform.store,
    secrets,
    wallClock: { now: () => time.now },
    holder,
    platformAccount: platform.platformAccount,
    names,
    issuer: issuing.certificate,
    install: (certificate) => installed.push(certificate),
    log: silent,
  });
  return { own, installed, time };
}

const serialOf = (pem: CertificatePem | undefined): string => new X509Certificate(pem?.cert ?? '').serialNumber;

test('it is ordered once, renewed after two thirds of its life, and shared between processes', async () => {
  const names = ['renewal.example', '192.0.2.1'];
  const first = await keeper('first', names);
  await first.own.refresh();
  await first.own.refresh();
  assert.equal(first.installed.length, 1);
  const certificate = new X509Certificate(first.installed[0]?.cert ?? '');
  assert.ok(certificate.checkHost('renewal.example'));
  assert.ok(certificate.checkIP('192.0.2.1'));

  const second = await keeper('second', names);
  await second.own.refresh();
  assert.equal(serialOf(second.installed[0]), certificate.serialNumber);

  const life = certificate.validToDate.getTime() - certificate.validFromDate.getTime();
  first.time.now = certificate.validFromDate.getTime() + (life * 2) / 3 - DAY;
  await first.own.refresh();
  assert.equal(first.installed.length, 1);
  first.time.now += 2 * DAY;
  await first.own.refresh();
  assert.equal(first.installed.length, 2);
  assert.notEqual(serialOf(first.installed[1]), certificate.serialNumber);

  await second.own.refresh();
  assert.equal(serialOf(second.installed[1]), serialOf(first.installed[1]));
});

test('other names have a certificate of their own', async () => {
  const one = await keeper('one', ['one.example']);
  const two = await keeper('two', ['two.example']);
  await Promise.all([one.own.refresh(), two.own.refresh()]);
  assert.notEqual(serialOf(one.installed[0]), serialOf(two.installed[0]));
});

test('processes that start at once without any certificate all get one', async () => {
  const keepers = await Promise.all(['a', 'b', 'c'].map((holder) => keeper(holder, ['together.example'])));
  await Promise.all(keepers.map(({ own }) => own.refresh()));
  for (const { installed } of keepers)
    assert.ok(new X509Certificate(installed[0]?.cert ?? '').checkHost('together.example'));
});

test('no credential of the platform’s account outlives its order', async () => {
  const { core, platformAccount } = platform;
  const origin = { channel: 'test', requestId: '', ip: '', originator: 'test' };
  const listed = await core.credentials.list({ operator: 'test', origin }, platformAccount);
  assert.ok(listed.ok && listed.value.length > 0);
  assert.ok(listed.value.every(({ status }) => status === 'revoked'));
});
