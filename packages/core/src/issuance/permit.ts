/**
 * A permit proves the order of steps: bytes were checked, linted and put on record before a key signs them.
 * It is made only inside `issuance` and by the status services, is bound to one key, and can be redeemed once.
 */
export type SigningPurpose = 'certificate' | 'crl' | 'ocspResponse';

const secret = Symbol('permit');

export class SigningPermit {
  readonly purpose: SigningPurpose;
  readonly keyId: number;
  readonly #bytes: Uint8Array;
  #spent = false;

  constructor(proof: symbol, purpose: SigningPurpose, keyId: number, bytes: Uint8Array) {
    if (proof !== secret) throw new Error('signing permits are made by the core only');
    this.purpose = purpose;
    this.keyId = keyId;
    this.#bytes = bytes;
  }

  /** The bytes to sign; spends the permit. Throws when it was spent before: that is a bug, not a refusal. */
  redeem(): Uint8Array {
    if (this.#spent) throw new Error('signing permit was spent before');
    this.#spent = true;
    return this.#bytes;
  }
}

/** For modules of the core that have recorded what they sign; not exported from the package. */
export function mintPermit(purpose: SigningPurpose, keyId: number, bytes: Uint8Array): SigningPermit {
  return new SigningPermit(secret, purpose, keyId, bytes);
}
