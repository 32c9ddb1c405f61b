import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createCore, type KeyVault, type Store } from '@certwright/core';
import { type KeyAlgorithm, parseCertificate, parseCrl, verifySignature } from '@certwright/pki';
import { type CertwrightStore, openSqliteStore } from '@certwright/store';
import { skipWithout } from '../support/programs.ts';
import { type Installation, install, OPERATOR, pem, testClock, type WorldOptions, world } from './installation.ts';
import { runProgram } from './run-program.ts';

const DAY = 86_400_000;
const CRL = { partitions: 1, lifetimeMs: 7 * DAY };
const INPUT = { name: 'Certwright Test', keyAlgorithm: 'ec-p256', crl: CRL } as const;

describe('bootstrap', () => {
  let folder: string;
  let store: CertwrightStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certwright-bootstrap-'));
    store = await openSqliteStore({ directory: folder });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  const key = randomBytes(32);
  const coreOver = (over: Store, more: Partial<WorldOptions> = {}) =>
    createCore(world({ store: over, clock: testClock(), key, ...more }));

  /** No certificate is prepared and forgotten, no key without a use. */
  async function assertComplete(): Promise<void> {
    const far = Date.now() + 3_600_000;
    assert.deepEqual(await store.certificates.unfinished(far, 10), []);
    const cas = await store.authorities.list();
    assert.deepEqual(cas.map(({ slug }) => slug).sort(), ['issuing-1', 'root-1']);
    for (const ca of cas) {
      assert.ok(ca.keyId !== null && (await store.authorities.key(ca.keyId)) !== undefined);
      assert.ok((await store.authorities.crl(ca.id, 0))?.size);
      assert.ok((await store.authorities.responders(ca.id)).every(({ der }) => der !== null));
    }
    assert.deepEqual((await store.verifyAudit()).problems, []);
  }

  it('makes root and issuing CA once; a second start finds them', async () => {
    const first = await coreOver(store).authorities.bootstrap(INPUT);
    assert.equal(first.created, true);
    const second = await coreOver(store).authorities.bootstrap(INPUT);
    assert.equal(second.created, false);
    assert.deepEqual(Buffer.from(second.issuing.certificate), Buffer.from(first.issuing.certificate));
    assert.deepEqual(Buffer.from(second.root.certificate), Buffer.from(first.root.certificate));
    await assertComplete();
    const root = parseCertificate(first.root.certificate);
    const issuing = parseCertificate(first.issuing.certificate);
    assert.ok(root.ok && issuing.ok);
    const years = (certificate: { notBefore: number; notAfter: number }) =>
      Math.round((certificate.notAfter - certificate.notBefore) / (365.25 * DAY));
    assert.equal(years(root.value), 20);
    assert.equal(years(issuing.value), 10);
    assert.equal(issuing.value.pathLength, 0);
    assert.deepEqual(issuing.value.crlUrls, ['http://pki.example/crl/root-1.crl']);
    assert.deepEqual(issuing.value.ocspUrls, ['http://pki.example/ocsp/root-1']);
  });

  it('is safe when several start at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => coreOver(store).authorities.bootstrap(INPUT)));
    assert.equal(outcomes.filter(({ created }) => created).length, 1);
    assert.equal(new Set(outcomes.map(({ issuing }) => issuing.id)).size, 1);
    await assertComplete();
  });

  it('goes on where a process died, whichever write was its last', async () => {
    let started = 0;
    for (let last = 0; ; last++) {
      let writes = 0;
      const dying: Store = {
        ...store,
        async write(set) {
          if (writes >= last) throw new Error('killed');
          writes++;
          return store.write(set);
        },
      };
      started++;
      const outcome = await coreOver(dying)
        .authorities.bootstrap(INPUT)
        .then(
          () => 'done',
          (error: Error) => error.message,
        );
      if (outcome === 'done') break;
      assert.equal(outcome, 'killed');
      assert.ok(last < 40);
    }
    assert.ok(started > 3);
    const { created } = await coreOver(store).authorities.bootstrap(INPUT);
    assert.equal(created, false);
    const cas = await store.authorities.list();
    assert.equal(cas.length, 2);
    for (const ca of cas) assert.ok((await store.authorities.crl(ca.id, 0))?.size);
    // what was begun for responders is finished by the periodic task, once its lease is over
    const core = createCore({
      ...world({ store, clock: testClock(), key }),
      wallClock: { now: () => Date.now() + 3_600_000 },
    });
    await core.status.renewResponders();
    await assertComplete();
  });

  it('signs again what a dead process had recorded, with the very same serial', async () => {
    let broken = true;
    const wrapVault = (vault: KeyVault): KeyVault => ({
      generate: (algorithm) => vault.generate(algorithm),
      import: (pkcs8) => vault.import(pkcs8),
      sign: (permit) => (broken ? Promise.reject(new Error('no signer')) : vault.sign(permit)),
    });
    const core = coreOver(store, { wrapVault });
    await assert.rejects(core.authorities.bootstrap(INPUT), /no signer/);
    const [prepared] = await store.certificates.unfinished(Date.now() + 3_600_000, 10);
    assert.ok(prepared?.tbs);
    broken = false;
    const { root } = await core.authorities.bootstrap(INPUT);
    const certificate = parseCertificate(root.certificate);
    assert.ok(certificate.ok);
    assert.equal(certificate.value.serial, prepared.serial);
    assert.deepEqual(Buffer.from(certificate.value.tbs), Buffer.from(prepared.tbs));
  });

  for (const keyAlgorithm of ['rsa-2048', 'ec-p384', 'ml-dsa-44'] satisfies KeyAlgorithm[]) {
    it(`makes CAs of ${keyAlgorithm}, with OCSP signers of the same kind`, async () => {
      const { root, issuing } = await coreOver(store).authorities.bootstrap({ ...INPUT, keyAlgorithm });
      const [responder] = await store.authorities.responders(issuing.id);
      const parsed = [root.certificate, issuing.certificate, responder?.der ?? new Uint8Array()].map((der) =>
        parseCertificate(der),
      );
      const [rootCertificate, issuingCertificate, responderCertificate] = parsed;
      assert.ok(rootCertificate?.ok && issuingCertificate?.ok && responderCertificate?.ok);
      for (const [subject, issuer] of [
        [rootCertificate.value, rootCertificate.value],
        [issuingCertificate.value, rootCertificate.value],
        [responderCertificate.value, issuingCertificate.value],
      ] as const) {
        const { signatureAlgorithm, tbs, signature } = subject;
        assert.ok(await verifySignature(issuer.spki, signatureAlgorithm, tbs, signature));
      }
      const [record] = await store.authorities.responders(issuing.id);
      assert.equal((await store.authorities.key(record?.keyId ?? 0))?.algorithm, keyAlgorithm);
    });
  }

  it('keeps private keys sealed: no file of the database holds one in the clear', async () => {
    const deps = world({ store, clock: testClock(), key });
    const imported = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const secret = Buffer.from(imported.export({ format: 'jwk' }).d ?? '', 'base64url');
    const sealed = await deps.vault.import(imported.export({ type: 'pkcs8', format: 'der' }));
    const row = { id: await store.nextId(), ...sealed, createdAt: 0 };
    assert.ok((await store.write({ bookkeeping: 'test', writes: [{ op: 'insert', table: 'key', row }] })).ok);
    for (const file of ['certwright.db', 'certwright.db-wal']) {
      assert.equal((await readFile(join(folder, file))).includes(secret), false, file);
    }
  });
});

