import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { KeyRecord, VaultKey } from '@certwright/core';
import { type KeyAlgorithm, signatureAlgorithmFor, verifySignature } from '@certwright/pki';
import { createKeyVault, createSecretBox, KeyVaultError, platformKey } from '../../src/adapters/vault/index.ts';
import { mintPermit } from './permits.ts';

const ALGORITHMS: readonly KeyAlgorithm[] = ['rsa-2048', 'ec-p256', 'ec-p384', 'ec-p521', 'ed25519', 'ml-dsa-65'];

function makeVault(limits: { readonly maxSigning?: number; readonly maxWaiting?: number } = {}) {
  const records = new Map<number, KeyRecord>();
  const secrets = createSecretBox(platformKey(randomBytes(32)));
  const loads: number[] = [];
  const load = async (keyId: number) => {
    loads.push(keyId);
    return records.get(keyId);
  };
  const vault = createKeyVault({ secrets, load, ...limits });
  const put = (key: VaultKey): number => {
    const id = records.size + 1;
    records.set(id, { id, ...key, createdAt: 0 });
    return id;
  };
  return { vault, records, put, load, loads };
}

const verify = (key: VaultKey, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> =>
  verifySignature(key.spki, signatureAlgorithmFor(key.algorithm).derAlgorithmIdentifier, bytes, signature);

describe('key vault', () => {
  for (const algorithm of ALGORITHMS) {
    it(`makes ${algorithm} keys and signs with them, short and long`, async () => {
      const { vault, put, loads } = makeVault();
      const key = await vault.generate(algorithm);
      assert.equal(key.algorithm, algorithm);
      const keyId = put(key);
      for (const bytes of [randomBytes(900), randomBytes(3 * 512 * 1024 + 7)]) {
        assert.ok(await verify(key, bytes, await vault.sign(mintPermit('certificate', keyId, bytes))));
      }
      assert.deepEqual(loads, [keyId], 'the key stays open');
    });
  }

  it('takes in PKCS #8 keys and says which it does not', async () => {
    const { vault, put } = makeVault();
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const key = await vault.import(privateKey.export({ type: 'pkcs8', format: 'der' }));
    assert.equal(key.algorithm, 'ec-p384');
    assert.deepEqual(Buffer.from(key.spki), publicKey.export({ type: 'spki', format: 'der' }));
    const bytes = randomBytes(100);
    assert.ok(await verify(key, bytes, await vault.sign(mintPermit('crl', put(key), bytes))));

    await assert.rejects(vault.import(randomBytes(100)), KeyVaultError);
    const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    await assert.rejects(vault.import(odd.export({ type: 'pkcs8', format: 'der' })), KeyVaultError);
  });

  it('spends a permit once, whatever the outcome', async () => {
    const { vault, put } = makeVault();
    const permit = mintPermit('certificate', put(await vault.generate('ec-p256')), randomBytes(10));
    await vault.sign(permit);
    await assert.rejects(vault.sign(permit), /spent/);
    const lost = mintPermit('certificate', 99, randomBytes(10));
    await assert.rejects(vault.sign(lost), /key 99 is not on record/);
    await assert.rejects(vault.sign(lost), /spent/);
  });

  it('names the platform key that a record needs, and recovers when the record does', async () => {
    const { vault, put, records } = makeVault();
    const other = createSecretBox(platformKey(randomBytes(32)));
    const stranger = createKeyVault({ secrets: other, load: async (keyId) => records.get(keyId) });
    const key = await vault.generate('ec-p256');
    const keyId = put(key);
    assert.equal(await vault.canUse(keyId), true);
    assert.equal(await stranger.canUse(keyId), false);
    await assert.rejects(
      stranger.sign(mintPermit('certificate', keyId, randomBytes(1))),
      /key 1 cannot be opened: it was sealed under platform key [0-9a-f]{16}/,
    );
    const mended = await stranger.generate('ec-p256');
    records.set(keyId, { id: keyId, ...mended, createdAt: 0 });
    assert.equal(await stranger.canUse(keyId), true);
  });

  it('does not open a private key under another public key', async () => {
    const { vault, put, records } = makeVault();
    const [one, two] = [await vault.generate('ec-p256'), await vault.generate('ec-p256')];
    const keyId = put(one);
    records.set(keyId, { id: keyId, ...one, sealedPrivateKey: two.sealedPrivateKey, createdAt: 0 });
    assert.equal(await vault.canUse(keyId), false);
  });

  it('lets a bounded number wait and refuses the rest', async () => {
    const { vault, put } = makeVault({ maxSigning: 1, maxWaiting: 2 });
    const keyId = put(await vault.generate('ec-p256'));
    const signings = Array.from({ length: 5 }, () => vault.sign(mintPermit('certificate', keyId, randomBytes(10))));
    const outcomes = (await Promise.allSettled(signings)).map(({ status }) => status);
    assert.deepEqual(outcomes, ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
  });
});
