import { hash } from 'node:crypto';
import { fail, ok, type Result } from '../result.ts';

/** Keys that must not be certified. */
export interface Blocklist {
  /** SHA-256 of SubjectPublicKeyInfo, lower-case hex. */
  readonly spkiSha256: ReadonlySet<string>;
  /** {@link debianFingerprint} of RSA moduli. */
  readonly debian: ReadonlySet<string>;
}

export interface BlocklistError {
  readonly code: 'blocklist.badLine' | 'blocklist.tooLong';
  readonly detail: string;
  /** Counted from 1. */
  readonly line: number;
}

const MAX_LINES = 5_000_000;

/**
 * Fingerprint of an RSA modulus in the lists of Debian's openssl-blacklist: the last 80 bits, as hex, of SHA-1 over the
 * line that `openssl rsa -modulus` prints. SHA-1 is the format's choice; it names keys here, it protects nothing.
 */
export function debianFingerprint(modulus: Uint8Array): string {
  const hex = Buffer.from(modulus.buffer, modulus.byteOffset, modulus.byteLength).toString('hex').toUpperCase();
  return hash('sha1', `Modulus=${hex}\n`, 'hex').slice(20);
}

/**
 * Parses the text of a block list: one key a line, `#` starts a comment. A line is the SHA-256 of a SubjectPublicKeyInfo (64 hex digits),
 * or a fingerprint of Debian's openssl-blacklist (20 hex digits, or the 40 of the whole SHA-1). Formats may be mixed.
 */
export function parseBlocklist(text: string): Result<Blocklist, BlocklistError> {
  const spkiSha256 = new Set<string>();
  const debian = new Set<string>();
  let line = 0;
  for (let start = 0; start <= text.length; ) {
    line++;
    if (line > MAX_LINES) return fail({ code: 'blocklist.tooLong', detail: `more than ${MAX_LINES} lines`, line });
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const entry = text
      .slice(start, Math.min(end, start + 256))
      .replace(/#.*/, '')
      .trim()
      .toLowerCase();
    start = end + 1;
    if (entry === '') continue;
    if (/^[0-9a-f]{64}$/.test(entry)) spkiSha256.add(entry);
    else if (/^(?:[0-9a-f]{20})?[0-9a-f]{20}$/.test(entry)) debian.add(entry.slice(-20));
    else return fail({ code: 'blocklist.badLine', detail: '64, 40 or 20 hexadecimal digits expected', line });
  }
  return ok({ spkiSha256, debian });
}

/** Hooks of a `KeyPolicy` that look keys up in a list. */
export function blockedBy(list: Blocklist): {
  readonly blocked: (spkiSha256Hex: string) => boolean;
  readonly debianWeak: (fingerprintHex: string) => boolean;
} {
  return {
    blocked: (fingerprint) => list.spkiSha256.has(fingerprint),
    debianWeak: (fingerprint) => list.debian.has(fingerprint),
  };
}