describe('import of a CA', () => {
  let installation: Installation;
  /** A stranger's root and issuing CA, made in another installation. */
  let other: Installation;
  before(async () => {
    installation = await install();
    other = await install({ keyAlgorithm: 'ec-p384' });
  });
  after(async () => {
    await installation.close();
    await other.close();
  });

  /** The private key of a CA of `other`, as an operator would have it in a file. */
  async function privateKeyOf(slug: string): Promise<Uint8Array> {
    const ca = await other.store.authorities.bySlug(slug);
    const record = ca?.keyId ? await other.store.authorities.key(ca.keyId) : undefined;
    assert.ok(record);
    const spkiHash = Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(record.spki))).toString('hex');
    const pkcs8 = other.deps.secrets.open(record.sealedPrivateKey, `private key ${spkiHash}`);
    assert.ok(pkcs8);
    return pkcs8;
  }

  async function input(more: Partial<Parameters<typeof installation.core.authorities.import>[1]> = {}) {
    return {
      slug: 'taken-over',
      name: 'Taken over',
      certificate: pem(other.issuing.certificate),
      chain: pem(other.root.certificate),
      pkcs8: await privateKeyOf('issuing-1'),
      crl: CRL,
      ...more,
    };
  }

  it('takes it in with its chain; it issues, answers OCSP and has CRLs from then on', async () => {
    const imported = await installation.core.authorities.import(OPERATOR, await input());
    assert.ok(imported.ok, imported.ok ? '' : imported.error.detail);
    const ca = imported.value;
    assert.equal(ca.kind, 'issuing');
    assert.equal(ca.parentId, null);
    assert.deepEqual(
      ca.chain.map((der) => Buffer.from(der)),
      [Buffer.from(other.root.certificate)],
    );
    const issued = await installation.issue(ca);
    assert.ok(new X509Certificate(issued.der).verify(new X509Certificate(ca.certificate).publicKey));
    assert.deepEqual(issued.certificate.ocspUrls, [`${installation.url}/ocsp/taken-over`]);
    const crl = await fetch(`${installation.url}/crl/taken-over.crl`);
    const parsed = parseCrl(new Uint8Array(await crl.arrayBuffer()));
    assert.ok(parsed.ok && BigInt(`0x${parsed.value.number}`) > 1_000_000_000n, 'above what it used elsewhere');
    const listed = await installation.core.authorities.list(OPERATOR);
    assert.ok(listed.ok && listed.value.some(({ slug }) => slug === 'taken-over'));
    if (skipWithout('openssl') === false) {
      const leaf = await installation.pemFile('leaf.pem', issued.der);
      const issuer = await installation.pemFile('imported.pem', ca.certificate);
      const root = await installation.pemFile('other-root.pem', other.root.certificate);
      const url = `${installation.url}/ocsp/taken-over`;
      const args = ['ocsp', '-issuer', issuer, '-cert', leaf, '-url', url, '-CAfile', root];
      const { stdout, stderr } = await runProgram('openssl', args);
      assert.match(stderr, /Response verify OK/);
      assert.match(stdout, /good/);
    }
  });

  it('refuses what does not fit, with the reason, and changes nothing', async () => {
    const before = (await installation.store.authorities.list()).length;
    const leaf = await other.issue();
    const wrongKey = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    const cases: readonly [string, Partial<Awaited<ReturnType<typeof input>>>, RegExp][] = [
      ['no certificate', { certificate: 'hello' }, /cannot be read/],
      [
        'no CA',
        { certificate: pem(leaf.der), chain: pem(other.issuing.certificate) + pem(other.root.certificate) },
        /not of a CA/,
      ],
      ['no chain', { chain: '' }, /self-signed root/],
      [
        'a broken chain file',
        { chain: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
        /chain cannot be read/,
      ],
      ['another chain', { chain: pem(installation.root.certificate) }, /chain does not hold/],
      ['another key', { pkcs8: wrongKey.export({ type: 'pkcs8', format: 'der' }) }, /does not belong/],
      ['no key', { pkcs8: randomBytes(50) }, /private key cannot be read/],
      ['a slug that is no path segment', { slug: 'a/b' }, /slug/],
      ['a slug that looks like a delta CRL', { slug: 'x-delta' }, /slug/],
      ['no name', { name: ' ' }, /name/],
      ['too many partitions', { crl: { partitions: 5_000, lifetimeMs: DAY } }, /partitions/],
      ['a CRL for a year', { crl: { partitions: 1, lifetimeMs: 365 * DAY } }, /lifetime/],
      ['one that is here', {}, /on record already, as taken-over/],
      [
        'a slug in use',
        { slug: 'issuing-1', certificate: pem(other.root.certificate), chain: '', pkcs8: await privateKeyOf('root-1') },
        /taken/,
      ],
    ];
    for (const [what, change, reason] of cases) {
      const outcome = await installation.core.authorities.import(OPERATOR, await input({ slug: 'another', ...change }));
      assert.ok(!outcome.ok, what);
      assert.equal(outcome.error.code, 'ca.importRefused', what);
      assert.match(outcome.error.detail, reason, what);
    }
    assert.equal((await installation.store.authorities.list()).length, before);
  });

  it('refuses one that has expired', async () => {
    installation.clock.move(11 * 365 * DAY);
    try {
      const outcome = await installation.core.authorities.import(OPERATOR, await input({ slug: 'old' }));
      assert.ok(!outcome.ok);
      assert.match(outcome.error.detail, /validity is over/);
    } finally {
      installation.clock.move(-11 * 365 * DAY);
    }
  });

  it('takes a root, and knows the parent of a CA that it issued', async () => {
    const root = await installation.core.authorities.import(
      OPERATOR,
      await input({
        slug: 'other-root',
        certificate: pem(other.root.certificate),
        chain: pem(other.root.certificate),
        pkcs8: await privateKeyOf('root-1'),
        crl: { partitions: 1, lifetimeMs: 180 * DAY },
      }),
    );
    assert.ok(root.ok, root.ok ? '' : root.error.detail);
    assert.equal(root.value.kind, 'root');
    assert.deepEqual(root.value.chain, []);
  });
});
