import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CaRecord, createCore, type KeyVault } from '@certwright/core';
import { type CertificateList, parseCertificate, parseCrl, verifySignature } from '@certwright/pki';
import { skipWithout } from '../support/programs.ts';
import { type Installation, install, pem, resume, revoke, world } from './installation.ts';
import { runProgram } from './run-program.ts';

const DAY = 86_400_000;

async function fetchCrl(installation: Installation, path: string): Promise<{ headers: Headers; crl: CertificateList }> {
  const response = await fetch(`${installation.url}${path}`);
  assert.equal(response.status, 200);
  const crl = parseCrl(new Uint8Array(await response.arrayBuffer()));
  assert.ok(crl.ok, 'the CRL cannot be parsed');
  return { headers: response.headers, crl: crl.value };
}

const fullPath = ({ issuing }: Installation): string => `/crl/${issuing.slug}.crl`;
const fullCrl = async (installation: Installation) => (await fetchCrl(installation, fullPath(installation))).crl;
const numberOf = ({ number = '' }: CertificateList): bigint => BigInt(`0x${number}`);
const serials = ({ revoked }: CertificateList): string[] => revoked.map(({ serial }) => serial).sort();

async function isSignedBy(crl: CertificateList, ca: CaRecord): Promise<boolean> {
  const issuer = parseCertificate(ca.certificate);
  assert.ok(issuer.ok);
  return verifySignature(issuer.value.spki, crl.signatureAlgorithm, crl.tbs, crl.signature);
}

