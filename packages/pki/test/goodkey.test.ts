import assert from 'node:assert/strict';
import { checkPrimeSync, createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  blockedBy,
  checkKey,
  der,
  describeSpki,
  generateKey,
  KEY_ALGORITHMS,
  type KeyPolicy,
  PUBLIC_KEY_POLICY,
  type PublicKeyInfo,
  parseBlocklist,
  spkiFingerprint,
} from '@certwright/pki';
import fc from 'fast-check';
import { openssl, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const EVERYTHING: KeyPolicy = { allowed: KEY_ALGORITHMS };

const bytesOf = (value: bigint): Buffer => {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
};
const random = (bits: number): bigint => BigInt(`0x${randomBytes(bits / 8).toString('hex')}`);

function infoOf(spki: Uint8Array): PublicKeyInfo {
  const described = describeSpki(spki);
  assert.ok(described.ok);
  return described.value;
}

function rsaKey(modulus: bigint, exponent = 65537n): PublicKeyInfo {
  const key = der.sequence(der.unsignedInteger(bytesOf(modulus)), der.unsignedInteger(bytesOf(exponent)));
  return infoOf(der.sequence(der.sequence(der.oid('1.2.840.113549.1.1.1'), der.nullValue()), der.bitString(key)));
}

/** First probable prime among `candidate`, `candidate + step`, … */
function primeFrom(candidate: bigint, step: bigint): bigint {
  let value = candidate;
  while (!checkPrimeSync(bytesOf(value))) value += step;
  return value;
}

/** Odd number with its two highest bits set, so that a product of two such has the full length. */
const primeStart = (bits: number): bigint => random(bits) | (3n << BigInt(bits - 2)) | 1n;

const codes = (info: PublicKeyInfo, policy: KeyPolicy): string[] => checkKey(info, policy).map(({ code }) => code);

describe('key checks', () => {
  it('have nothing against sound keys', async () => {
    for (const algorithm of KEY_ALGORITHMS) {
      const { spki } = await generateKey(algorithm);
      assert.deepEqual(checkKey(infoOf(spki), EVERYTHING), [], algorithm);
    }
  });

  it('refuse algorithms and sizes that the policy does not list', async () => {
    const ed25519 = infoOf((await generateKey('ed25519')).spki);
    const p521 = infoOf((await generateKey('ec-p521')).spki);
    const mlDsa = infoOf((await generateKey('ml-dsa-44')).spki);
    assert.deepEqual(codes(ed25519, PUBLIC_KEY_POLICY), ['key.algorithmNotAllowed']);
    assert.deepEqual(codes(mlDsa, PUBLIC_KEY_POLICY), ['key.algorithmNotAllowed']);
    assert.deepEqual(codes(p521, PUBLIC_KEY_POLICY), ['key.sizeNotAllowed']);
    assert.deepEqual(codes(mlDsa, { allowed: ['ml-dsa-87'] }), ['key.sizeNotAllowed']);
    assert.deepEqual(codes(rsaKey((1n << 1023n) + 1n), PUBLIC_KEY_POLICY), ['key.sizeNotAllowed']);
    assert.deepEqual(codes(rsaKey((1n << 2559n) + 1n), PUBLIC_KEY_POLICY), ['key.sizeNotAllowed']);
  });

  it('refuse even, small and huge exponents', async () => {
    const sound = infoOf((await generateKey('rsa-2048')).spki);
    assert.ok(sound.kind === 'rsa');
    const modulus = BigInt(`0x${Buffer.from(sound.modulus).toString('hex')}`);
    for (const exponent of [1n, 2n, 3n, 17n, 65535n, 65538n, (1n << 256n) + 1n]) {
      assert.deepEqual(codes(rsaKey(modulus, exponent), PUBLIC_KEY_POLICY), ['key.exponent'], `${exponent}`);
    }
    for (const exponent of [65537n, 65539n, (1n << 256n) - 1n]) {
      assert.deepEqual(codes(rsaKey(modulus, exponent), PUBLIC_KEY_POLICY), [], `${exponent}`);
    }
    const lenient = { ...PUBLIC_KEY_POLICY, minRsaExponent: 3 };
    assert.deepEqual(codes(rsaKey(modulus, 3n), lenient), []);
    assert.deepEqual(codes(rsaKey(modulus, 1n), { ...PUBLIC_KEY_POLICY, minRsaExponent: 1 }), ['key.exponent']);
  });

  it('refuse even moduli and every small factor', () => {
    assert.deepEqual(codes(rsaKey(primeStart(2048) - 1n), EVERYTHING), ['key.modulus']);
    const cofactor = primeFrom(primeStart(2040), 2n);
    for (const factor of [3n, 5n, 167n, 173n, 509n, 743n, 751n]) {
      const multiple = cofactor * factor;
      const bits = multiple.toString(2).length;
      const scaled = bits < 2048 ? multiple * (primeFrom(1n << BigInt(2047 - bits), 1n) | 1n) : multiple;
      const info = rsaKey(scaled);
      if (info.algorithm === undefined) continue;
      assert.deepEqual(codes(info, EVERYTHING), ['key.smallFactor'], `${factor}`);
    }
  });

  it('recognise the structure of CVE-2017-15361', () => {
    let primorial = 1n;
    for (let prime = 2n; prime <= 167n; prime++) if (checkPrimeSync(bytesOf(prime))) primorial *= prime;
    const weakPrime = (exponent: number): bigint => {
      let power = 1n;
      for (let i = 0; i < exponent; i++) power = (power * 65537n) % primorial;
      const start = primeStart(1024);
      return primeFrom(start - (start % primorial) + power, primorial);
    };
    const product = (): PublicKeyInfo => rsaKey(weakPrime(1234) * weakPrime(77));
    let info = product();
    while (info.algorithm === undefined) info = product();
    assert.deepEqual(codes(info, EVERYTHING), ['key.roca']);
  });

  it('factor moduli of close primes', () => {
    const p = primeFrom(primeStart(1024), 2n);
    const q = primeFrom(p + 2n, 2n);
    assert.deepEqual(codes(rsaKey(p * q), EVERYTHING), ['key.closePrimes']);
    assert.deepEqual(codes(rsaKey(p * p), EVERYTHING), ['key.closePrimes']);
    // Fermat's method starts 2^900 apart as far away as ever.
    assert.deepEqual(codes(rsaKey(p * primeFrom(p - (1n << 900n), 2n)), EVERYTHING), []);
  });

  it('refuse blocked keys of every kind, by fingerprint', async () => {
    for (const algorithm of ['ec-p256', 'ml-dsa-44', 'rsa-2048'] as const) {
      const { spki } = await generateKey(algorithm);
      const list = parseBlocklist(
        `# compromised\r\n${spkiFingerprint(spki).toUpperCase()} # found in a repository\n\n`,
      );
      assert.ok(list.ok);
      assert.deepEqual(codes(infoOf(spki), { ...EVERYTHING, ...blockedBy(list.value) }), ['key.blocked']);
    }
  });

  it('refuse keys of the list format of Debian', { skip: skipWithoutOpenssl }, async (t) => {
    const { spki, publicKey } = await generateKey('rsa-2048');
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const printed = openssl(scratchFolder(t), ['rsa', '-pubin', '-noout', '-modulus'], pem.toString());
    const sha1 = createHash('sha1').update(printed).digest('hex');
    for (const line of [sha1, sha1.slice(20)]) {
      const list = parseBlocklist(line);
      assert.ok(list.ok);
      assert.deepEqual(codes(infoOf(spki), { ...EVERYTHING, ...blockedBy(list.value) }), ['key.debianWeak']);
    }
  });

  it('name the line of a block list that is no fingerprint', () => {
    const list = parseBlocklist(`${'a'.repeat(64)}\n# fine\n${'a'.repeat(21)}\n`);
    assert.deepEqual(list.ok ? 'accepted' : [list.error.code, list.error.line], ['blocklist.badLine', 3]);
  });

  it('answer any modulus and exponent with findings', () => {
    const number = fc.bigInt({ min: 1n, max: 2n ** 64n });
    fc.assert(
      fc.property(number, number, (low, exponent) => {
        checkKey(rsaKey((1n << 2047n) + low, exponent), EVERYTHING);
      }),
      { numRuns: 200 },
    );
  });
});
