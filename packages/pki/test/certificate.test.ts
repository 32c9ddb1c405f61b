import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  type Certificate,
  der,
  EXTENSION,
  formatName,
  type GeneralName,
  generateKey,
  issuerContext,
  KEY_ALGORITHMS,
  lintTbs,
  nameEquals,
  nameOf,
  parseCertificate,
  parseCertificateChain,
  parseIp,
  readTbsCertificate,
  selfIssuerContext,
  serialNumber,
  serialText,
  toPem,
  usageFamily,
  validateChain,
  verifyIssued,
} from '@certwright/pki';
import fc from 'fast-check';
import { type Authority, issue, makeIssuing, makeRoot, must, profile, refusal, tbsOf } from './authority.ts';
import { openssl, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const HOSTS: readonly GeneralName[] = [
  { kind: 'dns', value: 'www.shop.example' },
  { kind: 'dns', value: '*.shop.example' },
  { kind: 'ip', bytes: parseIp('192.0.2.7') ?? new Uint8Array() },
  { kind: 'ip', bytes: parseIp('2001:db8::7') ?? new Uint8Array() },
];

const pem = (certificate: Certificate): string => toPem('CERTIFICATE', certificate.der);

describe('certificates of every key algorithm', () => {
  for (const algorithm of KEY_ALGORITHMS) {
    it(`chain of ${algorithm} keys is accepted by node:crypto`, async () => {
      const root = await makeRoot(algorithm);
      const issuing = await makeIssuing(root, algorithm);
      const key = await generateKey(algorithm);
      const order = { profile: profile('intranet-server'), subject: nameOf(['CN', 'www.shop.example']), sans: HOSTS };
      const leaf = await issue(issuing, { ...order, spki: key.spki });
      const [nodeRoot, nodeIssuing, nodeLeaf] = [root, issuing, { certificate: leaf }].map(
        ({ certificate }) => new X509Certificate(certificate.der),
      );
      assert.ok(nodeRoot && nodeIssuing && nodeLeaf);
      assert.ok(nodeRoot.verify(nodeRoot.publicKey));
      assert.ok(nodeIssuing.verify(nodeRoot.publicKey) && nodeIssuing.checkIssued(nodeRoot) && nodeIssuing.ca);
      assert.ok(nodeLeaf.verify(nodeIssuing.publicKey) && nodeLeaf.checkIssued(nodeIssuing) && !nodeLeaf.ca);
      assert.equal(nodeLeaf.checkHost('a.shop.example'), '*.shop.example');
      assert.equal(nodeLeaf.checkIP('2001:db8::7'), '2001:db8::7');
      assert.equal(nodeLeaf.serialNumber.toLowerCase(), leaf.serial);
      const options = { anchors: [root.certificate], now: Date.now() };
      assert.deepEqual(await validateChain([leaf, issuing.certificate], options), { ok: true, value: undefined });
      assert.ok(await verifyIssued(leaf, issuing.certificate));
      assert.ok(!(await verifyIssued(leaf, root.certificate)));
      assert.deepEqual(leaf.keyUsage, profile('intranet-server').keyUsage[usageFamily(algorithm)]);
    });

    // Debian's openssl 3.0 does not know ML-DSA; node:crypto has checked it above.
    if (algorithm.startsWith('ml-dsa')) continue;
    it(`chain of ${algorithm} keys is accepted by openssl`, { skip: skipWithoutOpenssl }, async (t) => {
      const folder = scratchFolder(t);
      const root = await makeRoot(algorithm);
      const issuing = await makeIssuing(root, algorithm);
      const key = await generateKey(algorithm);
      const order = { profile: profile('intranet-server'), subject: nameOf(['CN', 'www.shop.example']), sans: HOSTS };
      const leaf = await issue(issuing, { ...order, spki: key.spki });
      writeFileSync(join(folder, 'root.pem'), pem(root.certificate));
      writeFileSync(join(folder, 'issuing.pem'), pem(issuing.certificate));
      writeFileSync(join(folder, 'leaf.pem'), pem(leaf));
      const trust = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem'];
      const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'www.shop.example'];
      assert.match(openssl(folder, [...verify, ...trust, 'leaf.pem']).toString(), /leaf\.pem: OK/);
    });
  }
});

