import { decodeExtensions, readDistributionPointUrls, readExtensions } from '../certificate/extensions.ts';
import { type CertificateExtension, serialText } from '../certificate/index.ts';
import { DerError, type DerLimits, DerReader, der, readSequence } from '../der/index.ts';
import { type DistinguishedName, readName } from '../names/index.ts';
import { EXTENSION } from '../profiles/index.ts';
import { fail, ok, type Result } from '../result.ts';
import type { CrlScope } from './builder.ts';
import { type CrlReason, reasonByCode } from './reasons.ts';

export interface CrlError {
  readonly code: 'crl.tooLarge' | 'crl.malformed' | 'crl.badVersion' | 'crl.algorithmMismatch' | 'crl.tooManyEntries';
  readonly detail: string;
}

export interface RevokedCertificate {
  /** Lower-case hex without leading zero octets. */
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly revokedAt: number;
  readonly reason: CrlReason;
}

export interface CertificateList {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly issuerDer: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly revoked: readonly RevokedCertificate[];
  /** cRLNumber in lower-case hex. */
  readonly number: string | undefined;
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  readonly scope: CrlScope | undefined;
  readonly extensions: readonly CertificateExtension[];
}

export interface CrlLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

const DEFAULT_CRL_LIMITS: CrlLimits = { maxBytes: 128 * 1024 * 1024, maxEntries: 2_000_000 };
const MAX_DEPTH = 16;

/** Raised inside this module only; {@link parseCrl} turns it into its error value. */
class CrlRefusal extends Error {
  readonly problem: CrlError;
  constructor(code: CrlError['code'], detail: string) {
    super(detail);
    this.problem = { code, detail };
  }
}

function readInteger(value: Uint8Array): Uint8Array {
  const reader = new DerReader(value);
  const content = reader.integerBytes();
  reader.end();
  return content;
}

function readReason(extensions: readonly CertificateExtension[]): CrlReason {
  const value = extensions.find(({ oid }) => oid === EXTENSION.reasonCode)?.value;
  if (value === undefined) return 'unspecified';
  const reader = new DerReader(value);
  const reason = reasonByCode(reader.enumerated());
  reader.end();
  if (reason === undefined) throw new DerError('der.badValue', 0, 'unknown reason code');
  return reason;
}

function readEntry(list: DerReader): RevokedCertificate {
  const fields = list.sequence();
  const serial = serialText(fields.integerBytes());
  const revokedAt = fields.time();
  const reason = fields.done ? 'unspecified' : readReason(readExtensions(fields));
  fields.end();
  return { serial, revokedAt, reason };
}

const flag = (content: Uint8Array | undefined): boolean => content?.[0] === 0xff;

function readScope(value: Uint8Array): CrlScope {
  const fields = readSequence(value);
  const [distributionPoint] = readDistributionPointUrls(fields);
  const onlyContainsUserCerts = flag(fields.optionalContextPrimitive(1));
  const onlyContainsCaCerts = flag(fields.optionalContextPrimitive(2));
  return distributionPoint === undefined
    ? { onlyContainsUserCerts, onlyContainsCaCerts }
    : { distributionPoint, onlyContainsUserCerts, onlyContainsCaCerts };
}

const nextIs = (reader: DerReader, tag: number): boolean => reader.peek === tag;

type Body = Omit<CertificateList, 'der' | 'tbs' | 'signature'>;

function readTbs(tbs: Uint8Array, limits: DerLimits, maxEntries: number): Body {
  const fields = readSequence(tbs, limits);
  if (!nextIs(fields, der.TAG.integer) || fields.smallInteger() !== 1) {
    throw new CrlRefusal('crl.badVersion', 'version must be 2');
  }
  const signatureAlgorithm = fields.any().bytes;
  const issuerDer = fields.any().bytes;
  const thisUpdate = fields.time();
  const hasNextUpdate = nextIs(fields, der.TAG.utcTime) || nextIs(fields, der.TAG.generalizedTime);
  const nextUpdate = hasNextUpdate ? fields.time() : undefined;
  const revoked: RevokedCertificate[] = [];
  if (nextIs(fields, der.TAG.sequence)) {
    const list = fields.sequence();
    do {
      if (revoked.length === maxEntries) throw new CrlRefusal('crl.tooManyEntries', `more than ${maxEntries} entries`);
      revoked.push(readEntry(list));
    } while (!list.done);
  }
  const explicit = fields.optionalContext(0);
  fields.end();
  const extensions = explicit === undefined ? [] : readExtensions(explicit);
  explicit?.end();
  const value = (oid: string): Uint8Array | undefined => extensions.find((entry) => entry.oid === oid)?.value;
  const number = value(EXTENSION.crlNumber);
  const scope = value(EXTENSION.issuingDistributionPoint);
  return {
    signatureAlgorithm,
    issuer: readName(new DerReader(issuerDer)),
    issuerDer,
    thisUpdate,
    nextUpdate,
    revoked,
    number: number === undefined ? undefined : serialText(readInteger(number)),
    authorityKeyIdentifier: decodeExtensions(extensions).authorityKeyIdentifier,
    scope: scope === undefined ? undefined : readScope(scope),
    extensions,
  };
}

/** Reads a CRL v2 (DER) strictly, entries and all; the signature is not verified. Views into the input are kept. */
export function parseCrl(bytes: Uint8Array, limits: CrlLimits = DEFAULT_CRL_LIMITS): Result<CertificateList, CrlError> {
  const derLimits: DerLimits = { maxBytes: limits.maxBytes, maxDepth: MAX_DEPTH };
  try {
    const fields = readSequence(bytes, derLimits);
    const tbs = fields.any().bytes;
    const outerAlgorithm = fields.any().bytes;
    const signature = fields.bitString().bytes;
    fields.end();
    const body = readTbs(tbs, derLimits, limits.maxEntries);
    if (Buffer.compare(body.signatureAlgorithm, outerAlgorithm) !== 0) {
      throw new CrlRefusal('crl.algorithmMismatch', 'the two signature algorithms differ');
    }
    return ok({ ...body, der: bytes, tbs, signature });
  } catch (error) {
    if (error instanceof CrlRefusal) return fail(error.problem);
    if (error instanceof DerError) {
      return fail({ code: error.code === 'der.tooLarge' ? 'crl.tooLarge' : 'crl.malformed', detail: error.message });
    }
    throw error;
  }
}
