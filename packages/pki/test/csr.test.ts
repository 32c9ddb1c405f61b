import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  type CertificationRequest,
  type CsrErrorCode,
  createCsr,
  type Der,
  der,
  encodeGeneralNames,
  encodeName,
  formatName,
  fromPem,
  type GeneralName,
  generateKey,
  KEY_ALGORITHMS,
  nameEquals,
  nameOf,
  parseCsr,
  parseName,
  SIGNATURE_ALGORITHMS,
  toPem,
  verifyProofOfPossession,
} from '@certwright/pki';
import fc from 'fast-check';

const SUBJECT = nameOf(['C', 'DE'], ['O', 'Example'], ['CN', 'host.example']);
const SANS: readonly GeneralName[] = [
  { kind: 'dns', value: 'host.example' },
  { kind: 'ip', bytes: Uint8Array.of(192, 0, 2, 1) },
];
const { privateKey, spki } = await generateKey('ec-p256');
const PEM = await createCsr({ subject: SUBJECT, sans: SANS, key: privateKey });

function parsed(input: string | Uint8Array): CertificationRequest {
  const result = parseCsr(input);
  assert.ok(result.ok, result.ok ? '' : `${result.error.code}: ${result.error.detail}`);
  return result.value;
}

const codeOf = (input: string | Uint8Array): string => {
  const result = parseCsr(input);
  return result.ok ? 'accepted' : result.error.code;
};

const DER = Buffer.from(parsed(PEM).der);
const BASE64 = DER.toString('base64');

describe('certification requests', () => {
  for (const algorithm of KEY_ALGORITHMS) {
    it(`${algorithm}: made, parsed, possession proved`, async () => {
      const { privateKey: key, spki: publicKey } = await generateKey(algorithm);
      const csr = parsed(await createCsr({ subject: SUBJECT, sans: SANS, key, challengePassword: 'p4ss' }));
      assert.equal(csr.key.algorithm, algorithm);
      assert.deepEqual(Buffer.from(csr.spki), Buffer.from(publicKey));
      assert.equal(formatName(csr.subject), formatName(SUBJECT));
      assert.deepEqual(Buffer.from(encodeGeneralNames(csr.sans)), Buffer.from(encodeGeneralNames(SANS)));
      assert.equal(csr.challengePassword, 'p4ss');
      assert.ok(await verifyProofOfPossession(csr));
    });
  }

  const forms: readonly [what: string, input: string | Uint8Array][] = [
    ['PEM', PEM],
    ['PEM with CRLF', PEM.replaceAll('\n', '\r\n')],
    ['PEM with the old header', PEM.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')],
    ['PEM with white space around and in it', `\r\n\t  ${PEM.replaceAll('\n', ' \n\n  ')}  \n\n`],
    ['PEM behind text', `Certificate Request:\n    Version: 1 (0x0)\n${PEM}`],
    ['PEM with a byte order mark', `\ufeff${PEM}`],
    ['PEM in one line', PEM.replaceAll('\n', '')],
    ['PEM as bytes', Buffer.from(PEM)],
    ['PEM as bytes with a byte order mark', Buffer.from(`\ufeff${PEM}`)],
    ['base64', BASE64],
    ['base64 with line breaks', BASE64.replace(/.{76}/g, '$&\r\n')],
    ['base64 as bytes', Buffer.from(BASE64)],
    ['DER', DER],
  ];
  for (const [what, input] of forms) {
    it(`are read from ${what}`, async () => {
      const csr = parsed(input);
      assert.deepEqual(Buffer.from(csr.der), DER);
      assert.ok(await verifyProofOfPossession(csr));
    });
  }

  it('are independent of the buffer they came in', async () => {
    const input = Uint8Array.from(DER);
    const csr = parsed(input);
    input.fill(0);
    assert.ok(await verifyProofOfPossession(csr));
  });

  it('prove nothing when any signed octet is changed', async () => {
    const { infoDer } = parsed(DER);
    const at = Buffer.from(DER).indexOf(Buffer.from('host.example'));
    assert.ok(at > 0 && infoDer.length > at);
    const forged = Buffer.from(DER);
    forged[at] = 'H'.charCodeAt(0);
    assert.ok(!(await verifyProofOfPossession(parsed(forged))));
  });

  it('prove nothing about the key of somebody else', async () => {
    const other = await generateKey('ec-p256');
    const swapped = Buffer.from(DER);
    other.spki.forEach((octet, index) => {
      swapped[DER.indexOf(Buffer.from(spki)) + index] = octet;
    });
    const csr = parsed(swapped);
    assert.deepEqual(Buffer.from(csr.spki), Buffer.from(other.spki));
    assert.ok(!(await verifyProofOfPossession(csr)));
  });

  it('come back as they were asked for', async () => {
    const names = fc.array(
      fc.domain().map((value): GeneralName => ({ kind: 'dns', value })),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 30 }),
        names,
        async (cn, sans) => {
          fc.pre(!/\p{Cc}/u.test(cn));
          const csr = parsed(await createCsr({ subject: nameOf(['CN', cn]), sans, key: privateKey }));
          assert.equal(csr.subject[0]?.[0]?.value, cn);
          assert.deepEqual(csr.sans, sans);
          assert.ok(await verifyProofOfPossession(csr));
        },
      ),
      { numRuns: 50 },
    );
  });
});