describe('certificates of every profile', () => {
  interface Sample {
    readonly id: string;
    readonly subject: ReturnType<typeof nameOf>;
    readonly sans?: readonly GeneralName[];
    /** What `openssl x509 -text` must show. */
    readonly shows: readonly RegExp[];
  }
  const dns = HOSTS.slice(0, 1);
  const mail: readonly GeneralName[] = [{ kind: 'email', value: 'office@shop.example' }];
  const place = [
    ['C', 'IN'],
    ['ST', 'Karnataka'],
    ['L', 'Bengaluru'],
    ['O', 'Shop'],
  ] as const;
  const SAMPLES: readonly Sample[] = [
    { id: 'tls-dv', subject: [], sans: HOSTS, shows: [/Alternative Name: critical/, /2\.23\.140\.1\.2\.1/] },
    { id: 'tls-ov', subject: nameOf(...place), sans: HOSTS, shows: [/2\.23\.140\.1\.2\.2/, /TLS Web Server Auth/] },
    {
      id: 'tls-ev',
      subject: nameOf(
        ['jurisdictionC', 'IN'],
        ['businessCategory', 'Private Organization'],
        ['serialNumber', 'U1'],
        ...place,
      ),
      sans: dns,
      shows: [/2\.23\.140\.1\.1\b/, /jurisdictionC = IN/],
    },
    { id: 'intranet-server', subject: nameOf(['CN', 'db']), sans: [{ kind: 'dns', value: 'db' }], shows: [/DNS:db/] },
    { id: 'tls-mutual', subject: nameOf(['CN', 'node 1']), sans: HOSTS, shows: [/TLS Web Client Authentication/] },
    {
      id: 'igtf-host',
      subject: nameOf(['DC', 'example'], ['DC', 'grid'], ['CN', 'www.shop.example']),
      sans: dns,
      shows: [/1\.2\.840\.113612\.5\.2\.2\.1/, /DC = grid/],
    },
    { id: 'tls-client', subject: nameOf(['CN', 'Device 7']), shows: [/TLS Web Client Authentication/] },
    { id: 'smime-simple', subject: [], sans: mail, shows: [/E-mail Protection/, /email:office@shop\.example/] },
    { id: 'document-signer-natural-person', subject: nameOf(['C', 'IN'], ['CN', 'A B']), shows: [/Non Repudiation/] },
    {
      id: 'document-signer-legal-person',
      subject: nameOf(['O', 'Shop'], ['CN', 'A B']),
      shows: [/1\.3\.6\.1\.5\.5\.7\.3\.36/],
    },
    {
      id: 'document-signer-legal-entity',
      subject: nameOf(['O', 'Shop'], ['organizationIdentifier', 'NTRIN-1'], ['CN', 'Shop']),
      shows: [/organizationIdentifier = NTRIN-1/],
    },
    { id: 'ocsp-responder', subject: nameOf(['CN', 'OCSP']), shows: [/OCSP No Check/, /OCSP Signing/] },
    { id: 'ra', subject: nameOf(['CN', 'RA']), shows: [/1\.3\.6\.1\.5\.5\.7\.3\.28|CMC Registration Authority/] },
  ];

  for (const { id, subject, sans = [], shows } of SAMPLES) {
    for (const algorithm of ['ec-p256', 'rsa-2048'] as const) {
      it(`${id} with ${algorithm} passes lint and openssl`, { skip: skipWithoutOpenssl }, async (t) => {
        const folder = scratchFolder(t);
        const root = await makeRoot('ec-p256');
        const issuing = await makeIssuing(root, 'ec-p256');
        const { spki } = await generateKey(algorithm);
        const leaf = await issue(issuing, { profile: profile(id), subject, sans, spki });
        const findings = lintTbs(leaf.tbs, { profile: profile(id), issuer: issuing.context, now: Date.now() });
        assert.deepEqual(findings, []);
        writeFileSync(join(folder, 'root.pem'), pem(root.certificate));
        writeFileSync(join(folder, 'issuing.pem'), pem(issuing.certificate));
        writeFileSync(join(folder, 'leaf.pem'), pem(leaf));
        const trust = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem'];
        assert.match(openssl(folder, ['verify', '-x509_strict', ...trust, 'leaf.pem']).toString(), /OK/);
        const text = openssl(folder, ['x509', '-in', 'leaf.pem', '-noout', '-text']).toString();
        for (const pattern of shows) assert.match(text, pattern);
      });
    }
  }

  it('root and issuing CA pass lint', async () => {
    const root = await makeRoot('ec-p384');
    const self = must(selfIssuerContext(root.certificate.subject, root.key.spki));
    const now = Date.now();
    assert.deepEqual(lintTbs(root.certificate.tbs, { profile: profile('root'), issuer: self, now }), []);
    const issuing = await makeIssuing(root, 'ec-p256');
    const options = { profile: profile('issuing-ca'), issuer: root.context, now };
    assert.deepEqual(lintTbs(issuing.certificate.tbs, options), []);
    assert.equal(issuing.certificate.pathLength, 0);
    assert.equal(root.certificate.pathLength, undefined);
  });
});

