import { readExtensions } from '../certificate/extensions.ts';
import { type Certificate, parseCertificate, verifyIssued } from '../certificate/index.ts';
import { type CrlReason, reasonByCode } from '../crl/index.ts';
import { DerError, type DerLimits, DerReader, readSequence } from '../der/index.ts';
import { verifySignature } from '../keys/index.ts';
import { EKU } from '../profiles/index.ts';
import { fail, ok, type Result } from '../result.ts';
import { type OcspCertId, readCertId, responderKeyHash } from './cert-id.ts';
import { OCSP_OID } from './oids.ts';
import { OCSP_ERROR_CODE, type OcspCertStatus, type OcspErrorStatus } from './response.ts';

export interface ParsedSingleResponse {
  readonly certId: OcspCertId;
  readonly status: OcspCertStatus;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
}

export interface BasicOcspResponse {
  readonly status: 'successful';
  /** The signed bytes. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** KeyHash of a byKey ResponderID; undefined when the responder is named. */
  readonly responderKeyHash: Uint8Array | undefined;
  /** DER Name of a byName ResponderID. */
  readonly responderName: Uint8Array | undefined;
  readonly producedAt: number;
  readonly responses: readonly ParsedSingleResponse[];
  readonly nonce: Uint8Array | undefined;
  readonly certificates: readonly Certificate[];
}

export type OcspResponse = BasicOcspResponse | { readonly status: OcspErrorStatus };

export interface OcspResponseError {
  readonly code: 'ocspResponse.malformed' | 'ocspResponse.unsupportedType';
  readonly detail: string;
}

const LIMITS: DerLimits = { maxBytes: 256 * 1024, maxDepth: 24 };
const MAX_RESPONSES = 64;
const MAX_CERTIFICATES = 8;

const malformed = (message: string): DerError => new DerError('der.badValue', 0, message);

function readReason(reader: DerReader): CrlReason {
  const reason = reasonByCode(reader.enumerated());
  if (reason === undefined) throw malformed('unknown reason code');
  return reason;
}

function readStatus(fields: DerReader): OcspCertStatus {
  const revoked = fields.optionalContext(1);
  if (revoked !== undefined) {
    const revokedAt = revoked.time();
    const explicit = revoked.optionalContext(0);
    const status = { kind: 'revoked', revokedAt } as const;
    return explicit === undefined ? status : { ...status, reason: readReason(explicit) };
  }
  const { tag, content } = fields.any();
  if (content.length > 0 || (tag !== 0x80 && tag !== 0x82)) throw malformed('unknown certificate status');
  return { kind: tag === 0x80 ? 'good' : 'unknown' };
}

function readSingle(list: DerReader): ParsedSingleResponse {
  const fields = list.sequence();
  const id = readCertId(fields);
  const status = readStatus(fields);
  const thisUpdate = fields.time();
  const nextUpdate = fields.optionalContext(0)?.time();
  const extensions = fields.optionalContext(1);
  if (extensions !== undefined) readExtensions(extensions);
  fields.end();
  return { certId: id, status, thisUpdate, nextUpdate };
}

function readMany<T>(list: DerReader, max: number, read: (list: DerReader) => T): T[] {
  const entries: T[] = [];
  while (!list.done) {
    if (entries.length === max) throw malformed(`more than ${max} elements`);
    entries.push(read(list));
  }
  return entries;
}

function readEmbeddedCertificate(list: DerReader): Certificate {
  const parsed = parseCertificate(list.any().bytes);
  if (!parsed.ok) throw malformed(parsed.error.code);
  return parsed.value;
}

function readNonce(extensions: DerReader | undefined): Uint8Array | undefined {
  if (extensions === undefined) return undefined;
  const value = readExtensions(extensions).find(({ oid }) => oid === OCSP_OID.nonce)?.value;
  return value === undefined ? undefined : new DerReader(value).octetString();
}

function readBasic(bytes: Uint8Array): BasicOcspResponse {
  const outer = readSequence(bytes, LIMITS);
  const tbs = outer.any().bytes;
  const signatureAlgorithm = outer.any().bytes;
  const signature = outer.bitString().bytes;
  const certificates = outer.optionalContext(0)?.sequence();
  outer.end();
  const fields = readSequence(tbs, LIMITS);
  if (fields.peek === 0xa0) fields.any();
  const byName = fields.optionalContext(1);
  const byKey = byName === undefined ? fields.enter(0xa2) : undefined;
  const producedAt = fields.time();
  const responses = readMany(fields.sequence(), MAX_RESPONSES, readSingle);
  const nonce = readNonce(fields.optionalContext(1));
  fields.end();
  return {
    status: 'successful',
    tbs,
    signatureAlgorithm,
    signature,
    responderKeyHash: byKey?.octetString(),
    responderName: byName?.any().bytes,
    producedAt,
    responses,
    nonce,
    certificates: certificates === undefined ? [] : readMany(certificates, MAX_CERTIFICATES, readEmbeddedCertificate),
  };
}

/** Reads an OCSPResponse (RFC 6960 section 4.2) strictly, for clients; the signature is for {@link verifyOcspResponse}. */
export function parseOcspResponse(bytes: Uint8Array): Result<OcspResponse, OcspResponseError> {
  try {
    const fields = readSequence(bytes, LIMITS);
    const code = fields.enumerated();
    if (code !== 0) {
      const statuses = Object.entries(OCSP_ERROR_CODE) as [OcspErrorStatus, number][];
      const status = statuses.find(([, value]) => value === code)?.[0];
      if (status === undefined) throw malformed('unknown response status');
      fields.end();
      return ok({ status });
    }
    const response = fields.enter(0xa0).sequence();
    if (response.oid() !== OCSP_OID.basicResponse) {
      return fail({ code: 'ocspResponse.unsupportedType', detail: 'not a basic response' });
    }
    return ok(readBasic(response.octetString()));
  } catch (error) {
    if (error instanceof DerError) return fail({ code: 'ocspResponse.malformed', detail: error.message });
    throw error;
  }
}

function isNamed(response: BasicOcspResponse, candidate: Certificate): boolean {
  const { responderKeyHash: keyHash, responderName } = response;
  if (keyHash !== undefined) return Buffer.compare(keyHash, responderKeyHash(candidate.spki)) === 0;
  return responderName !== undefined && Buffer.compare(responderName, candidate.subjectDer) === 0;
}

/**
 * Whether the response was signed by `issuer` itself or by a responder that it delegated with a certificate valid at `now`
 * (RFC 6960 section 4.2.2.2). Whether it is recent and about the right certificate is for the caller to see.
 */
export async function verifyOcspResponse(
  response: BasicOcspResponse,
  issuer: Certificate,
  now: number,
): Promise<boolean> {
  const signer = [issuer, ...response.certificates].find((candidate) => isNamed(response, candidate));
  if (signer === undefined) return false;
  if (signer !== issuer) {
    const inTime = now >= signer.notBefore && now < signer.notAfter + 1000;
    if (!inTime || !signer.extendedKeyUsage.includes(EKU.ocspSigning)) return false;
    if (!(await verifyIssued(signer, issuer))) return false;
  }
  return verifySignature(signer.spki, response.signatureAlgorithm, response.tbs, response.signature);
}
