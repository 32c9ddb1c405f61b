import {
  encodeAuthorityKeyIdentifier,
  encodeDistributionPointName,
  encodeExtension,
} from '../certificate/extensions.ts';
import type { IssuerContext } from '../certificate/index.ts';
import { type Der, der } from '../der/index.ts';
import { signatureAlgorithmFor } from '../keys/index.ts';
import { EXTENSION } from '../profiles/index.ts';
import { MAX_ENTRY_BYTES, serialOctets, writeCrlEntry } from './entry.ts';
import type { CrlReason } from './reasons.ts';

export interface CrlHeader {
  readonly issuer: IssuerContext;
  /** cRLNumber: rises with every CRL of the issuer (RFC 5280 section 5.2.3). */
  readonly number: number | bigint;
  /** Milliseconds since the epoch, cut to the second. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Makes the CRL one of a partition: the critical issuingDistributionPoint names its scope (section 5.2.5). */
  readonly scope?: CrlScope;
}

export interface CrlScope {
  /** The URL that certificates of the partition carry. */
  readonly distributionPoint?: string;
  readonly onlyContainsUserCerts?: boolean;
  readonly onlyContainsCaCerts?: boolean;
}

/** A typical entry: 16 octets of serial and its sign, UTCTime, reason. */
const TYPICAL_ENTRY_BYTES = 50;
/** Room in front of the entries for everything that precedes them; more is needed only with a very long issuer name. */
const HEADROOM = 1024;
/** Room behind the entries for extensions and signature (ML-DSA-87: 4,627 octets). */
const TAILROOM = 8192;
const VERSION_2 = der.integer(1);
const USER_CERTS = 1;
const CA_CERTS = 2;

/** Memory that other threads can be given without a copy; it is taken up as far as it is written to. */
const sharedBuffer = (bytes: number): Buffer => Buffer.from(new SharedArrayBuffer(bytes));

const concatLength = (parts: readonly Der[]): number => parts.reduce((sum, part) => sum + part.length, 0);

function encodeScope({ distributionPoint, onlyContainsUserCerts, onlyContainsCaCerts }: CrlScope): Der {
  const fields: Der[] = [];
  if (distributionPoint !== undefined) fields.push(encodeDistributionPointName(distributionPoint));
  if (onlyContainsUserCerts === true) fields.push(der.contextPrimitive(USER_CERTS, Uint8Array.of(0xff)));
  if (onlyContainsCaCerts === true) fields.push(der.contextPrimitive(CA_CERTS, Uint8Array.of(0xff)));
  return encodeExtension(EXTENSION.issuingDistributionPoint, true, der.sequence(...fields));
}

function encodeExtensions({ issuer, number, scope }: CrlHeader): Der {
  const extensions = [
    encodeAuthorityKeyIdentifier(issuer.keyIdentifier),
    encodeExtension(EXTENSION.crlNumber, false, der.integer(number)),
  ];
  if (scope !== undefined) extensions.push(encodeScope(scope));
  return der.context(0, der.sequence(...extensions));
}

/** Tag and length of a SEQUENCE whose content has `length` octets. */
function sequenceHeader(length: number): Der {
  const header = Buffer.alloc(der.headerLength(length));
  der.writeHeader(header, 0, der.TAG.sequence, length);
  return header;
}

/**
 * Writes a CRL v2 of any size into one growing buffer: entries first, then the header into room left in front of them, then
 * extensions and signature behind. Nothing is kept per entry and the list is not copied once more to be signed.
 * Use it once: `add` …, `finish`, sign the bytes, `seal`.
 */
export class CrlBuilder {
  #buffer: Buffer;
  #end = HEADROOM;
  #entries = 0;
  #tbsStart: number | undefined;
  #signatureAlgorithm: Der = new Uint8Array();

  /** With the number of entries known, the buffer is allocated once. */
  constructor(expectedEntries = 0) {
    this.#buffer = sharedBuffer(HEADROOM + expectedEntries * TYPICAL_ENTRY_BYTES + TAILROOM);
  }

  get entries(): number {
    return this.#entries;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const larger = sharedBuffer(Math.max(Math.ceil(this.#buffer.length * 1.5), this.#end + bytes));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Puts the parts in front of what is there from `start` on; returns the new start. */
  #prepend(start: number, parts: readonly Der[]): number {
    const length = concatLength(parts);
    let at = start - length;
    if (at < 0) {
      const shift = HEADROOM - at;
      this.#reserve(shift);
      this.#buffer.copyWithin(start + shift, start, this.#end);
      this.#end += shift;
      at += shift;
    }
    const first = at;
    for (const part of parts) {
      this.#buffer.set(part, at);
      at += part.length;
    }
    return first;
  }

  /**
   * Adds a revoked certificate: `serial` is a magnitude, as octets or as hex of two digits an octet; `revokedAt` ms since
   * the epoch.
   * @throws RangeError for a serial of more than 20 octets or none, or after `finish`
   */
  add(serial: Uint8Array | string, revokedAt: number, reason: CrlReason): void {
    if (this.#tbsStart !== undefined) throw new RangeError('the CRL is finished');
    this.#reserve(MAX_ENTRY_BYTES);
    const octets = typeof serial === 'string' ? serialOctets(serial) : serial;
    this.#end = writeCrlEntry(this.#buffer, this.#end, octets, revokedAt, reason);
    this.#entries++;
  }

  /** Completes the TBSCertList; `tbs` is a view into the builder's buffer, valid until `seal`. */
  finish(header: CrlHeader): { readonly tbs: Uint8Array } {
    if (this.#tbsStart !== undefined) throw new RangeError('the CRL is finished');
    const { issuer, thisUpdate, nextUpdate } = header;
    const listLength = this.#end - HEADROOM;
    this.#signatureAlgorithm = signatureAlgorithmFor(issuer.keyAlgorithm).derAlgorithmIdentifier;
    const extensions = encodeExtensions(header);
    const front = [VERSION_2, this.#signatureAlgorithm, issuer.nameDer, der.time(thisUpdate), der.time(nextUpdate)];
    // An empty revokedCertificates must be absent (RFC 5280 section 5.1.2.6).
    if (listLength > 0) front.push(sequenceHeader(listLength));
    front.unshift(sequenceHeader(concatLength(front) + listLength + extensions.length));
    this.#append(extensions);
    const start = this.#prepend(HEADROOM, front);
    this.#tbsStart = start;
    return { tbs: this.#buffer.subarray(start, this.#end) };
  }

  /** The CertificateList: puts the signature behind the bytes that `finish` gave, in the same buffer. */
  seal(signature: Uint8Array): Uint8Array {
    if (this.#tbsStart === undefined) throw new RangeError('finish the CRL first');
    this.#append(this.#signatureAlgorithm);
    this.#append(der.bitString(signature));
    const start = this.#prepend(this.#tbsStart, [sequenceHeader(this.#end - this.#tbsStart)]);
    return this.#buffer.subarray(start, this.#end);
  }
}
