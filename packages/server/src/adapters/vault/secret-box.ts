import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { SecretBox } from '@certwright/core';
import type { PlatformKey } from './platform-key.ts';

/*
 * A sealed box: version (1 octet), id of the platform key (8), nonce (12), ciphertext, tag (16).
 * Version and key id are authenticated together with the context.
 */
const VERSION = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + ID_BYTES;
const OVERHEAD = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
const CIPHER = 'aes-256-gcm';

/** Seals under keys derived from the platform key; see {@link SecretBox}. */
export function createSecretBox(key: PlatformKey): SecretBox {
  const sealingKey = key.derive('secret box');
  const hashingKey = key.derive('keyed hash');
  const header = Buffer.concat([Uint8Array.of(VERSION), key.id]);
  const associated = (context: string): Buffer => Buffer.concat([header, Buffer.from(context)]);

  return {
    seal(plaintext, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, sealingKey, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associated(context));
      return Buffer.concat([header, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },

    open(sealed, context) {
      if (sealed.length < OVERHEAD || Buffer.compare(sealed.subarray(0, HEADER_BYTES), header) !== 0) return undefined;
      const nonce = sealed.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
      const decipher = createDecipheriv(CIPHER, sealingKey, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(associated(context));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const ciphertext = sealed.subarray(HEADER_BYTES + NONCE_BYTES, -TAG_BYTES);
      try {
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
      } catch {
        return undefined;
      }
    },

    keyedHash(secret, context) {
      // the length keeps (context, secret) apart from any other split of the same text
      const hmac = createHmac('sha256', hashingKey).update(`${Buffer.byteLength(context)}:${context}:`);
      return hmac.update(secret).digest('hex');
    },
  };
}

/** Id (hex) of the platform key that something was sealed under, to name a wrong key; undefined when it is no box. */
export function sealedUnder(sealed: Uint8Array): string | undefined {
  if (sealed.length < OVERHEAD || sealed[0] !== VERSION) return undefined;
  return Buffer.from(sealed.subarray(1, HEADER_BYTES)).toString('hex');
}
