import { der } from '../der/index.ts';
import { type CrlReason, REASON_CODE } from './reasons.ts';

const DAY_MS = 86_400_000;
const UTC_TIME_STARTS = Date.UTC(1950, 0, 1);
const UTC_TIME_ENDS = Date.UTC(2050, 0, 1);
const { TAG } = der;

/** crlEntryExtensions with a reasonCode; the last octet is the code. */
const REASON_EXTENSION = der.sequence(der.sequence(der.oid('2.5.29.21'), der.octetString(der.enumerated(0))));

/** Two decimal digits for 0 to 99, ready to copy. */
const DIGITS = Buffer.from(Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0')).join(''), 'latin1');

/** An entry is never longer: 20 octets of serial and its sign, GeneralizedTime, reason, headers. */
export const MAX_ENTRY_BYTES = 64;

/** Octets of the date part (YYMMDD or YYYYMMDD) by day: the revocations of a CA lie within few years. */
const dates = new Map<number, Uint8Array>();
const MAX_DATES = 10_000;

function dateDigits(day: number, instant: number): Uint8Array {
  let digits = dates.get(day);
  if (digits === undefined) {
    const iso = new Date(instant).toISOString().slice(0, 10).replaceAll('-', '');
    const short = instant >= UTC_TIME_STARTS && instant < UTC_TIME_ENDS;
    digits = Uint8Array.from(Buffer.from(short ? iso.slice(2) : iso, 'latin1'));
    if (dates.size >= MAX_DATES) dates.clear();
    dates.set(day, digits);
  }
  return digits;
}

function writeDigits(target: Uint8Array, at: number, value: number): number {
  target[at] = DIGITS[value * 2] ?? 0;
  target[at + 1] = DIGITS[value * 2 + 1] ?? 0;
  return at + 2;
}

function writeTime(target: Uint8Array, offset: number, instant: number): number {
  const day = Math.floor(instant / DAY_MS);
  const date = dateDigits(day, instant);
  let at = offset;
  target[at++] = date.length === 6 ? TAG.utcTime : TAG.generalizedTime;
  target[at++] = date.length + 7;
  for (let i = 0; i < date.length; i++) target[at++] = date[i] ?? 0;
  const second = Math.floor((instant - day * DAY_MS) / 1000);
  at = writeDigits(target, at, Math.floor(second / 3600));
  at = writeDigits(target, at, Math.floor(second / 60) % 60);
  at = writeDigits(target, at, second % 60);
  target[at++] = 0x5a;
  return at;
}

/** Value of each hex digit by its character code, 255 for what is none. */
const HEX_DIGITS = new Uint8Array(128).fill(255);
for (let value = 0; value < 16; value++) {
  HEX_DIGITS[value.toString(16).charCodeAt(0)] = value;
  HEX_DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** By length. A million small arrays would cost more than the entries they are for. */
const SCRATCH = Array.from({ length: 33 }, (_, length) => new Uint8Array(length));

/**
 * Octets of hex text, valid until the next call.
 * @throws RangeError when it is no hex of at most 32 octets
 */
export function serialOctets(hex: string): Uint8Array {
  const octets = hex.length % 2 === 0 ? SCRATCH[hex.length / 2] : undefined;
  if (octets === undefined) throw new RangeError('a serial number has 1 to 20 octets');
  for (let i = 0; i < octets.length; i++) {
    const high = HEX_DIGITS[hex.charCodeAt(2 * i)] ?? 255;
    const low = HEX_DIGITS[hex.charCodeAt(2 * i + 1)] ?? 255;
    if ((high | low) > 15) throw new RangeError('a serial number is hex');
    octets[i] = high * 16 + low;
  }
  return octets;
}

/**
 * Writes one element of revokedCertificates into `target`, which must have {@link MAX_ENTRY_BYTES} left at `offset`; returns the
 * offset behind it. An entry stays below 128 octets, so its length takes one octet and is filled in afterwards.
 * @throws RangeError when the serial has more than 20 octets or none, or the instant lies outside years 1 to 9999
 */
export function writeCrlEntry(
  target: Uint8Array,
  offset: number,
  serial: Uint8Array,
  revokedAt: number,
  reason: CrlReason,
): number {
  let first = 0;
  while (first < serial.length - 1 && serial[first] === 0) first++;
  const length = serial.length - first;
  if (length < 1 || length > 20) throw new RangeError('a serial number has 1 to 20 octets');
  const sign = (serial[first] ?? 0) >= 0x80 ? 1 : 0;
  target[offset] = TAG.sequence;
  let at = offset + 2;
  target[at++] = TAG.integer;
  target[at++] = length + sign;
  if (sign === 1) target[at++] = 0;
  for (let i = first; i < serial.length; i++) target[at++] = serial[i] ?? 0;
  at = writeTime(target, at, revokedAt);
  const code = REASON_CODE[reason];
  // RFC 5280 section 5.3.1: leave the extension out instead of saying "unspecified".
  if (code !== 0) {
    for (let i = 0; i < REASON_EXTENSION.length; i++) target[at++] = REASON_EXTENSION[i] ?? 0;
    target[at - 1] = code;
  }
  target[offset + 1] = at - offset - 2;
  return at;
}

/**
 * DER of one element of revokedCertificates (RFC 5280 section 5.1.2.6): `serial` is a magnitude, `revokedAt` ms since the epoch,
 * cut to the second; reason `unspecified` is left out.
 * @throws RangeError as {@link writeCrlEntry}
 */
export function encodeCrlEntry(serial: Uint8Array, revokedAt: number, reason: CrlReason): Uint8Array {
  const buffer = Buffer.allocUnsafe(MAX_ENTRY_BYTES);
  return buffer.subarray(0, writeCrlEntry(buffer, 0, serial, revokedAt, reason));
}