/** A request put together by hand, every part replaceable; its signature is not checked by the parser. */
interface Parts {
  readonly version?: Der;
  readonly subject?: Der;
  readonly key?: Der;
  readonly attributes?: readonly Der[] | undefined;
  readonly rest?: readonly Der[];
  readonly algorithm?: Der;
  readonly signature?: Der;
}

function build(parts: Parts): Uint8Array {
  const attributes = 'attributes' in parts ? parts.attributes : [];
  return der.sequence(
    der.sequence(
      parts.version ?? der.integer(0),
      parts.subject ?? encodeName(SUBJECT),
      parts.key ?? spki,
      ...(attributes === undefined ? [] : [der.context(0, ...attributes)]),
      ...(parts.rest ?? []),
    ),
    parts.algorithm ?? SIGNATURE_ALGORITHMS['ecdsa-with-SHA256'].derAlgorithmIdentifier,
    parts.signature ?? der.bitString(new Uint8Array(70)),
  );
}

const PKCS9 = '1.2.840.113549.1.9.14';
const MICROSOFT = '1.3.6.1.4.1.311.2.1.14';
const attribute = (oid: string, ...values: readonly Der[]): Der => der.sequence(der.oid(oid), der.tlv(0x31, ...values));
const extension = (oid: string, value: Der): Der => der.sequence(der.oid(oid), der.octetString(value));
const requesting = (...extensions: readonly Der[]): Parts => ({
  attributes: [attribute(PKCS9, der.sequence(...extensions))],
});
const san = (...names: readonly Der[]): Der => extension('2.5.29.17', der.sequence(...names));
const dns = (value: string): Der => der.contextPrimitive(2, Buffer.from(value, 'latin1'));
const cn = (value: Der): Der => der.sequence(der.setOf(der.sequence(der.oid('2.5.4.3'), value)));
const exported = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

describe('unusual but legal requests', () => {
  it('have names under the OID of Microsoft', () => {
    const list = der.sequence(san(dns('old.example')));
    assert.deepEqual(parsed(build({ attributes: [attribute(MICROSOFT, list)] })).sans, [
      { kind: 'dns', value: 'old.example' },
    ]);
  });

  it('have attributes out of order, unknown ones, or none at all', () => {
    const unknown = attribute('1.3.6.1.4.1.311.13.2.3', der.ia5String('10.0'));
    const challenge = attribute('1.2.840.113549.1.9.7', der.printableString('secret'));
    const csr = parsed(
      build({ attributes: [unknown, attribute(PKCS9, der.sequence(san(dns('a.example')))), challenge] }),
    );
    assert.equal(csr.sans.length, 1);
    assert.equal(csr.challengePassword, 'secret');
    assert.deepEqual(parsed(build({ attributes: undefined })).extensions, []);
  });

  it('have an empty subject, or attributes without value, which are dropped', () => {
    assert.deepEqual(parsed(build({ subject: der.sequence() })).subject, []);
    const subject = encodeName([...nameOf(['C', ''], ['OU', '']), ...SUBJECT]);
    assert.equal(formatName(parsed(build({ subject })).subject), formatName(SUBJECT));
  });

  it('write the default of critical', () => {
    const explicit = der.sequence(der.oid('2.5.29.15'), der.boolean(false), der.octetString(der.namedBits([0])));
    const critical = der.sequence(der.oid('2.5.29.19'), der.boolean(true), der.octetString(der.sequence()));
    const { extensions } = parsed(build(requesting(explicit, critical)));
    assert.deepEqual(
      extensions.map((entry) => [entry.oid, entry.critical]),
      [
        ['2.5.29.15', false],
        ['2.5.29.19', true],
      ],
    );
  });

  it('ask for 1,000 names', () => {
    const names = Array.from({ length: 1000 }, (_, index) => dns(`host-${index}.example`));
    assert.equal(parsed(build(requesting(san(...names)))).sans.length, 1000);
  });
});

