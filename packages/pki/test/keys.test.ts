import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  der,
  describeSpki,
  generateKey,
  KEY_ALGORITHMS,
  type KeyErrorCode,
  keyIdentifier,
  SIGNATURE_ALGORITHMS,
  signatureAlgorithmFor,
  signatureAlgorithmOf,
  signWith,
  spkiFingerprint,
  verifySignature,
} from '@certwright/pki';
import fc from 'fast-check';
import { openssl, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const MESSAGE = Buffer.from('to be signed');
const EC = '1.2.840.10045.2.1';
const RSA = '1.2.840.113549.1.1.1';
const P256 = '1.2.840.10045.3.1.7';

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

describe('keys', () => {
  for (const algorithm of KEY_ALGORITHMS) {
    it(`${algorithm}: generated, described, signs and verifies`, async () => {
      const { privateKey, publicKey, spki } = await generateKey(algorithm);
      const described = describeSpki(spki);
      assert.ok(described.ok);
      assert.equal(described.value.algorithm, algorithm);
      assert.equal(described.value.family, publicKey.asymmetricKeyType);

      const signing = signatureAlgorithmFor(algorithm);
      const signature = await signWith(privateKey, signing, MESSAGE);
      const sigAlg = signing.derAlgorithmIdentifier;
      assert.ok(await verifySignature(spki, sigAlg, MESSAGE, signature));
      assert.ok(await verifySignature(publicKey, sigAlg, MESSAGE, signature));
      assert.ok(!(await verifySignature(spki, sigAlg, Buffer.from('something else'), signature)));
      assert.ok(!(await verifySignature(spki, sigAlg, MESSAGE, signature.subarray(1))));
      assert.ok(!(await verifySignature(spki, sigAlg, MESSAGE, new Uint8Array(0))));
    });
  }

  it('RSA is described down to modulus and exponent', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { n, e } = publicKey.export({ format: 'jwk' });
    const described = describeSpki(spkiOf(publicKey));
    assert.ok(described.ok && described.value.kind === 'rsa');
    assert.equal(described.value.bits, 2048);
    assert.equal(Buffer.from(described.value.modulus).toString('base64url'), n);
    assert.equal(Buffer.from(described.value.exponent).toString('base64url'), e);
  });

  it('RSA of another size is described without a name', () => {
    const described = describeSpki(spkiOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey));
    assert.ok(described.ok && described.value.kind === 'rsa');
    assert.equal(described.value.algorithm, undefined);
    assert.equal(described.value.bits, 1024);
  });

  it('RSASSA-PSS verifies with the parameters of the Baseline Requirements', async () => {
    const { privateKey, spki } = await generateKey('rsa-2048');
    for (const name of ['rsassaPss-sha256', 'rsassaPss-sha384', 'rsassaPss-sha512'] as const) {
      const algorithm = SIGNATURE_ALGORITHMS[name];
      const signature = await signWith(privateKey, algorithm, MESSAGE);
      assert.ok(await verifySignature(spki, algorithm.derAlgorithmIdentifier, MESSAGE, signature));
      const pkcs1 = SIGNATURE_ALGORITHMS.sha256WithRSAEncryption.derAlgorithmIdentifier;
      assert.ok(!(await verifySignature(spki, pkcs1, MESSAGE, signature)));
    }
    // Section 7.1.3.2.1 of the Baseline Requirements spells this encoding out.
    assert.equal(
      Buffer.from(SIGNATURE_ALGORITHMS['rsassaPss-sha256'].derAlgorithmIdentifier).toString('hex'),
      '304106092a864886f70d01010a3034a00f300d0609608648016503040201' +
        '0500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120',
    );
  });

  it('signature algorithms are found by their encoding, weak and misparameterised ones are not', () => {
    for (const algorithm of Object.values(SIGNATURE_ALGORITHMS)) {
      assert.equal(signatureAlgorithmOf(algorithm.derAlgorithmIdentifier), algorithm);
    }
    const identifier = (oid: string, ...parameters: Uint8Array[]): Uint8Array =>
      der.sequence(der.oid(oid), ...parameters);
    assert.equal(signatureAlgorithmOf(identifier('1.2.840.113549.1.1.11'))?.name, 'sha256WithRSAEncryption');
    const unknown = [
      identifier('1.2.840.113549.1.1.5', der.nullValue()),
      identifier('1.2.840.113549.1.1.4', der.nullValue()),
      identifier('1.2.840.10045.4.1'),
      identifier('1.2.840.10045.4.3.2', der.nullValue()),
      identifier('1.3.101.112', der.nullValue()),
      identifier('1.2.840.113549.1.1.10'),
      new Uint8Array(0),
      new Uint8Array(4096),
    ];
    for (const bytes of unknown) assert.equal(signatureAlgorithmOf(bytes), undefined);
  });

  it('a key never signs or verifies with an algorithm of another family', async () => {
    const ec = await generateKey('ec-p256');
    const rsa = SIGNATURE_ALGORITHMS.sha256WithRSAEncryption;
    await assert.rejects(signWith(ec.privateKey, rsa, MESSAGE), TypeError);
    const signature = await signWith(ec.privateKey, signatureAlgorithmFor('ec-p256'), MESSAGE);
    assert.ok(!(await verifySignature(ec.spki, rsa.derAlgorithmIdentifier, MESSAGE, signature)));
  });

  it('rubbish for a key verifies nothing', async () => {
    const { derAlgorithmIdentifier } = signatureAlgorithmFor('ec-p256');
    assert.ok(!(await verifySignature(Buffer.from('30030201', 'hex'), derAlgorithmIdentifier, MESSAGE, MESSAGE)));
  });

  it('key identifier is the cut SHA-256 of the BIT STRING content', async () => {
    const { spki } = await generateKey('ec-p256');
    const point = spki.subarray(-65);
    assert.deepEqual(Buffer.from(keyIdentifier(spki)), createHash('sha256').update(point).digest().subarray(0, 20));
    assert.equal(spkiFingerprint(spki), createHash('sha256').update(spki).digest('hex'));
  });
});

