import { encodeExtension } from '../certificate/extensions.ts';
import { type CrlReason, REASON_CODE } from '../crl/index.ts';
import { type Der, der } from '../der/index.ts';
import { OCSP_OID } from './oids.ts';
import { encodeNonce } from './request.ts';

export type OcspCertStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly revokedAt: number; readonly reason?: CrlReason }
  | { readonly kind: 'unknown' };

/** Answer about one certificate; times in ms since the epoch, cut to the second. */
export interface OcspSingleResponse {
  /** DER CertID, best the client's own bytes. */
  readonly certId: Uint8Array;
  readonly status: OcspCertStatus;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
}

export interface OcspResponseInput {
  /** SHA-1 over the responder's key bits: `responderKeyHash`. */
  readonly responderKeyHash: Uint8Array;
  readonly producedAt: number;
  readonly responses: readonly OcspSingleResponse[];
  /** The client's nonce, repeated. */
  readonly nonce?: Uint8Array;
  /** Says that certificates that were never issued are answered as revoked (RFC 6960 section 4.4.8). */
  readonly extendedRevoke?: boolean;
}

/** Responses without an answer, by their responseStatus (RFC 6960 section 4.2.1). */
export type OcspErrorStatus = 'malformedRequest' | 'internalError' | 'tryLater' | 'sigRequired' | 'unauthorized';

export const OCSP_ERROR_CODE: Readonly<Record<OcspErrorStatus, number>> = {
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
};

const GOOD = der.contextPrimitive(0, new Uint8Array());
const UNKNOWN = der.contextPrimitive(2, new Uint8Array());
const SUCCESSFUL = der.enumerated(0);
const EXTENDED_REVOKE = encodeExtension(OCSP_OID.extendedRevoke, false, der.nullValue());

function encodeStatus(status: OcspCertStatus): Der {
  switch (status.kind) {
    case 'good':
      return GOOD;
    case 'unknown':
      return UNKNOWN;
    case 'revoked': {
      const { revokedAt, reason } = status;
      const time = der.generalizedTime(revokedAt);
      if (reason === undefined || reason === 'unspecified') return der.context(1, time);
      return der.context(1, time, der.context(0, der.enumerated(REASON_CODE[reason])));
    }
  }
}

const encodeSingle = ({ certId, status, thisUpdate, nextUpdate }: OcspSingleResponse): Der =>
  der.sequence(
    certId,
    encodeStatus(status),
    der.generalizedTime(thisUpdate),
    der.context(0, der.generalizedTime(nextUpdate)),
  );

/** DER of the ResponseData to sign (RFC 6960 section 4.2.1), with the responder named by its key. */
export function buildOcspResponseData(input: OcspResponseInput): Uint8Array {
  const extensions: Der[] = [];
  if (input.nonce !== undefined) extensions.push(encodeNonce(input.nonce));
  if (input.extendedRevoke === true) extensions.push(EXTENDED_REVOKE);
  const fields = [
    der.context(2, der.octetString(input.responderKeyHash)),
    der.generalizedTime(input.producedAt),
    der.sequence(...input.responses.map(encodeSingle)),
  ];
  if (extensions.length > 0) fields.push(der.context(1, der.sequence(...extensions)));
  return der.sequence(...fields);
}

/**
 * DER of a successful OCSPResponse from signed ResponseData. `signatureAlgorithm` is the complete AlgorithmIdentifier; the
 * responder's certificate goes along when a delegated responder signed, so that clients can check it.
 */
export function assembleOcspResponse(
  tbs: Uint8Array,
  signatureAlgorithm: Uint8Array,
  signature: Uint8Array,
  responderCertificate?: Uint8Array,
): Uint8Array {
  const fields = [tbs, signatureAlgorithm, der.bitString(signature)];
  if (responderCertificate !== undefined) fields.push(der.context(0, der.sequence(responderCertificate)));
  const basic = der.octetString(der.sequence(...fields));
  return der.sequence(SUCCESSFUL, der.context(0, der.sequence(der.oid(OCSP_OID.basicResponse), basic)));
}

/** DER of an OCSPResponse that carries no answer. */
export const ocspErrorResponse = (status: OcspErrorStatus): Uint8Array =>
  der.sequence(der.enumerated(OCSP_ERROR_CODE[status]));
