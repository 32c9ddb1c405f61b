import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { KeyVault } from '@certwright/core';
import {
  type BasicOcspResponse,
  certId,
  encodeOcspRequest,
  type OcspHash,
  type OcspResponse,
  parseCertificate,
  parseOcspResponse,
  publicKeyBits,
  verifyOcspResponse,
} from '@certwright/pki';
import { skipWithout } from '../support/programs.ts';
import { type Installation, type Issued, install, resume, revoke } from './installation.ts';
import { runProgram } from './run-program.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function idOf(
  installation: Installation,
  serial: string,
  hash: OcspHash = 'sha1',
  ca = installation.issuing,
): Uint8Array {
  const issuer = parseCertificate(ca.certificate);
  assert.ok(issuer.ok);
  const { subjectDer, spki } = issuer.value;
  return certId(subjectDer, publicKeyBits(spki), Buffer.from(serial, 'hex'), hash);
}

const requestFor = (installation: Installation, { record }: Issued, nonce?: Uint8Array): Uint8Array =>
  encodeOcspRequest([idOf(installation, record.serial)], nonce);

async function post(installation: Installation, request: Uint8Array, type = 'application/ocsp-request') {
  const response = await fetch(`${installation.url}/ocsp/${installation.issuing.slug}`, {
    method: 'POST',
    body: Buffer.from(request),
    headers: type === '' ? {} : { 'content-type': type },
  });
  return { response, body: new Uint8Array(await response.arrayBuffer()) };
}

const getUrl = (installation: Installation, request: Uint8Array): string =>
  `${installation.url}/ocsp/${installation.issuing.slug}/${encodeURIComponent(Buffer.from(request).toString('base64'))}`;

function parsed(body: Uint8Array): OcspResponse {
  const response = parseOcspResponse(body);
  assert.ok(response.ok);
  return response.value;
}

function basic(body: Uint8Array): BasicOcspResponse {
  const response = parsed(body);
  assert.equal(response.status, 'successful');
  return response;
}

async function ask(installation: Installation, issued: Issued) {
  const response = basic((await post(installation, requestFor(installation, issued))).body);
  const [single] = response.responses;
  assert.ok(single);
  return single;
}

