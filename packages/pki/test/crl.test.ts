import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  CrlBuilder,
  type CrlHeader,
  type CrlReason,
  type CrlScope,
  der,
  encodeCrlEntry,
  generateKey,
  isCrlReason,
  KEY_ALGORITHMS,
  nameOf,
  parseCrl,
  REASON_CODE,
  reasonByCode,
  serialText,
  signatureAlgorithmFor,
  signWith,
  toPem,
  verifySignature,
} from '@certwright/pki';
import fc from 'fast-check';
import { type Authority, issue, makeIssuing, makeRoot, must, profile, refusal } from './authority.ts';
import { openssl, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const DAY = 86_400_000;
const THIS_UPDATE = Date.parse('2026-06-01T00:00:00Z');

interface Entry {
  readonly serial: Uint8Array;
  readonly revokedAt: number;
  readonly reason: CrlReason;
}

async function sign(authority: Authority, builder: CrlBuilder, header: Partial<CrlHeader> = {}): Promise<Uint8Array> {
  const times = { number: 1, thisUpdate: THIS_UPDATE, nextUpdate: THIS_UPDATE + 7 * DAY };
  const { tbs } = builder.finish({ issuer: authority.context, ...times, ...header });
  return builder.seal(
    await signWith(authority.key.privateKey, signatureAlgorithmFor(authority.context.keyAlgorithm), tbs),
  );
}

function filled(entries: readonly Entry[], expected?: number): CrlBuilder {
  const builder = new CrlBuilder(expected);
  for (const { serial, revokedAt, reason } of entries) builder.add(serial, revokedAt, reason);
  return builder;
}

const root = await makeRoot('ec-p256');

describe('CRL of every key algorithm', () => {
  for (const algorithm of KEY_ALGORITHMS) {
    it(`verifies with ${algorithm}`, async () => {
      const authority = await makeRoot(algorithm);
      const entries = [{ serial: randomBytes(16), revokedAt: THIS_UPDATE - DAY, reason: 'keyCompromise' as const }];
      const list = must(parseCrl(await sign(authority, filled(entries))));
      assert.ok(await verifySignature(authority.key.spki, list.signatureAlgorithm, list.tbs, list.signature));
      assert.deepEqual(list.authorityKeyIdentifier, authority.certificate.subjectKeyIdentifier);
      assert.deepEqual(Buffer.from(list.issuerDer), Buffer.from(authority.certificate.subjectDer));
    });
  }
});

describe('CRL in openssl', { skip: skipWithoutOpenssl }, () => {
  it('revokes what it lists and nothing else', async (t) => {
    const folder = scratchFolder(t);
    const now = Date.now();
    const issuing = await makeIssuing(root, 'rsa-2048');
    const { spki } = await generateKey('ec-p256');
    const order = { profile: profile('tls-client'), subject: nameOf(['CN', 'x']), spki };
    const [bad, good] = [await issue(issuing, order), await issue(issuing, order)];
    const entry = { serial: Buffer.from(bad.serial, 'hex'), revokedAt: now - 60_000, reason: 'superseded' as const };
    const crl = await sign(issuing, filled([entry]), { number: 0x1234, thisUpdate: now - 1000, nextUpdate: now + DAY });
    writeFileSync(join(folder, 'crl.pem'), toPem('X509 CRL', crl));
    writeFileSync(join(folder, 'root.pem'), toPem('CERTIFICATE', root.certificate.der));
    writeFileSync(join(folder, 'issuing.pem'), toPem('CERTIFICATE', issuing.certificate.der));
    writeFileSync(join(folder, 'bad.pem'), toPem('CERTIFICATE', bad.der));
    writeFileSync(join(folder, 'good.pem'), toPem('CERTIFICATE', good.der));
    const trust = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem', '-CRLfile', 'crl.pem', '-crl_check'];
    assert.match(openssl(folder, ['verify', ...trust, 'good.pem']).toString(), /good\.pem: OK/);
    assert.throws(() => openssl(folder, ['verify', ...trust, 'bad.pem']), /certificate revoked/);
    const text = openssl(folder, ['crl', '-in', 'crl.pem', '-noout', '-text', '-CAfile', 'issuing.pem']).toString();
    for (const shown of [/Version 2/, /CRL Number:\s+4660/, /Superseded/, new RegExp(bad.serial, 'i')]) {
      assert.match(text, shown);
    }
  });

  it('shows the scope of a partition', async (t) => {
    const folder = scratchFolder(t);
    const distributionPoint = 'http://pki.example/crl/issuing/3.crl';
    const crl = await sign(root, filled([]), { scope: { distributionPoint, onlyContainsUserCerts: true } });
    writeFileSync(join(folder, 'crl.pem'), toPem('X509 CRL', crl));
    const text = openssl(folder, ['crl', '-in', 'crl.pem', '-noout', '-text']).toString();
    assert.match(text, /Issuing Distribution Point: critical/);
    assert.match(text, /URI:http:\/\/pki\.example\/crl\/issuing\/3\.crl/);
    assert.match(text, /Only User Certificates/);
    assert.match(text, /No Revoked Certificates/);
  });
});

describe('CRL builder', () => {
  const reason = fc.constantFrom(...(Object.keys(REASON_CODE) as CrlReason[]));
  const entry: fc.Arbitrary<Entry> = fc.record({
    serial: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    revokedAt: fc.integer({ min: Date.UTC(1950, 0, 1) / 1000, max: Date.UTC(2120, 0, 1) / 1000 }).map((s) => s * 1000),
    reason,
  });

  it('gives its entries back through the parser, whatever the capacity', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 300 }), fc.nat(400), (entries, expected) => {
        const builder = filled(entries, expected);
        builder.finish({ issuer: root.context, number: 5, thisUpdate: THIS_UPDATE, nextUpdate: THIS_UPDATE + DAY });
        const list = must(parseCrl(builder.seal(Uint8Array.of(1))));
        const wanted = entries.map(({ serial, ...rest }) => ({ serial: serialText(serial), ...rest }));
        assert.deepEqual(list.revoked, wanted);
        assert.equal(builder.entries, entries.length);
        assert.equal(list.thisUpdate, THIS_UPDATE);
        assert.equal(list.nextUpdate, THIS_UPDATE + DAY);
      }),
    );
  });

  it('encodes single entries as the writer of general DER does', () => {
    fc.assert(
      fc.property(entry, ({ serial, revokedAt, reason: why }) => {
        const extension = der.sequence(der.oid('2.5.29.21'), der.octetString(der.enumerated(REASON_CODE[why])));
        const tail = why === 'unspecified' ? [] : [der.sequence(extension)];
        const expected = der.sequence(der.unsignedInteger(serial), der.time(revokedAt), ...tail);
        assert.deepEqual(Buffer.from(encodeCrlEntry(serial, revokedAt, why)), Buffer.from(expected));
      }),
    );
  });

  it('takes serial numbers as hex of either case', async () => {
    const { context } = await makeRoot('ec-p256');
    const tbsOf = (serials: readonly (Uint8Array | string)[]): Uint8Array => {
      const builder = new CrlBuilder();
      for (const serial of serials) builder.add(serial, THIS_UPDATE, 'superseded');
      return builder.finish({
        issuer: context,
        number: 1,
        thisUpdate: THIS_UPDATE,
        nextUpdate: THIS_UPDATE + DAY,
      }).tbs;
    };
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), fc.boolean(), (entries, upper) => {
        const octets = entries.map(({ serial }) => serial);
        const hex = octets.map((serial) => Buffer.from(serial).toString('hex'));
        assert.deepEqual(tbsOf(upper ? hex.map((text) => text.toUpperCase()) : hex), tbsOf(octets));
      }),
    );
    for (const bad of ['', '0', 'zz', '0g', 'é0', '00'.repeat(33)]) {
      assert.throws(() => new CrlBuilder().add(bad, THIS_UPDATE, 'superseded'), RangeError);
    }
  });

  it('grows to 100,000 entries and keeps them in order', () => {
    const builder = new CrlBuilder();
    const serial = Buffer.alloc(16, 0x80);
    for (let i = 0; i < 100_000; i++) {
      serial.writeUInt32BE(i, 12);
      builder.add(serial, THIS_UPDATE - i * 1000, 'superseded');
    }
    builder.finish({
      issuer: root.context,
      number: 1n << 100n,
      thisUpdate: THIS_UPDATE,
      nextUpdate: THIS_UPDATE + DAY,
    });
    const list = must(parseCrl(builder.seal(Uint8Array.of(1))));
    assert.equal(list.number, '10000000000000000000000000');
    assert.equal(list.revoked.length, 100_000);
    assert.deepEqual(list.revoked[70_000], {
      serial: `808080808080808080808080${(70_000).toString(16).padStart(8, '0')}`,
      revokedAt: THIS_UPDATE - 70_000_000,
      reason: 'superseded',
    });
  });

  it('finds room for an issuer name and a signature of any length', () => {
    const nameDer = der.sequence(
      ...Array.from({ length: 60 }, () => der.set(der.sequence(der.oid('2.5.4.11'), der.utf8String('x'.repeat(60))))),
    );
    const issuer = { ...root.context, nameDer };
    const builder = filled([{ serial: Uint8Array.of(1), revokedAt: THIS_UPDATE, reason: 'unspecified' }]);
    const { tbs } = builder.finish({ issuer, number: 1, thisUpdate: THIS_UPDATE, nextUpdate: THIS_UPDATE + DAY });
    const signed = Buffer.from(tbs);
    const list = must(parseCrl(builder.seal(new Uint8Array(20_000).fill(7))));
    assert.deepEqual(Buffer.from(list.tbs), signed);
    assert.equal(list.revoked.length, 1);
    assert.equal(list.signature.length, 20_000);
  });

  it('keeps scope and number', async () => {
    const scopes: readonly CrlScope[] = [
      { distributionPoint: 'http://pki.example/1.crl', onlyContainsUserCerts: true, onlyContainsCaCerts: false },
      { onlyContainsUserCerts: false, onlyContainsCaCerts: true },
    ];
    for (const scope of scopes) {
      const list = must(parseCrl(await sign(root, filled([]), { number: 255, scope })));
      assert.deepEqual(list.scope, scope);
      assert.equal(list.number, 'ff');
      assert.ok(list.extensions.some(({ oid, critical }) => oid === '2.5.29.28' && critical));
    }
    assert.equal(must(parseCrl(await sign(root, filled([])))).scope, undefined);
  });

  it('refuses bad serials and use out of order', () => {
    const builder = new CrlBuilder();
    assert.throws(() => builder.add(new Uint8Array(), THIS_UPDATE, 'superseded'), RangeError);
    assert.throws(() => builder.add(new Uint8Array(21).fill(1), THIS_UPDATE, 'superseded'), RangeError);
    assert.throws(() => builder.seal(Uint8Array.of(1)), RangeError);
    const header = { issuer: root.context, number: 1, thisUpdate: THIS_UPDATE, nextUpdate: THIS_UPDATE + DAY };
    builder.finish(header);
    assert.throws(() => builder.finish(header), RangeError);
    assert.throws(() => builder.add(Uint8Array.of(1), THIS_UPDATE, 'superseded'), RangeError);
  });
});

