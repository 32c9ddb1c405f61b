import { createPrivateKey, createPublicKey, createSign, hash, type KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KeyRecord, KeyVault, SecretBox, VaultKey } from '@certwright/core';
import {
  describeSpki,
  generateKey,
  type KeyAlgorithm,
  type SignatureAlgorithm,
  signatureAlgorithmFor,
  signWith,
} from '@certwright/pki';
import { createConcurrencyLimiter } from '../concurrency.ts';
import { sealedUnder } from './secret-box.ts';

export interface KeyVaultOptions {
  readonly secrets: SecretBox;
  /** Reads a key from the records. */
  readonly load: (keyId: number) => Promise<KeyRecord | undefined>;
  /** Signatures under way at once; more wait. Default 64. */
  readonly maxSigning?: number;
  /** Signatures that may wait; beyond them `sign` rejects. Default 10,000. */
  readonly maxWaiting?: number;
}

export interface LocalKeyVault extends KeyVault {
  /** Whether the private key is on record and can be opened. */
  canUse(keyId: number): Promise<boolean>;
}

/** A key cannot be used, or too many signatures wait. Names the key by its id only. */
export class KeyVaultError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'KeyVaultError';
  }
}

interface OpenKey {
  readonly privateKey: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  /** P-256: a signature takes some 25 µs. */
  readonly isQuick: boolean;
}

/** Keys kept open; importing one anew costs several signatures. */
const MAX_OPEN = 1_000;
/** What is hashed at one go, some half a millisecond. */
const SLICE_BYTES = 512 * 1024;

/** The sealed private key belongs to this public key and to no other. */
const sealingContext = (spki: Uint8Array): string => `private key ${hash('sha256', spki, 'hex')}`;

/** The same octets as a Buffer: a copy of a private key would have to be wiped too. */
const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Holds CA and OCSP keys in this process: sealed on record, open in memory, used only for permits. */
export function createKeyVault(options: KeyVaultOptions): LocalKeyVault {
  const { secrets, load, maxSigning = 64, maxWaiting = 10_000 } = options;
  const limiter = createConcurrencyLimiter(maxSigning, maxWaiting);
  const open = new Map<number, Promise<OpenKey>>();

  function seal(privateKey: KeyObject, spki: Uint8Array, algorithm: KeyAlgorithm): VaultKey {
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
    try {
      return { spki, algorithm, sealedPrivateKey: secrets.seal(pkcs8, sealingContext(spki)) };
    } finally {
      pkcs8.fill(0);
    }
  }

  async function openRecord(keyId: number): Promise<OpenKey> {
    const record = await load(keyId);
    if (record === undefined) throw new KeyVaultError(`key ${keyId} is not on record`);
    const pkcs8 = secrets.open(record.sealedPrivateKey, sealingContext(record.spki));
    if (pkcs8 === undefined) {
      const platformKey = sealedUnder(record.sealedPrivateKey) ?? 'unknown';
      throw new KeyVaultError(
        `key ${keyId} cannot be opened: it was sealed under platform key ${platformKey}, or its record was changed`,
      );
    }
    try {
      const privateKey = createPrivateKey({ key: view(pkcs8), format: 'der', type: 'pkcs8' });
      const { algorithm } = record;
      return { privateKey, algorithm: signatureAlgorithmFor(algorithm), isQuick: algorithm === 'ec-p256' };
    } finally {
      pkcs8.fill(0);
    }
  }

  function openKey(keyId: number): Promise<OpenKey> {
    const known = open.get(keyId);
    if (known !== undefined) return known;
    const opening = openRecord(keyId);
    if (open.size >= MAX_OPEN) {
      const oldest = open.keys().next();
      if (!oldest.done) open.delete(oldest.value);
    }
    open.set(keyId, opening);
    // a failure is not remembered: the database may be back, the key restored
    opening.catch(() => open.delete(keyId));
    return opening;
  }

  /**
   * Hashes in slices on this thread, then signs the digest: handed over whole, a CRL of 50 MB would be copied and
   * the time to hash it would be one long wait.
   */
  async function signInSlices({ privateKey }: OpenKey, digest: string, bytes: Uint8Array): Promise<Uint8Array> {
    const signer = createSign(digest);
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      signer.update(bytes.subarray(at, at + SLICE_BYTES));
      await nextTurn();
    }
    return signer.sign(privateKey);
  }

  return {
    async generate(algorithm) {
      const { privateKey, spki } = await generateKey(algorithm);
      return seal(privateKey, spki, algorithm);
    },

    async import(pkcs8) {
      let privateKey: KeyObject;
      try {
        privateKey = createPrivateKey({ key: view(pkcs8), format: 'der', type: 'pkcs8' });
      } catch (error) {
        throw new KeyVaultError('the private key is not an unencrypted PKCS #8 key that this platform knows', error);
      }
      const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
      const described = describeSpki(spki);
      if (!described.ok || described.value.algorithm === undefined)
        throw new KeyVaultError('the private key is of a kind or size that CAs cannot use');
      return seal(privateKey, spki, described.value.algorithm);
    },

    async sign(permit) {
      const bytes = permit.redeem();
      const signature = limiter.run(async () => {
        const key = await openKey(permit.keyId);
        const { digest } = key.algorithm;
        if (digest !== null && bytes.length > SLICE_BYTES) return signInSlices(key, digest, bytes);
        // an order would wait two milliseconds for the thread pool and its turn after it; OCSP answers come in thousands
        if (digest !== null && key.isQuick && permit.purpose === 'certificate')
          return createSign(digest).update(bytes).sign(key.privateKey);
        return signWith(key.privateKey, key.algorithm, bytes);
      });
      if (signature === undefined) throw new KeyVaultError('too many signatures wait');
      return signature;
    },

    async canUse(keyId) {
      try {
        await openKey(keyId);
        return true;
      } catch {
        return false;
      }
    },
  };
}