describe('builder', () => {
  it('carries the CRL of the partition instead of the issuer’s', async () => {
    const root = await makeRoot('ec-p256');
    const { spki } = await generateKey('ec-p256');
    const order = { profile: profile('tls-client'), subject: nameOf(['CN', 'x']), spki };
    const crlUrl = 'http://pki.example/crl/issuing/3.crl';
    assert.deepEqual((await issue(root, { ...order, crlUrl })).crlUrls, [crlUrl]);
    assert.deepEqual((await issue(root, order)).crlUrls, [root.context.urls.crl]);
  });

  it('keeps the bytes of an imported issuer name', async () => {
    const root = await makeRoot('ec-p256');
    const { spki } = await generateKey('ec-p256');
    // TeletexString is what CAs of long ago used; the issuer field must repeat it byte for byte.
    const nameDer = der.sequence(
      der.set(der.sequence(der.oid('2.5.4.3'), der.tlv(der.TAG.teletexString, Buffer.from('Old CA')))),
    );
    const context = { ...root.context, nameDer };
    const tbs = tbsOf(context, { profile: profile('tls-client'), subject: nameOf(['CN', 'x']), spki });
    assert.deepEqual(readTbsCertificate(tbs).issuerDer, nameDer);
  });

  it('gives what it was given back through the parser', async () => {
    const root = await makeRoot('ec-p256');
    const { spki } = await generateKey('ec-p256');
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/);
    const general: fc.Arbitrary<GeneralName> = fc.oneof(
      fc
        .array(label, { minLength: 1, maxLength: 4 })
        .map((labels) => ({ kind: 'dns' as const, value: labels.join('.') })),
      fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ({ kind: 'ip' as const, bytes })),
      fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ({ kind: 'ip' as const, bytes })),
      label.map((local) => ({ kind: 'email' as const, value: `${local}@shop.example` })),
      label.map((path) => ({ kind: 'uri' as const, value: `https://shop.example/${path}` })),
    );
    const instant = fc.integer({ min: Date.UTC(1950, 0, 1) / 1000, max: Date.UTC(2200, 0, 1) / 1000 });
    fc.assert(
      fc.property(
        fc.constantFrom('intranet-server', 'tls-client', 'root', 'ocsp-responder', 'tls-dv'),
        fc.array(general, { maxLength: 12 }),
        fc.array(fc.tuple(fc.constantFrom('CN', 'O', 'OU'), fc.string({ minLength: 1, unit: 'grapheme' })), {
          maxLength: 4,
        }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes.some((octet) => octet !== 0)),
        instant,
        instant,
        (id, sans, attributes, random, from, to) => {
          const subject = nameOf(...attributes);
          const serial = serialNumber(random);
          const order = {
            profile: profile(id),
            subject,
            sans,
            spki,
            serial,
            notBefore: from * 1000,
            notAfter: to * 1000,
          };
          const parsed = readTbsCertificate(tbsOf(root.context, order));
          assert.equal(parsed.serial, serialText(random));
          assert.equal(parsed.notBefore, from * 1000);
          assert.equal(parsed.notAfter, to * 1000);
          assert.ok(nameEquals(parsed.subject, subject), formatName(parsed.subject));
          assert.deepEqual(
            parsed.sans.map((san) => (san.kind === 'ip' ? { ...san, bytes: Uint8Array.from(san.bytes) } : san)),
            sans,
          );
          assert.deepEqual(parsed.extendedKeyUsage, profile(id).extendedKeyUsage);
          assert.equal(parsed.isCa, id === 'root');
          assert.deepEqual(Buffer.from(parsed.spki), Buffer.from(spki));
          const san = parsed.extensions.find(({ oid }) => oid === EXTENSION.subjectAltName);
          assert.equal(san?.critical, sans.length === 0 ? undefined : subject.length === 0);
        },
      ),
    );
  });
});

describe('serial numbers', () => {
  it('are the 128 bits given, positive, without leading zeros', () => {
    assert.equal(
      serialText(serialNumber(Buffer.from('ff000000000000000000000000000001', 'hex'))),
      'ff000000000000000000000000000001',
    );
    assert.equal(
      serialText(serialNumber(Buffer.from('00010000000000000000000000000001', 'hex'))),
      '010000000000000000000000000001',
    );
    assert.equal(serialText(Buffer.from('0080', 'hex')), '80');
    assert.equal(serialText(Buffer.from('00', 'hex')), '00');
  });

  it('refuse a source of the wrong length or of zeros', () => {
    assert.throws(() => serialNumber(new Uint8Array(16)), RangeError);
    assert.throws(() => serialNumber(new Uint8Array(15).fill(1)), RangeError);
  });
});

