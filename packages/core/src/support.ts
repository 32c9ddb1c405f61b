import type { CallContext } from './api.ts';
import { type DomainError, domainError } from './errors.ts';
import type { Random } from './ports/world.ts';

/** Decimal digits without a leading zero, uniformly random: numbers shown to clients. */
export function randomDigits(random: Random, length: number): string {
  let digits = '';
  while (digits.length < length) {
    const octets = random.bytes(length * 2);
    for (let at = 0; at < octets.length && digits.length < length; at++) {
      const octet = octets[at] ?? 0;
      // 250 is the largest multiple of ten below 256: no digit is favoured
      if (octet < 250 && (octet % 10 !== 0 || digits.length > 0)) digits += octet % 10;
    }
  }
  return digits;
}

/** Lower-case hex of `bytes` random octets. */
export const randomHex = (random: Random, bytes: number): string => Buffer.from(random.bytes(bytes)).toString('hex');

/** Base64url of `bytes` random octets. */
export const randomToken = (random: Random, bytes: number): string =>
  Buffer.from(random.bytes(bytes)).toString('base64url');

/** Refusal when the caller's role is read-only. */
export function refuseReadOnly(ctx: CallContext): DomainError | undefined {
  return ctx.caller.role === 'auditor'
    ? domainError('permission.denied', 'This credential may only read; use one of a user who may order')
    : undefined;
}

/** How often a change is tried again after another process changed the same row. */
export const MAX_ATTEMPTS = 6;

/** Adds calendar years to an instant (29 February becomes 28 February where needed). */
export function addYears(instant: number, years: number): number {
  const at = new Date(instant);
  const month = at.getUTCMonth();
  at.setUTCFullYear(at.getUTCFullYear() + years);
  if (at.getUTCMonth() !== month) at.setUTCDate(0);
  return at.getTime();
}

/** Map that forgets its oldest entries beyond `limit`; reading refreshes. */
export class BoundedMap<K, V> {
  readonly #map = new Map<K, V>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: K): V | undefined {
    const value = this.#map.get(key);
    if (value !== undefined) {
      this.#map.delete(key);
      this.#map.set(key, value);
    }
    return value;
  }

  set(key: K, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size > this.#limit) {
      const oldest = this.#map.keys().next();
      if (!oldest.done) this.#map.delete(oldest.value);
    }
  }

  delete(key: K): void {
    this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }

  entries(): IterableIterator<[K, V]> {
    return this.#map.entries();
  }
}
