/** Transaction signatures of DNS messages (TSIG, RFC 8945) with HMAC-SHA-256 and HMAC-SHA-512 (RFC 4635). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { CLASS, TSIG_ERROR, TYPE } from './constants.ts';
import { type DnsMessage, encodeRecord } from './message.ts';
import { DnsFormatError, encodeName, readName } from './name.ts';

/** A client may ask for a longer window; the server does not grant it (RFC 8945 section 10 recommends 300 s). */
const MAX_FUDGE_SECONDS = 300;
const HASHES = { 'hmac-sha256': 'sha256', 'hmac-sha512': 'sha512' } as const;

export type TsigAlgorithm = keyof typeof HASHES;

export interface TsigKey {
  /** Canonical name. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Buffer;
}

interface TsigFields {
  readonly keyName: string;
  readonly algorithmName: string;
  /** Seconds since 1970. */
  readonly timeSigned: number;
  readonly fudge: number;
  readonly mac: Buffer;
  readonly originalId: number;
}

export type TsigVerdict =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'valid'; readonly fields: TsigFields }
  | { readonly kind: 'refused'; readonly error: number; readonly fields: TsigFields };

/**
 * Checks the signature of a request in the order of RFC 8945 section 5.2: key, MAC, time. `nowSeconds` is real time.
 * Throws {@link DnsFormatError} when the TSIG record itself is malformed.
 */
export function verifyTsig(bytes: Buffer, message: DnsMessage, key: TsigKey, nowSeconds: number): TsigVerdict {
  if (!message.tsig) return { kind: 'unsigned' };
  const fields = parseFields(message.tsig.record);
  const refused = (error: number): TsigVerdict => ({ kind: 'refused', error, fields });
  if (fields.keyName !== key.name || fields.algorithmName !== key.algorithm) return refused(TSIG_ERROR.BADKEY);

  // The signature covers the message as it was before the record was appended.
  const unsigned = Buffer.from(bytes.subarray(0, message.tsig.offset));
  unsigned.writeUInt16BE(fields.originalId, 0);
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  const expected = computeMac(key, [unsigned, encodeVariables(fields, 0, Buffer.alloc(0))]);
  const minimum = Math.max(10, expected.length / 2);
  if (fields.mac.length > expected.length || fields.mac.length < minimum) throw new DnsFormatError('bad MAC length');
  if (!timingSafeEqual(expected.subarray(0, fields.mac.length), fields.mac)) return refused(TSIG_ERROR.BADSIG);
  const window = Math.min(fields.fudge, MAX_FUDGE_SECONDS);
  if (Math.abs(nowSeconds - fields.timeSigned) > window) return refused(TSIG_ERROR.BADTIME);
  return fields.mac.length < expected.length ? refused(TSIG_ERROR.BADTRUNC) : { kind: 'valid', fields };
}

/** Most bytes that {@link signReply} adds. */
export function signatureBytes({ fields }: { readonly fields: TsigFields }): number {
  return encodeName(fields.keyName).length + encodeName(fields.algorithmName).length + 10 + 16 + 64 + 6;
}

/**
 * Appends the TSIG record to the reply of a signed request. After BADKEY and BADSIG there is no trusted key, so the
 * MAC is empty; BADTIME is signed, repeats the request's time and tells the server's (RFC 8945 sections 5.3.2, 5.4).
 */
export function signReply(
  reply: Buffer,
  verdict: Exclude<TsigVerdict, { kind: 'unsigned' }>,
  key: TsigKey,
  nowSeconds: number,
): Buffer {
  const { fields } = verdict;
  const error = verdict.kind === 'refused' ? verdict.error : 0;
  const isBadTime = error === TSIG_ERROR.BADTIME;
  const other = isBadTime ? encodeTime(nowSeconds) : Buffer.alloc(0);
  const timeSigned = isBadTime ? fields.timeSigned : nowSeconds;
  const answer = { ...fields, timeSigned, fudge: MAX_FUDGE_SECONDS, originalId: reply.readUInt16BE(0) };
  const hasMac = error !== TSIG_ERROR.BADKEY && error !== TSIG_ERROR.BADSIG;
  const mac = hasMac
    ? computeMac(key, [encodeUint16(fields.mac.length), fields.mac, reply, encodeVariables(answer, error, other)])
    : Buffer.alloc(0);
  const rdata = Buffer.concat([
    encodeName(fields.algorithmName),
    encodeTime(timeSigned),
    encodeUint16(answer.fudge),
    encodeUint16(mac.length),
    mac,
    encodeUint16(answer.originalId),
    encodeUint16(error),
    encodeUint16(other.length),
    other,
  ]);
  const record = encodeRecord({ name: fields.keyName, type: TYPE.TSIG, class: CLASS.ANY, ttl: 0, rdata }, undefined);
  const signed = Buffer.concat([reply, record]);
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10);
  return signed;
}

function parseFields(record: { name: string; class: number; ttl: number; rdata: Buffer }): TsigFields {
  const { rdata } = record;
  if (record.class !== CLASS.ANY || record.ttl !== 0) throw new DnsFormatError('bad TSIG record');
  const { name: algorithmName, next: at } = readName(rdata, 0);
  if (at + 16 > rdata.length) throw new DnsFormatError('TSIG record too short');
  const macEnd = at + 10 + rdata.readUInt16BE(at + 8);
  if (macEnd + 6 > rdata.length || macEnd + 6 + rdata.readUInt16BE(macEnd + 4) !== rdata.length) {
    throw new DnsFormatError('TSIG record has the wrong length');
  }
  return {
    keyName: record.name,
    algorithmName,
    timeSigned: rdata.readUIntBE(at, 6),
    fudge: rdata.readUInt16BE(at + 6),
    mac: rdata.subarray(at + 10, macEnd),
    originalId: rdata.readUInt16BE(macEnd),
  };
}

/** "TSIG variables" of RFC 8945 section 4.3.3. */
function encodeVariables(
  fields: Pick<TsigFields, 'keyName' | 'algorithmName' | 'timeSigned' | 'fudge'>,
  error: number,
  other: Buffer,
): Buffer {
  return Buffer.concat([
    encodeName(fields.keyName),
    encodeUint16(CLASS.ANY),
    Buffer.alloc(4), // TTL
    encodeName(fields.algorithmName),
    encodeTime(fields.timeSigned),
    encodeUint16(fields.fudge),
    encodeUint16(error),
    encodeUint16(other.length),
    other,
  ]);
}

function computeMac(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(HASHES[key.algorithm], key.secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function encodeUint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** 48 bits of seconds. */
function encodeTime(seconds: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(seconds, 0, 6);
  return bytes;
}
