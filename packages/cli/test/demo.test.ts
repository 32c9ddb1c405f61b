import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { createReporter, StepError } from '../src/demo/reporter.ts';
import { type Finished, run } from './support/process.ts';

const hasOpenssl = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'openssl')));
const needsOpenssl = { skip: hasOpenssl || process.env.CI === 'true' ? false : 'openssl is not installed' };

describe('certwright demo --once', { timeout: 120_000 }, () => {
  let folder = '';
  let finished: Finished;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'certwright-test-'));
    finished = await run(['demo', '--once', '--output', join(folder, 'out')]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('does every step and says what it found', () => {
    assert.equal(finished.code, 0, `${finished.out}${finished.err}`);
    const steps = finished.out.split('\n').filter((line) => line.includes('✔'));
    assert.deepEqual(
      steps.map((line) => line.slice(4, 24).trim()),
      [
        ...['Sandbox', 'Access token', 'Products', 'Order', 'Challenge', 'DNS record', 'Domain control', 'Key and CSR'],
        ...['CSR', 'Agreement', 'Certificate', 'Chain', 'Files', 'OCSP', 'Revocation', 'OCSP', 'CRL'],
      ],
    );
    for (const line of steps) assert.match(line, / \d+ ms {2}\S/);
    assert.doesNotMatch(finished.out, /[\u001b✘]/, 'colours only on a terminal');
    assert.equal(finished.err, '');
  });

  it('leaves the certificate, its chain and its key', () => {
    const out = join(folder, 'out');
    const files = ['certificate.pem', 'chain.pem', 'fullchain.pem', 'key.pem', 'root.pem'];
    assert.deepEqual(readdirSync(out).sort(), files);
    assert.equal(statSync(join(out, 'key.pem')).mode & 0o777, 0o600);
    const certificate = new X509Certificate(readFileSync(join(out, 'certificate.pem')));
    const serial = /serial ([0-9A-F]+),/.exec(finished.out)?.[1];
    assert.equal(certificate.serialNumber, serial, 'the line told the truth');
    assert.equal(certificate.subjectAltName, 'DNS:shop.example.com');
  });

  it('leaves what openssl accepts', needsOpenssl, async () => {
    const args = ['verify', '-CAfile', 'root.pem', '-untrusted', 'chain.pem', 'certificate.pem'];
    const child = spawn('openssl', args, { cwd: join(folder, 'out'), stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    assert.equal(code, 0, err);
    assert.match(out, /certificate\.pem: OK/);
  });

  it('has closed its listeners', async () => {
    const port = /API v2 at https:\/\/localhost:(\d+)/.exec(finished.out)?.[1];
    const probe = createServer().listen(Number(port), '127.0.0.1');
    await once(probe, 'listening');
    probe.close();
  });

  it('runs again over its own files', async () => {
    const again = await run(['demo', '--once', '--output', join(folder, 'out')]);
    assert.equal(again.code, 0, again.err);
    assert.equal(statSync(join(folder, 'out', 'key.pem')).mode & 0o777, 0o600);
  });

  it('fails with the step that failed', async () => {
    const refused = await run(['demo', '--once', '--output', '/dev/null/nowhere']);
    assert.equal(refused.code, 1);
    assert.match(refused.out, /✘ Files/);
    assert.match(refused.err, /the demo failed at “Files”/);
  });
});

describe('reporter of the demo', () => {
  it('shows time and result of a step, aligned', async () => {
    let shown = '';
    const times = [1_000, 1_012.4];
    const reporter = createReporter({
      write: (chunk) => {
        shown += chunk;
      },
      isTerminal: false,
      now: () => times.shift() ?? 0,
    });
    assert.equal(
      await reporter.step(
        'Order',
        async () => 7,
        (value) => `number ${value}`,
      ),
      7,
    );
    assert.equal(shown, `  ✔ ${'Order'.padEnd(20)}     12 ms  number 7\n`);
  });

  it('shows a step that failed, and names it', async () => {
    let shown = '';
    const reporter = createReporter({
      write: (chunk) => {
        shown += chunk;
      },
      isTerminal: true,
      now: () => 0,
    });
    const failing = reporter.step('Order', () => Promise.reject(new Error('no money')), String);
    await assert.rejects(failing, (error) => error instanceof StepError && error.step === 'Order');
    assert.match(shown, /✘.*no money/);
  });
});