describe('OCSP', () => {
  let installation: Installation;
  let signatures = 0;
  let onSign: (() => Promise<void>) | undefined;
  const wrapVault = (vault: KeyVault): KeyVault => ({
    generate: (algorithm) => vault.generate(algorithm),
    import: (pkcs8) => vault.import(pkcs8),
    async sign(permit) {
      if (permit.purpose === 'ocspResponse') {
        signatures++;
        await onSign?.();
      }
      return vault.sign(permit);
    },
  });
  before(async () => {
    installation = await install({ wrapVault });
  });
  after(() => installation.close());

  it('OCSP-01: good, revoked with time and reason, held; signed by a delegated responder with nocheck', async () => {
    let issued = await installation.issue();
    const issuer = parseCertificate(installation.issuing.certificate);
    assert.ok(issuer.ok);
    const { body } = await post(installation, requestFor(installation, issued));
    const response = basic(body);
    assert.ok(await verifyOcspResponse(response, issuer.value, Date.now()));
    const [responder] = response.certificates;
    assert.ok(responder?.ocspNoCheck);
    assert.ok(responder.notAfter - responder.notBefore <= 30 * DAY);
    assert.deepEqual(response.responses[0]?.status, { kind: 'good' });

    issued = await revoke(installation, issued, 'certificateHold');
    const held = await ask(installation, issued);
    assert.ok(held.status.kind === 'revoked' && held.status.reason === 'certificateHold');
    issued = await resume(installation, issued);
    assert.equal((await ask(installation, issued)).status.kind, 'good');
    issued = await revoke(installation, issued, 'keyCompromise');
    const { status } = await ask(installation, issued);
    assert.ok(status.kind === 'revoked');
    assert.equal(status.reason, 'keyCompromise');
    assert.equal(status.revokedAt, Math.floor((issued.record.revokedAt ?? 0) / 1000) * 1000);
  });

  it('OCSP-01: unauthorized for serials that do not exist, for other issuers and for certificates not signed yet', async () => {
    const issued = await installation.issue();
    const stranger = idOf(installation, issued.record.serial, 'sha256', installation.root);
    for (const id of [idOf(installation, '0badc0de'), stranger]) {
      assert.equal(parsed((await post(installation, encodeOcspRequest([id]))).body).status, 'unauthorized');
      const withNonce = encodeOcspRequest([id], randomBytes(8));
      assert.equal(parsed((await post(installation, withNonce)).body).status, 'unauthorized');
    }
    const serial = randomBytes(16).fill(1, 0, 1).toString('hex');
    const row = {
      ...issued.record,
      id: await installation.store.nextId(),
      serial,
      state: 'prepared',
      der: null,
    } as const;
    assert.ok(
      (await installation.store.write({ bookkeeping: 'test', writes: [{ op: 'insert', table: 'certificate', row }] }))
        .ok,
    );
    const prepared = await post(installation, encodeOcspRequest([idOf(installation, serial)]));
    assert.equal(parsed(prepared.body).status, 'unauthorized');
  });

  it('answers several CertIDs at once, each for itself', async () => {
    const [one, two] = [
      await installation.issue(),
      await revoke(installation, await installation.issue(), 'superseded'),
    ];
    const ids = [
      idOf(installation, one.record.serial),
      idOf(installation, two.record.serial, 'sha256'),
      idOf(installation, '0bad'),
    ];
    const response = basic((await post(installation, encodeOcspRequest(ids))).body);
    assert.deepEqual(
      response.responses.map(({ status }) => status.kind),
      ['good', 'revoked', 'unknown'],
    );
  });

  it('OCSP-02: GET and POST give equal answers, whatever the client does to base64', async () => {
    const issued = await installation.issue();
    const request = requestFor(installation, issued);
    const { body } = await post(installation, request);
    const base64 = Buffer.from(request).toString('base64');
    const base = `${installation.url}/ocsp/${installation.issuing.slug}`;
    const forms = [
      encodeURIComponent(base64),
      base64,
      base64.replaceAll('=', ''),
      `/${base64}`,
      base64.replaceAll('/', '%2F').replaceAll('+', '%2b'),
    ];
    for (const form of forms) {
      const response = await fetch(`${base}/${form}`);
      assert.equal(response.headers.get('content-type'), 'application/ocsp-response', form);
      assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body, form);
    }
  });

  it('OCSP-03: nonces of 1 to 128 octets come back, others are malformed requests', async () => {
    const issued = await installation.issue();
    for (const length of [1, 32, 128]) {
      const nonce = randomBytes(length);
      const response = basic((await post(installation, requestFor(installation, issued, nonce))).body);
      assert.deepEqual(Buffer.from(response.nonce ?? []), nonce);
    }
    for (const length of [0, 129]) {
      const { body } = await post(installation, requestFor(installation, issued, randomBytes(length)));
      assert.equal(parsed(body).status, 'malformedRequest');
    }
  });

  it('answers malformed requests with HTTP 200 and malformedRequest', async () => {
    for (const bad of [new Uint8Array(), randomBytes(40), Buffer.from('30800000', 'hex'), Buffer.alloc(20_000, 0x30)]) {
      const { response, body } = await post(installation, bad);
      assert.equal(response.status, 200);
      assert.equal(parsed(body).status, 'malformedRequest');
    }
    const response = await fetch(`${installation.url}/ocsp/${installation.issuing.slug}/not!base64`);
    assert.equal(response.status, 200);
    assert.equal(parsed(new Uint8Array(await response.arrayBuffer())).status, 'malformedRequest');
  });

  it('OCSP-04: the responder is renewed at two thirds of its life, and made anew when time jumped past its end', async () => {
    const own = await install();
    try {
      const issued = await own.issue(own.issuing, 400 * DAY);
      const responderOf = async (): Promise<string> => {
        const [certificate] = basic((await post(own, requestFor(own, issued))).body).certificates;
        assert.ok(certificate);
        return certificate.serial;
      };
      const first = await responderOf();
      assert.equal(await own.core.status.renewResponders(), 0);
      own.clock.move(19 * DAY);
      assert.equal(await own.core.status.renewResponders(), 0);
      assert.equal(await responderOf(), first);
      own.clock.move(2 * DAY);
      assert.equal(await own.core.status.renewResponders(), 2);
      const second = await responderOf();
      assert.notEqual(second, first);
      own.clock.move(100 * DAY);
      const response = basic((await post(own, requestFor(own, issued))).body);
      const issuer = parseCertificate(own.issuing.certificate);
      assert.ok(issuer.ok && (await verifyOcspResponse(response, issuer.value, own.clock.now())));
      assert.notEqual(await responderOf(), second);
    } finally {
      await own.close();
    }
  });

  it('OCSP-05: the answer changes with the next request after a revocation, even while one is being signed', async () => {
    const issued = await installation.issue();
    const { promise: signing, resolve: reached } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>();
    onSign = () => {
      reached();
      return goOn;
    };
    const early = ask(installation, issued);
    await signing;
    onSign = undefined;
    await revoke(installation, issued, 'superseded');
    assert.equal((await ask(installation, issued)).status.kind, 'revoked');
    release();
    assert.equal((await early).status.kind, 'good');
    assert.equal((await ask(installation, issued)).status.kind, 'revoked');
  });

  it('signs once for all who ask at once, and until half of the answer’s life', async () => {
    const issued = await installation.issue();
    const request = requestFor(installation, issued);
    const before = signatures;
    const bodies = await Promise.all(Array.from({ length: 20 }, async () => (await post(installation, request)).body));
    assert.equal(signatures, before + 1);
    for (const body of bodies) assert.deepEqual(body, bodies[0]);
    installation.clock.move(11 * HOUR);
    assert.deepEqual((await post(installation, request)).body, bodies[0]);
    installation.clock.move(2 * HOUR);
    assert.notDeepEqual((await post(installation, request)).body, bodies[0]);
    assert.equal(signatures, before + 2);
    // a clock that was put back leaves no answers from the future
    installation.clock.move(-13 * HOUR);
    const [single] = basic((await post(installation, request)).body).responses;
    assert.ok(single && single.thisUpdate <= installation.clock.now());
    const { precomputed, kept } = installation.core.status.statistics();
    assert.ok(precomputed >= 20 && kept >= 1);
  });

  it('OCSP-06: GET answers carry what caches need, and 304 follows', async () => {
    const issued = await installation.issue();
    const url = getUrl(installation, requestFor(installation, issued));
    const response = await fetch(url);
    const body = new Uint8Array(await response.arrayBuffer());
    const [single] = basic(body).responses;
    assert.ok(single?.nextUpdate);
    const { headers } = response;
    const maxAge = Number(/max-age=(\d+)/.exec(headers.get('cache-control') ?? '')?.[1]);
    assert.ok(maxAge > 3590 && maxAge <= 3600, 'an hour at most, so that no cache hides a revocation');
    assert.equal(Date.parse(headers.get('expires') ?? ''), single.nextUpdate);
    assert.equal(Date.parse(headers.get('last-modified') ?? ''), single.thisUpdate);
    assert.equal(headers.get('content-length'), String(body.length));
    const etag = headers.get('etag') ?? '';
    assert.match(etag, /^"[0-9a-f]{32}"$/);
    for (const condition of [
      { 'if-none-match': `"x", ${etag}` },
      { 'if-modified-since': headers.get('last-modified') ?? '' },
    ]) {
      const again = await fetch(url, { headers: condition });
      assert.equal(again.status, 304);
      assert.equal(again.headers.get('etag'), etag);
    }
    assert.equal((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status, 200);
    const head = await fetch(url, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(body.length));
    const live = await fetch(getUrl(installation, requestFor(installation, issued, randomBytes(8))));
    assert.equal(live.headers.get('cache-control'), 'no-store');
  });

  it('takes any content type or none, refuses other methods and large bodies', async () => {
    const issued = await installation.issue();
    const request = requestFor(installation, issued);
    for (const type of ['', 'application/ocsp-request', 'text/plain; x', 'garbage;;', 'application/json']) {
      const { response, body } = await post(installation, request, type);
      assert.equal(response.status, 200, type);
      assert.equal(parsed(body).status, 'successful', type);
    }
    const base = `${installation.url}/ocsp/${installation.issuing.slug}`;
    const put = await fetch(base, { method: 'PUT', body: 'x' });
    assert.equal(put.status, 405);
    assert.equal(put.headers.get('allow'), 'POST');
    assert.equal((await fetch(`${base}/abcd`, { method: 'DELETE' })).headers.get('allow'), 'GET, HEAD');
    assert.equal((await post(installation, randomBytes(70_000))).response.status, 413);
    assert.equal((await fetch(`${installation.url}/ocsp/nobody`, { method: 'POST', body: 'x' })).status, 404);
    assert.equal((await fetch(`${installation.url}/ocsp/nobody/abcd`)).status, 404);
  });

  it('tells clients to try later when the key cannot be used, and recovers', async () => {
    const issued = await installation.issue();
    onSign = () => Promise.reject(new Error('the module is gone'));
    assert.equal(parsed((await post(installation, requestFor(installation, issued))).body).status, 'tryLater');
    onSign = undefined;
    assert.equal((await ask(installation, issued)).status.kind, 'good');
  });

  describe('with openssl', { skip: skipWithout('openssl') }, () => {
    async function openssl(issued: Issued, ...options: readonly string[]): Promise<string> {
      const { serial } = issued.record;
      const leaf = await installation.pemFile(`${serial}.pem`, issued.der);
      const issuer = await installation.pemFile('issuing.pem', installation.issuing.certificate);
      const root = await installation.pemFile('root.pem', installation.root.certificate);
      const url = `${installation.url}/ocsp/${installation.issuing.slug}`;
      const args = ['ocsp', '-issuer', issuer, ...options, '-cert', leaf, '-url', url, '-CAfile', root, '-resp_text'];
      const { exitCode, stdout, stderr } = await runProgram('openssl', args);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /Response verify OK/);
      return stdout;
    }

    it('OCSP-07: SHA-1 and SHA-256 CertIDs, with and without nonce', async () => {
      const issued = await installation.issue();
      for (const digest of ['-sha1', '-sha256']) {
        for (const nonce of ['-nonce', '-no_nonce']) {
          const text = await openssl(issued, digest, nonce);
          assert.match(text, new RegExp(`${issued.record.serial}.pem: good`));
          assert.match(text, new RegExp(`Hash Algorithm: ${digest.slice(1)}`));
        }
      }
      const text = await openssl(await revoke(installation, issued, 'cessationOfOperation'), '-sha256');
      assert.match(text, /pem: revoked[\s\S]*Reason: cessationOfOperation/);
    });

    for (const keyAlgorithm of ['rsa-2048', 'ec-p384', 'ed25519'] as const) {
      it(`is verified under a CA of ${keyAlgorithm}`, async (t) => {
        const own = await install({ keyAlgorithm });
        t.after(() => own.close());
        const issued = await own.issue();
        const leaf = await own.pemFile('leaf.pem', issued.der);
        const issuer = await own.pemFile('issuing.pem', own.issuing.certificate);
        const root = await own.pemFile('root.pem', own.root.certificate);
        const url = `${own.url}/ocsp/${own.issuing.slug}`;
        const { exitCode, stdout, stderr } = await runProgram('openssl', [
          ...['ocsp', '-issuer', issuer, '-cert', leaf, '-url', url, '-CAfile', root],
        ]);
        assert.equal(exitCode, 0, stderr);
        assert.match(stderr, /Response verify OK/);
        assert.match(stdout, /leaf.pem: good/);
      });
    }

    it('is verified for the issuing CA itself, asked of the root', async () => {
      const leaf = await installation.pemFile('ca.pem', installation.issuing.certificate);
      const root = await installation.pemFile('root.pem', installation.root.certificate);
      const url = `${installation.url}/ocsp/${installation.root.slug}`;
      const { stdout, stderr } = await runProgram('openssl', [
        ...['ocsp', '-issuer', root, '-cert', leaf, '-url', url, '-CAfile', root],
      ]);
      assert.match(stderr, /Response verify OK/);
      assert.match(stdout, /ca.pem: good/);
    });
  });

  it('is accepted by GnuTLS', { skip: skipWithout('ocsptool') }, async () => {
    const issued = await installation.issue();
    const leaf = await installation.pemFile('gnutls.pem', issued.der);
    const issuer = await installation.pemFile('issuing.pem', installation.issuing.certificate);
    const url = `${installation.url}/ocsp/${installation.issuing.slug}`;
    for (const nonce of ['--nonce', '--no-nonce']) {
      const { stdout, stderr } = await runProgram('ocsptool', [
        ...[`--ask=${url}`, '--load-issuer', issuer, '--load-cert', leaf, nonce],
      ]);
      assert.match(stdout, /Certificate Status: good/, stderr);
      assert.match(stdout + stderr, /Verifying OCSP Response: Success/);
    }
  });
});
