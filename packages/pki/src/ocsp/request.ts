import { encodeExtension, readExtensions } from '../certificate/extensions.ts';
import { type Der, DerError, type DerLimits, DerReader, der, readSequence } from '../der/index.ts';
import { fail, ok, type Result } from '../result.ts';
import { type OcspCertId, readCertId } from './cert-id.ts';
import { MAX_NONCE, OCSP_OID } from './oids.ts';

export interface OcspRequest {
  /** 1 to 16 certificates asked for, in order. */
  readonly certIds: readonly OcspCertId[];
  /** 1 to 128 octets, or undefined when the client sent none. */
  readonly nonce: Uint8Array | undefined;
}

/** Each of these is answered with `malformedRequest`. */
export interface OcspError {
  readonly code:
    | 'ocsp.tooLarge'
    | 'ocsp.malformed'
    | 'ocsp.tooManyCertIds'
    | 'ocsp.badNonce'
    | 'ocsp.criticalExtension';
  readonly detail: string;
}

const LIMITS: DerLimits = { maxBytes: 16 * 1024, maxDepth: 16 };
const MAX_CERT_IDS = 16;

/** Raised inside this module only; {@link parseOcspRequest} turns it into its error value. */
class OcspRefusal extends Error {
  readonly problem: OcspError;
  constructor(code: OcspError['code'], detail: string) {
    super(detail);
    this.problem = { code, detail };
  }
}

function readNonce(value: Uint8Array): Uint8Array {
  let nonce: Uint8Array;
  try {
    const reader = new DerReader(value);
    nonce = reader.octetString();
    reader.end();
  } catch (error) {
    if (error instanceof DerError) throw new OcspRefusal('ocsp.badNonce', 'nonce is no OCTET STRING');
    throw error;
  }
  if (nonce.length < 1 || nonce.length > MAX_NONCE) {
    throw new OcspRefusal('ocsp.badNonce', `nonce of ${nonce.length} octets where 1 to ${MAX_NONCE} are allowed`);
  }
  return nonce;
}

function readSingleRequest(list: DerReader): OcspCertId {
  const fields = list.sequence();
  const id = readCertId(fields);
  const explicit = fields.optionalContext(0);
  fields.end();
  if (explicit !== undefined && readExtensions(explicit).some(({ critical }) => critical)) {
    throw new OcspRefusal('ocsp.criticalExtension', 'unknown critical extension');
  }
  return id;
}

function readRequest(bytes: Uint8Array): OcspRequest {
  const outer = readSequence(bytes, LIMITS);
  const fields = outer.sequence();
  // A signature proves nothing that the answer depends on (RFC 6960 section 4.1.2), so it is passed over.
  if (outer.peek === 0xa0) outer.any();
  outer.end();
  const version = fields.optionalContext(0);
  if (version !== undefined && version.smallInteger() !== 0)
    throw new OcspRefusal('ocsp.malformed', 'version must be 1');
  if (fields.peek === 0xa1) fields.any();
  const list = fields.sequence();
  const certIds: OcspCertId[] = [];
  do {
    if (certIds.length === MAX_CERT_IDS) {
      throw new OcspRefusal('ocsp.tooManyCertIds', `more than ${MAX_CERT_IDS} certificates`);
    }
    certIds.push(readSingleRequest(list));
  } while (!list.done);
  const explicit = fields.optionalContext(2);
  fields.end();
  if (explicit === undefined) return { certIds, nonce: undefined };
  let nonce: Uint8Array | undefined;
  for (const { oid, critical, value } of readExtensions(explicit)) {
    if (oid === OCSP_OID.nonce) nonce = readNonce(value);
    else if (critical) throw new OcspRefusal('ocsp.criticalExtension', 'unknown critical extension');
  }
  return { certIds, nonce };
}

/** Reads an OCSPRequest (RFC 6960 section 4.1, nonce RFC 9654) of at most 16 KiB strictly. */
export function parseOcspRequest(bytes: Uint8Array): Result<OcspRequest, OcspError> {
  try {
    return ok(readRequest(bytes));
  } catch (error) {
    if (error instanceof OcspRefusal) return fail(error.problem);
    if (error instanceof DerError) {
      return fail({ code: error.code === 'der.tooLarge' ? 'ocsp.tooLarge' : 'ocsp.malformed', detail: error.message });
    }
    throw error;
  }
}

/** The nonce extension, as requests and responses carry it: an OCTET STRING inside extnValue. */
export const encodeNonce = (nonce: Uint8Array): Der => encodeExtension(OCSP_OID.nonce, false, der.octetString(nonce));

/** DER of an unsigned OCSPRequest for one or more CertIDs (from `certId`), for clients. */
export function encodeOcspRequest(certIds: readonly Uint8Array[], nonce?: Uint8Array): Uint8Array {
  const list = der.sequence(...certIds.map((id) => der.sequence(id)));
  const fields = nonce === undefined ? [list] : [list, der.context(2, der.sequence(encodeNonce(nonce)))];
  return der.sequence(der.sequence(...fields));
}

/**
 * The request inside the path of a GET (RFC 6960 appendix A.1): `tail` is what follows the responder's URL. Takes the
 * base64 percent-encoded or not, with slashes in front; undefined when it is not base64.
 */
export function ocspRequestFromPath(tail: string): Uint8Array | undefined {
  if (tail.length > 3 * LIMITS.maxBytes) return undefined;
  let text: string;
  try {
    // The first octet of a request is 30, its base64 starts with M: slashes in front only come from joined URLs.
    text = decodeURIComponent(tail).replace(/^\/+/, '');
  } catch {
    return undefined;
  }
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(padded)) return undefined;
  return Buffer.from(padded, 'base64');
}