describe('malformed requests', () => {
  const good = build({});
  const many = (count: number, make: (index: number) => Der): Der[] =>
    Array.from({ length: count }, (_, index) => make(index));
  let deep: Der = der.sequence();
  for (let i = 0; i < 40; i++) deep = der.sequence(deep);

  const cases: readonly [what: string, code: CsrErrorCode, input: string | Uint8Array][] = [
    ['nothing', 'csr.empty', ''],
    ['no bytes', 'csr.empty', new Uint8Array(0)],
    ['white space', 'csr.empty', ' \r\n\t '],
    ['2 MB of text', 'csr.tooLarge', 'A'.repeat(2_000_000)],
    ['2 MB of bytes', 'csr.tooLarge', new Uint8Array(2_000_000).fill(0x30)],
    ['BEGIN without END', 'csr.notPem', PEM.slice(0, 200)],
    ['BEGIN and END that differ', 'csr.notPem', PEM.replace('END CERTIFICATE REQUEST', 'END CERTIFICATE')],
    ['END without BEGIN', 'csr.notPem', PEM.slice(40)],
    ['a broken BEGIN line', 'csr.notPem', PEM.replace('REQUEST-----', 'REQUEST')],
    ['two requests', 'csr.notPem', PEM + PEM],
    ['a certificate', 'csr.wrongLabel', PEM.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')],
    ['a private key', 'csr.wrongLabel', PEM.replaceAll('CERTIFICATE REQUEST', 'PRIVATE KEY')],
    ['PEM around no base64', 'csr.notBase64', PEM.replace('MII', '!!!')],
    ['PEM with headers', 'csr.notBase64', PEM.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n')],
    ['base64url', 'csr.notBase64', 'MIIB_-AA'],
    ['base64 without padding', 'csr.notBase64', 'MIIBA'],
    ['base64 with unused bits set', 'csr.notBase64', 'MA1='],
    ['a sentence', 'csr.notBase64', 'please sign my key'],
    ['octets that are neither text nor DER', 'csr.der.badTag', Uint8Array.of(0x02, 0x01, 0x00)],
    ['base64 of an INTEGER', 'csr.der.badTag', Buffer.from('020100', 'hex').toString('base64')],
    ['a request cut short', 'csr.der.truncated', good.subarray(0, good.length - 1)],
    ['data behind the request', 'csr.der.trailingData', Buffer.concat([good, Buffer.alloc(1)])],
    ['an indefinite length', 'csr.der.badLength', Buffer.from('30800000', 'hex')],
    ['deep nesting', 'csr.badKey', build({ key: deep })],
    ['version 1', 'csr.badVersion', build({ version: der.integer(1) })],
    ['a negative version', 'csr.badVersion', build({ version: Buffer.from('0201ff', 'hex') })],
    ['no version', 'csr.badVersion', build({ version: new Uint8Array(0) })],
    ['a subject that is no name', 'csr.badSubject', build({ subject: der.integer(1) })],
    ['a subject with an empty RDN', 'csr.badSubject', build({ subject: der.sequence(der.setOf()) })],
    ['a subject with a number for a value', 'csr.badSubject', build({ subject: cn(der.integer(1)) })],
    ['a subject with NUL', 'csr.badSubject', build({ subject: cn(der.utf8String('host.example\0.evil.example')) })],
    ['a subject with a line break', 'csr.badSubject', build({ subject: cn(der.utf8String('a\r\nb')) })],
    ['a subject that is not UTF-8', 'csr.badSubject', build({ subject: cn(der.tlv(0x0c, Uint8Array.of(0xff))) })],
    [
      'a subject of 65 RDNs',
      'csr.badSubject',
      build({ subject: encodeName(nameOf(...many(65, () => der.nullValue()).map(() => ['OU', 'a'] as const))) }),
    ],
    ['a key that is no key', 'csr.badKey', build({ key: der.sequence() })],
    [
      'a key off the curve',
      'csr.badKey',
      build({ key: Buffer.concat([spki.subarray(0, -1), Uint8Array.of((spki.at(-1) ?? 0) ^ 1)]) }),
    ],
    ['an Ed448 key', 'csr.unsupportedKey', build({ key: exported(generateKeyPairSync('ed448').publicKey) })],
    [
      'a key on secp256k1',
      'csr.unsupportedKey',
      build({ key: exported(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) }),
    ],
    ['an attribute that is no attribute', 'csr.badAttributes', build({ attributes: [der.integer(1)] })],
    ['attributes with data behind them', 'csr.badAttributes', build({ rest: [der.nullValue()] })],
    [
      'a challenge password that is a number',
      'csr.badAttributes',
      build({ attributes: [attribute('1.2.840.113549.1.9.7', der.integer(1))] }),
    ],
    [
      'two challenge passwords',
      'csr.badAttributes',
      build({ attributes: [attribute('1.2.840.113549.1.9.7', der.utf8String('a'), der.utf8String('b'))] }),
    ],
    ['33 attributes', 'csr.badAttributes', build({ attributes: many(33, (index) => attribute(`1.2.3.${index}`)) })],
    [
      'one attribute twice',
      'csr.duplicateAttribute',
      build({ attributes: [attribute('1.2.3', der.nullValue()), attribute('1.2.3', der.nullValue())] }),
    ],
    ['an extension request without value', 'csr.badExtension', build({ attributes: [attribute(PKCS9)] })],
    [
      'two extension requests in one attribute',
      'csr.badExtension',
      build({ attributes: [attribute(PKCS9, der.sequence(), der.sequence())] }),
    ],
    ['an extension without value', 'csr.badExtension', build(requesting(der.sequence(der.oid('2.5.29.17'))))],
    [
      'critical of 01',
      'csr.badExtension',
      build(requesting(der.sequence(der.oid('2.5.29.17'), Buffer.from('010101', 'hex'), der.octetString()))),
    ],
    [
      '65 extensions',
      'csr.badExtension',
      build(requesting(...many(65, (index) => extension(`1.2.3.${index}`, der.nullValue())))),
    ],
    ['no name in subjectAltName', 'csr.badExtension', build(requesting(san()))],
    ['a name with NUL', 'csr.badExtension', build(requesting(san(dns('host.example\0.evil.example'))))],
    [
      'a directory name with NUL',
      'csr.badExtension',
      build(requesting(san(der.context(4, cn(der.utf8String('a\0b')))))),
    ],
    ['a name outside ASCII', 'csr.badExtension', build(requesting(san(dns('hä.example'))))],
    [
      'an address of three octets',
      'csr.badExtension',
      build(requesting(san(der.contextPrimitive(7, new Uint8Array(3))))),
    ],
    [
      'a name of an unknown kind',
      'csr.badExtension',
      build(requesting(san(der.contextPrimitive(9, new Uint8Array(3))))),
    ],
    ['one extension twice', 'csr.duplicateExtension', build(requesting(san(dns('a.example')), san(dns('b.example'))))],
    [
      'one extension in both attributes',
      'csr.duplicateExtension',
      build({ attributes: [PKCS9, MICROSOFT].map((oid) => attribute(oid, der.sequence(san(dns('a.example'))))) }),
    ],
    [
      'an unknown signature algorithm',
      'csr.badSignatureAlgorithm',
      build({ algorithm: der.sequence(der.oid('1.2.3')) }),
    ],
    [
      'a SHA-1 signature',
      'csr.badSignatureAlgorithm',
      build({ algorithm: der.sequence(der.oid('1.2.840.10045.4.1')) }),
    ],
    [
      'a signature of another kind of key',
      'csr.badSignatureAlgorithm',
      build({ algorithm: SIGNATURE_ALGORITHMS.sha256WithRSAEncryption.derAlgorithmIdentifier }),
    ],
    [
      'a signature that is no BIT STRING',
      'csr.badSignature',
      build({ signature: der.octetString(new Uint8Array(70)) }),
    ],
    ['an empty signature', 'csr.badSignature', build({ signature: der.bitString(new Uint8Array(0)) })],
    ['a signature of part octets', 'csr.badSignature', build({ signature: der.bitString(Uint8Array.of(0x80), 7) })],
  ];
  for (const [what, code, input] of cases) {
    it(`${what}: ${code}`, () => assert.equal(codeOf(input), code));
  }

  it('never show their content in the error', () => {
    for (const [, , input] of cases) {
      const result = parseCsr(input);
      assert.ok(!result.ok);
      assert.match(result.error.detail, /^[\x20-\x7e]{1,200}$/);
    }
  });

  it('any cut of a request is refused', () => {
    for (let length = 0; length < DER.length; length++) assert.notEqual(codeOf(DER.subarray(0, length)), 'accepted');
  });
});

describe('PEM', () => {
  it('comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = toPem('X509 CRL', bytes);
        assert.ok(text.split('\n').every((line) => line.length <= 64));
        const back = fromPem(text, 'X509 CRL');
        assert.deepEqual(back.ok ? Buffer.from(back.value) : back.error, Buffer.from(bytes));
      }),
    );
  });

  it('of another label is refused', () => {
    const result = fromPem(toPem('CERTIFICATE', Uint8Array.of(1)), 'X509 CRL');
    assert.equal(result.ok ? 'accepted' : result.error.code, 'pem.wrongLabel');
  });
});

describe('RFC 4514 subjects', () => {
  it('go into a request and come back', async () => {
    const subject = parseName('CN=Müller\\, Inc.+UID=7,O=Example,C=DE');
    assert.ok(subject.ok);
    const csr = parsed(await createCsr({ subject: subject.value, key: privateKey }));
    assert.ok(nameEquals(csr.subject, subject.value));
  });
});