describe('CRL parser', () => {
  it('names each refusal', async () => {
    const entries = Array.from({ length: 3 }, () => ({
      serial: randomBytes(16),
      revokedAt: THIS_UPDATE,
      reason: 'superseded' as const,
    }));
    const crl = await sign(root, filled(entries));
    const list = must(parseCrl(crl));
    assert.equal(refusal(parseCrl(crl.subarray(0, -1))), 'crl.malformed');
    assert.equal(refusal(parseCrl(crl, { maxBytes: 10, maxEntries: 10 })), 'crl.tooLarge');
    assert.equal(refusal(parseCrl(crl, { maxBytes: 10_000, maxEntries: 2 })), 'crl.tooManyEntries');
    const other = der.sequence(list.tbs, der.sequence(der.oid('1.3.101.112')), der.bitString(list.signature));
    assert.equal(refusal(parseCrl(other)), 'crl.algorithmMismatch');
    const version1 = der.sequence(list.signatureAlgorithm, list.issuerDer, der.time(THIS_UPDATE));
    assert.equal(
      refusal(parseCrl(der.sequence(version1, list.signatureAlgorithm, der.bitString(list.signature)))),
      'crl.badVersion',
    );
  });

  it('knows the reasons by name and code', () => {
    assert.equal(reasonByCode(9), 'privilegeWithdrawn');
    assert.equal(reasonByCode(7), undefined);
    assert.ok(isCrlReason('keyCompromise') && !isCrlReason('toString') && !isCrlReason('stolen'));
  });

  it('returns a value or an error for any damage, never throws', async () => {
    const crl = await sign(root, filled([{ serial: randomBytes(16), revokedAt: THIS_UPDATE, reason: 'superseded' }]));
    fc.assert(
      fc.property(fc.nat(crl.length - 1), fc.nat(255), fc.nat(crl.length), (at, octet, length) => {
        const damaged = Buffer.from(crl);
        damaged[at] = octet;
        parseCrl(damaged);
        parseCrl(damaged.subarray(0, length));
      }),
      { numRuns: 1000 },
    );
  });
});