describe('certificate parser', () => {
  async function sample(): Promise<{ root: Authority; leaf: Certificate }> {
    const root = await makeRoot('ec-p256');
    const { spki } = await generateKey('ec-p256');
    const order = { profile: profile('tls-client'), subject: nameOf(['CN', 'x']), spki };
    return { root, leaf: await issue(root, order) };
  }
  /** A certificate with other TBS fields and an empty signature. */
  const around = (tbs: Uint8Array, algorithm: Uint8Array): Uint8Array =>
    der.sequence(tbs, algorithm, der.bitString(Uint8Array.of(1)));

  interface Fields {
    readonly version?: readonly Uint8Array[];
    readonly serial?: Uint8Array;
    readonly extensions?: readonly Uint8Array[];
  }
  const withFields = (leaf: Certificate, fields: Fields): Uint8Array => {
    const version = fields.version ?? [der.context(0, der.integer(2))];
    const extension = (entry: { oid: string; value: Uint8Array }): Uint8Array =>
      der.sequence(der.oid(entry.oid), der.octetString(entry.value));
    const extensions = fields.extensions ?? leaf.extensions.map(extension);
    const tbs = der.sequence(
      ...version,
      fields.serial ?? der.integer(5),
      leaf.signatureAlgorithm,
      leaf.issuerDer,
      der.sequence(der.time(leaf.notBefore), der.time(leaf.notAfter)),
      leaf.subjectDer,
      leaf.spki,
      ...(extensions.length === 0 ? [] : [der.context(3, der.sequence(...extensions))]),
    );
    return around(tbs, leaf.signatureAlgorithm);
  };

  it('takes PEM with text around it, and DER', async () => {
    const { root, leaf } = await sample();
    const bundle = `subject: x\r\n${pem(leaf).replaceAll('\n', '\r\n')}\n\n${pem(root.certificate)}`;
    assert.equal(must(parseCertificate(bundle)).serial, leaf.serial);
    assert.equal(must(parseCertificate(leaf.der)).serial, leaf.serial);
    const serials = must(parseCertificateChain(bundle)).map(({ serial }) => serial);
    assert.deepEqual(serials, [leaf.serial, root.certificate.serial]);
    assert.ok(must(issuerContext(root.certificate, {})).keyIdentifier.length === 20);
    assert.equal(refusal(issuerContext(leaf, {})), 'issuer.notCa');
  });

  it('names each refusal', async () => {
    const { leaf } = await sample();
    const code = (input: string | Uint8Array): string => refusal(parseCertificate(input));
    assert.equal(code(''), 'certificate.empty');
    assert.equal(code('  \n'), 'certificate.empty');
    assert.equal(code(new Uint8Array()), 'certificate.empty');
    assert.equal(code('hello'), 'certificate.notPem');
    assert.equal(code('-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----'), 'certificate.notPem');
    assert.equal(code('-----BEGIN CERTIFICATE-----\nMA=='), 'certificate.notPem');
    assert.equal(code(new Uint8Array(300 * 1024)), 'certificate.tooLarge');
    assert.equal(code('x'.repeat(20_000_000)), 'certificate.tooLarge');
    assert.equal(code(leaf.der.subarray(0, -1)), 'certificate.malformed');
    assert.equal(code(Buffer.concat([leaf.der, Uint8Array.of(0)])), 'certificate.malformed');
    assert.equal(code(withFields(leaf, { version: [] })), 'certificate.badVersion');
    assert.equal(code(withFields(leaf, { version: [der.context(0, der.integer(1))] })), 'certificate.badVersion');
    assert.equal(code(withFields(leaf, { serial: Uint8Array.of(2, 1, 0xff) })), 'certificate.badSerial');
    assert.equal(
      code(withFields(leaf, { serial: der.unsignedInteger(new Uint8Array(22).fill(1)) })),
      'certificate.badSerial',
    );
    const extension = der.sequence(der.oid(EXTENSION.keyUsage), der.octetString(der.namedBits([0])));
    assert.equal(code(withFields(leaf, { extensions: [extension, extension] })), 'certificate.duplicateExtension');
    const broken = der.sequence(der.oid(EXTENSION.keyUsage), der.octetString(der.nullValue()));
    assert.equal(code(withFields(leaf, { extensions: [broken] })), 'certificate.badExtension');
    assert.equal(code(around(leaf.tbs, der.sequence(der.oid('1.3.101.112')))), 'certificate.algorithmMismatch');
    assert.equal(refusal(parseCertificateChain(pem(leaf).repeat(17))), 'certificate.notPem');
  });

  it('takes a version 1 certificate without extensions', async () => {
    const { leaf } = await sample();
    assert.equal(must(parseCertificate(withFields(leaf, { version: [], extensions: [] }))).version, 1);
  });

  it('returns a value or an error for any damage, never throws', async () => {
    const { leaf } = await sample();
    fc.assert(
      fc.property(fc.nat(leaf.der.length - 1), fc.nat(255), fc.nat(leaf.der.length), (at, octet, length) => {
        const damaged = Buffer.from(leaf.der);
        damaged[at] = octet;
        parseCertificate(damaged);
        parseCertificate(damaged.subarray(0, length));
      }),
      { numRuns: 2000 },
    );
  });
});