describe('public keys that are refused', () => {
  const point = (): Uint8Array => spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey).subarray(-65);
  const spki = (algorithm: Uint8Array, key: Uint8Array): Uint8Array => der.sequence(algorithm, der.bitString(key));
  const ec = (parameters: Uint8Array, key: Uint8Array): Uint8Array => spki(der.sequence(der.oid(EC), parameters), key);
  const rsa = (key: Uint8Array): Uint8Array => spki(der.sequence(der.oid(RSA), der.nullValue()), key);
  const shifted = point().slice();
  shifted[64] = (shifted[64] ?? 0) ^ 1;
  const modulus = der.unsignedInteger(new Uint8Array(256).fill(0xff));

  const cases: readonly [what: string, code: KeyErrorCode, bytes: Uint8Array][] = [
    ['nothing', 'key.badEncoding', new Uint8Array(0)],
    ['text', 'key.badEncoding', Buffer.from('ssh-rsa AAAA')],
    ['more than 8 KiB', 'key.badEncoding', new Uint8Array(9000)],
    ['trailing data', 'key.badEncoding', Buffer.concat([ec(der.oid(P256), point()), Buffer.alloc(1)])],
    [
      'a BIT STRING of part octets',
      'key.badEncoding',
      der.sequence(der.sequence(der.oid(EC), der.oid(P256)), der.bitString(Uint8Array.of(0x80), 7)),
    ],
    ['explicit curve parameters', 'key.badParameters', ec(der.sequence(der.integer(1)), point())],
    ['an implicit curve', 'key.badParameters', ec(der.nullValue(), point())],
    ['an EC key without parameters', 'key.badParameters', spki(der.sequence(der.oid(EC)), point())],
    [
      'data after the parameters',
      'key.badParameters',
      spki(der.sequence(der.oid(EC), der.oid(P256), der.nullValue()), point()),
    ],
    ['secp256k1', 'key.unsupportedCurve', ec(der.oid('1.3.132.0.10'), point())],
    ['a point off the curve', 'key.badPoint', ec(der.oid(P256), shifted)],
    [
      'a coordinate of p or more',
      'key.badPoint',
      ec(der.oid(P256), Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 0xff)])),
    ],
    ['the point at infinity', 'key.badPoint', ec(der.oid(P256), new Uint8Array(1))],
    [
      'a compressed point',
      'key.badPoint',
      ec(der.oid(P256), Buffer.concat([Buffer.from([2]), point().subarray(1, 33)])),
    ],
    ['a point of another curve', 'key.badPoint', ec(der.oid('1.3.132.0.34'), point())],
    [
      'an RSA key without NULL',
      'key.badParameters',
      spki(der.sequence(der.oid(RSA)), der.sequence(modulus, der.integer(65537))),
    ],
    [
      'an RSA key for PSS only',
      'key.unsupportedAlgorithm',
      spki(der.sequence(der.oid('1.2.840.113549.1.1.10')), der.sequence(modulus, der.integer(65537))),
    ],
    ['a negative modulus', 'key.badModulus', rsa(der.sequence(Buffer.from('0201ff', 'hex'), der.integer(65537)))],
    ['a modulus of zero', 'key.badModulus', rsa(der.sequence(der.integer(0), der.integer(65537)))],
    ['an RSA key of one number', 'key.badEncoding', rsa(der.sequence(modulus))],
    ['an RSA key of three numbers', 'key.badEncoding', rsa(der.sequence(modulus, modulus, modulus))],
    [
      'a modulus of 17,000 bits',
      'key.badModulus',
      rsa(der.sequence(der.unsignedInteger(new Uint8Array(2125).fill(0xff)), der.integer(65537))),
    ],
    [
      'Ed25519 with parameters',
      'key.badParameters',
      spki(der.sequence(der.oid('1.3.101.112'), der.nullValue()), new Uint8Array(32)),
    ],
    ['Ed25519 of 31 octets', 'key.badEncoding', spki(der.sequence(der.oid('1.3.101.112')), new Uint8Array(31))],
    [
      'ML-DSA-65 with the length of ML-DSA-44',
      'key.badEncoding',
      spki(der.sequence(der.oid('2.16.840.1.101.3.4.3.18')), new Uint8Array(1312)),
    ],
    ['Ed448', 'key.unsupportedAlgorithm', spkiOf(generateKeyPairSync('ed448').publicKey)],
    ['X25519', 'key.unsupportedAlgorithm', spkiOf(generateKeyPairSync('x25519').publicKey)],
  ];
  for (const [what, code, bytes] of cases) {
    it(`${what}: ${code}`, () => {
      const described = describeSpki(bytes);
      assert.equal(described.ok ? 'accepted' : described.error.code, code);
    });
  }

  it('whatever is accepted can be imported', async () => {
    const { spki: good } = await generateKey('ec-p256');
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Uint8Array.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        const described = describeSpki(bytes);
        if (described.ok) createPublicKey({ key: Buffer.from(bytes), format: 'der', type: 'spki' });
      }),
    );
  });

  it('agree with openssl about which form is which', { skip: skipWithoutOpenssl }, (t) => {
    const folder = scratchFolder(t);
    const make = (...options: string[]): Uint8Array => {
      const key = openssl(folder, ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', ...options]);
      return openssl(folder, ['pkey', '-pubout', '-outform', 'DER'], key);
    };
    assert.ok(describeSpki(make()).ok);
    const explicit = describeSpki(make('-pkeyopt', 'ec_param_enc:explicit'));
    assert.equal(explicit.ok ? 'accepted' : explicit.error.code, 'key.badParameters');
  });
});