describe('CRLs', () => {
  let installation: Installation;
  before(async () => {
    installation = await install();
  });
  after(() => installation.close());

  it('are there from the start, empty and signed: seven days for the issuing CA, a year for the root', async () => {
    for (const [ca, days] of [
      [installation.issuing, 7],
      [installation.root, 365],
    ] as const) {
      const { crl, headers } = await fetchCrl(installation, `/crl/${ca.slug}.crl`);
      assert.deepEqual(crl.revoked, []);
      assert.equal((crl.nextUpdate ?? 0) - crl.thisUpdate, days * DAY);
      assert.ok(await isSignedBy(crl, ca));
      assert.equal(headers.get('content-type'), 'application/pkix-crl');
      assert.equal(headers.get('content-length'), String(crl.der.length));
      assert.ok(Date.parse(headers.get('expires') ?? '') === crl.nextUpdate);
    }
  });

  it('list a revocation as soon as its job ran, with time and reason; the number grows', async () => {
    const before = await fullCrl(installation);
    const one = await revoke(installation, await installation.issue(), 'keyCompromise');
    const two = await revoke(installation, await installation.issue(), 'unspecified');
    await installation.core.jobs.runDue();
    const crl = await fullCrl(installation);
    assert.equal(numberOf(crl), numberOf(before) + 1n, 'two revocations make one CRL');
    assert.deepEqual(serials(crl), [one.record.serial, two.record.serial].sort());
    const entry = crl.revoked.find(({ serial }) => serial === one.record.serial);
    assert.equal(entry?.reason, 'keyCompromise');
    assert.equal(entry?.revokedAt, Math.floor((one.record.revokedAt ?? 0) / 1000) * 1000);
  });

  it('CRL-04: list a hold, and no longer when it ends', async () => {
    let issued = await revoke(installation, await installation.issue(), 'certificateHold');
    await installation.core.jobs.runDue();
    const held = await fullCrl(installation);
    assert.equal(held.revoked.find(({ serial }) => serial === issued.record.serial)?.reason, 'certificateHold');
    issued = await resume(installation, issued);
    await installation.core.jobs.runDue();
    assert.ok(!serials(await fullCrl(installation)).includes(issued.record.serial));
  });

  it('are renewed daily, kept by caches for minutes only, and answered with 304', async () => {
    const before = await fullCrl(installation);
    assert.equal(await installation.core.status.publishDueCrls(), 0);
    installation.clock.move(DAY + 1_000);
    assert.equal(await installation.core.status.publishDueCrls(), 1, 'the root’s is good for longer');
    const { crl, headers } = await fetchCrl(installation, fullPath(installation));
    assert.ok(numberOf(crl) > numberOf(before));
    assert.match(headers.get('cache-control') ?? '', /max-age=300/);
    const etag = headers.get('etag') ?? '';
    const again = await fetch(installation.url + fullPath(installation), { headers: { 'if-none-match': etag } });
    assert.equal(again.status, 304);
  });

  it('are made on the spot when the clock jumped past their end, or back before their beginning', async () => {
    for (const jump of [30 * DAY, -40 * DAY]) {
      const before = await fullCrl(installation);
      installation.clock.move(jump);
      const crls = await Promise.all(Array.from({ length: 5 }, () => fullCrl(installation)));
      for (const crl of crls) {
        assert.equal(numberOf(crl), numberOf(before) + 1n);
        assert.ok(crl.thisUpdate <= installation.clock.now() && (crl.nextUpdate ?? 0) > installation.clock.now());
      }
      installation.clock.move(-jump);
      await fullCrl(installation);
    }
  });

  it('drop a certificate that expired, but only after it was on one more CRL', async () => {
    const own = await install();
    try {
      const issued = await revoke(own, await own.issue(own.issuing, 3 * DAY), 'superseded');
      const listed: boolean[] = [];
      await own.core.jobs.runDue();
      for (let day = 0; day < 8; day++) {
        await own.core.status.publishDueCrls();
        const crl = await fullCrl(own);
        listed.push(serials(crl).includes(issued.record.serial));
        if (!listed.at(-1)) assert.ok(crl.thisUpdate > issued.record.notAfter);
        own.clock.move(DAY + 1_000);
      }
      const lastListed = listed.lastIndexOf(true);
      assert.ok(lastListed >= 3 && lastListed < 7, `listed on days 0 to ${lastListed}`);
    } finally {
      await own.close();
    }
  });

  it('leave no old rows behind', async () => {
    await installation.core.status.publishDueCrls();
    assert.deepEqual(await installation.store.authorities.staleCrls(installation.issuing.id, 0), {
      crls: [],
      pieces: [],
    });
  });

  it('CRL-02: the number grows over a restart, and over one that a dead process left unsigned', async () => {
    const before = await fullCrl(installation);
    const row = await installation.store.authorities.crl(installation.issuing.id, 0);
    assert.ok(row);
    const orphan = { ...row, id: await installation.store.nextId(), number: row.number + 1, size: null, version: 1 };
    const insert = { op: 'insert', table: 'crl', row: orphan } as const;
    assert.ok((await installation.store.write({ bookkeeping: 'test', writes: [insert] })).ok);
    // a second core over the same store, as after a restart
    const again = createCore({ ...installation.deps });
    const issued = await revoke(installation, await installation.issue(), 'superseded');
    await again.jobs.runDue();
    const crl = await fullCrl(installation);
    assert.equal(numberOf(crl), numberOf(before) + 2n);
    assert.ok(serials(crl).includes(issued.record.serial));
  });

  it('have an audit entry before the signature, with the hash of what is signed, and one after', async () => {
    const { rows } = await installation.store.audit.search({ accountId: null, objectType: 'crl' }, { limit: 50 });
    const activities = rows.map(({ activity }) => activity);
    assert.ok(activities.includes('crl.prepared') && activities.includes('crl.published'));
    assert.match(String(rows.find(({ activity }) => activity === 'crl.prepared')?.details.tbsSha256), /^[0-9a-f]{64}$/);
    assert.deepEqual((await installation.store.verifyAudit()).problems, []);
  });

  it('include what was revoked while a round was under way', async (t) => {
    const { promise: signing, resolve: reached } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>();
    let held = false;
    const wrapVault = (vault: KeyVault): KeyVault => ({
      generate: (algorithm) => vault.generate(algorithm),
      import: (pkcs8) => vault.import(pkcs8),
      async sign(permit) {
        if (held && permit.purpose === 'crl') {
          held = false;
          reached();
          await goOn;
        }
        return vault.sign(permit);
      },
    });
    const own = await install({ wrapVault });
    t.after(() => own.close());
    const one = await revoke(own, await own.issue(), 'superseded');
    held = true;
    const first = own.core.jobs.runDue();
    await signing;
    const two = await revoke(own, await own.issue(), 'superseded');
    const second = own.core.jobs.runDue();
    await nextTurn();
    release();
    await Promise.all([first, second]);
    assert.deepEqual(serials(await fullCrl(own)), [one.record.serial, two.record.serial].sort());
  });

  it('are answered with 404 for CAs and partitions that do not exist, 405 for other methods', async () => {
    const { slug } = installation.issuing;
    for (const path of [
      `/crl/nobody.crl`,
      `/crl/${slug}`,
      `/crl/${slug}/1.crl`,
      `/crl/${slug}/0.crl`,
      `/crl/${slug}-delta.crl`,
    ])
      assert.equal((await fetch(installation.url + path)).status, 404, path);
    const refused = await fetch(installation.url + fullPath(installation), { method: 'POST', body: 'x' });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get('allow'), 'GET, HEAD');
    const head = await fetch(installation.url + fullPath(installation), { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.ok(Number(head.headers.get('content-length')) > 100);
  });

  it('CRL-01: are read and accepted by openssl', { skip: skipWithout('openssl') }, async (t) => {
    const own = await install();
    t.after(() => own.close());
    const good = await own.issue();
    const bad = await revoke(own, await own.issue(), 'affiliationChanged');
    await own.core.jobs.runDue();
    const { der } = await fullCrl(own);
    const crl = join(own.folder, 'full.crl');
    await writeFile(crl, der);
    const issuing = await own.pemFile('issuing.pem', own.issuing.certificate);
    const root = await own.pemFile('root.pem', own.root.certificate);
    const chain = await own.pemFile('chain.pem', own.root.certificate, own.issuing.certificate);
    const text = await runProgram('openssl', [
      'crl',
      '-inform',
      'DER',
      '-in',
      crl,
      '-noout',
      '-text',
      '-CAfile',
      chain,
    ]);
    assert.match(text.stderr, /verify OK/);
    assert.match(text.stdout, /Version 2[\s\S]*X509v3 CRL Number[\s\S]*Affiliation Changed/);
    const verify = async (der_: Uint8Array) => {
      const leaf = await own.pemFile('leaf.pem', der_);
      const args = ['verify', '-CAfile', root, '-untrusted', issuing, '-crl_check', '-CRLfile', crl, leaf];
      return runProgram('openssl', args);
    };
    assert.match((await verify(good.der)).stdout, /OK/);
    const refused = await verify(bad.der);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr + refused.stdout, /certificate revoked/);
  });

  it('CRL-01: are read and accepted by GnuTLS', { skip: skipWithout('certtool') }, async (t) => {
    const own = await install();
    t.after(() => own.close());
    const good = await own.issue();
    const bad = await revoke(own, await own.issue(), 'superseded');
    await own.core.jobs.runDue();
    const { der } = await fullCrl(own);
    const crl = join(own.folder, 'gnutls.crl');
    const base64 = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n');
    await writeFile(crl, `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`);
    const root = await own.pemFile('root.pem', own.root.certificate);
    const info = await runProgram('certtool', ['--crl-info', '--infile', crl]);
    assert.equal(info.exitCode, 0, info.stderr);
    const rootCrl = (await fetchCrl(own, `/crl/${own.root.slug}.crl`)).crl;
    const rootBase64 = Buffer.from(rootCrl.der).toString('base64').replace(/.{64}/g, '$&\n');
    await writeFile(
      crl,
      `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n-----BEGIN X509 CRL-----\n${rootBase64}\n-----END X509 CRL-----\n`,
    );
    const verify = async (der_: Uint8Array) => {
      const chain = await own.pemFile('chain.pem', der_, own.issuing.certificate);
      return runProgram('certtool', [
        ...['--verify', '--load-ca-certificate', root, '--load-crl', crl, '--infile', chain],
      ]);
    };
    assert.match((await verify(good.der)).stdout, /Chain verification output: Verified/);
    assert.match((await verify(bad.der)).stdout, /revoked/);
  });

  it('CRL-03: partitions cover all, each in its own critical scope that its certificates name', async (t) => {
    const own = await install({ partitions: 4 });
    t.after(() => own.close());
    const revoked: string[] = [];
    for (let n = 0; n < 24; n++) revoked.push((await revoke(own, await own.issue(), 'superseded')).record.serial);
    await own.core.jobs.runDue();
    assert.deepEqual(serials(await fullCrl(own)), revoked.toSorted());
    const found: string[] = [];
    for (let partition = 1; partition <= 4; partition++) {
      const { crl } = await fetchCrl(own, `/crl/${own.issuing.slug}/${partition}.crl`);
      assert.ok(await isSignedBy(crl, own.issuing));
      assert.deepEqual(crl.scope, {
        distributionPoint: `${own.url}/crl/${own.issuing.slug}/${partition}.crl`,
        onlyContainsUserCerts: true,
        onlyContainsCaCerts: false,
      });
      for (const serial of serials(crl)) {
        const record = await own.store.certificates.bySerial(own.issuing.id, serial);
        const certificate = record?.der && parseCertificate(record.der);
        assert.ok(certificate?.ok);
        assert.deepEqual(certificate.value.crlUrls, [crl.scope.distributionPoint]);
        found.push(serial);
      }
    }
    assert.deepEqual(found.sort(), revoked.toSorted());
    assert.equal((await fetch(`${own.url}/crl/${own.issuing.slug}/5.crl`)).status, 404);
    const issued = await own.issue();
    const partition = await fetch(issued.certificate.crlUrls[0] ?? '');
    const crl = join(own.folder, 'partition.crl');
    await writeFile(crl, Buffer.from(await partition.arrayBuffer()));
    if (skipWithout('openssl') === false) {
      const root = await own.pemFile('root.pem', own.root.certificate);
      const issuing = await own.pemFile('issuing.pem', own.issuing.certificate);
      const leaf = await own.pemFile('leaf.pem', issued.der);
      const args = [
        'verify',
        '-CAfile',
        root,
        '-untrusted',
        issuing,
        '-crl_check',
        '-extended_crl',
        '-CRLfile',
        crl,
        leaf,
      ];
      assert.match((await runProgram('openssl', args)).stdout, /OK/);
    }
  });

  it('of two processes at once get different numbers, and the newest holds all', async (t) => {
    const own = await install();
    t.after(() => own.close());
    const other = createCore(world({ store: own.store, clock: own.clock, publicHttpUrl: own.url }));
    const before = await fullCrl(own);
    const issued = await revoke(own, await own.issue(), 'superseded');
    own.clock.move(2 * DAY);
    // the other core has another platform key: its signing fails after the number was taken
    const outcomes = await Promise.allSettled([own.core.status.publishDueCrls(), other.status.publishDueCrls()]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const same = createCore({ ...own.deps });
    own.clock.move(2 * DAY);
    await Promise.all([own.core.status.publishDueCrls(), same.status.publishDueCrls()]);
    const after_ = await fullCrl(own);
    assert.ok(numberOf(after_) > numberOf(before));
    assert.ok(serials(after_).includes(issued.record.serial));
    assert.equal(after_.number, (await same.status.crl(own.issuing.slug, 0))?.number.toString(16).padStart(8, '0'));
  });

  it('of 20,000 entries come from the store whole', async (t) => {
    const own = await install();
    t.after(() => own.close());
    const template = await revoke(own, await own.issue(), 'superseded');
    const total = 20_000;
    for (let made = 0; made < total; ) {
      const sets = [];
      for (let n = 0; n < 500; n++, made++) {
        const serial = randomBytes(16)
          .fill(0x40 + (made % 64), 0, 1)
          .toString('hex');
        const row = { ...template.record, id: await own.store.nextId(), serial, der: null };
        sets.push(own.store.write({ bookkeeping: 'test', writes: [{ op: 'insert', table: 'certificate', row }] }));
      }
      for (const outcome of await Promise.all(sets)) assert.ok(outcome.ok);
    }
    await own.core.jobs.runDue();
    const crl = await fullCrl(own);
    assert.equal(crl.revoked.length, total + 1);
    assert.ok(await isSignedBy(crl, own.issuing));
  });
});

describe('CA certificates', () => {
  let installation: Installation;
  before(async () => {
    installation = await install();
  });
  after(() => installation.close());

  it('are served as DER, PEM and certs-only PKCS #7 under the URL that certificates name', async () => {
    const issued = await installation.issue();
    const [url = ''] = issued.certificate.caIssuersUrls;
    const cer = await fetch(url);
    assert.equal(cer.headers.get('content-type'), 'application/pkix-cert');
    assert.deepEqual(Buffer.from(await cer.arrayBuffer()), Buffer.from(installation.issuing.certificate));
    const text = await fetch(url.replace('.cer', '.pem'));
    assert.equal(await text.text(), pem(installation.issuing.certificate));
    const p7c = await fetch(url.replace('.cer', '.p7c'));
    assert.match(p7c.headers.get('content-type') ?? '', /^application\/pkcs7-mime/);
    const file = join(installation.folder, 'chain.p7c');
    await writeFile(file, Buffer.from(await p7c.arrayBuffer()));
    if (skipWithout('openssl') === false) {
      const { stdout } = await runProgram('openssl', [
        'pkcs7',
        '-inform',
        'DER',
        '-in',
        file,
        '-print_certs',
        '-noout',
      ]);
      assert.match(stdout, /Issuing CA 1[\s\S]*Root CA 1/);
    }
    const etag = cer.headers.get('etag') ?? '';
    assert.equal((await fetch(url, { headers: { 'if-none-match': etag } })).status, 304);
  });

  it('are answered with 404 where there are none', async () => {
    for (const file of ['nobody.cer', 'issuing-1', 'issuing-1.crt', '..%2fissuing-1.cer', `${'a'.repeat(3000)}.cer`])
      assert.equal((await fetch(`${installation.url}/ca/${file}`)).status, 404, file);
  });
});
