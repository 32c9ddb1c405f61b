/**
 * The domain's errors: values with a stable code. Faces map each code to their own words in one table;
 * `detail` is safe for the caller and says what to do.
 */

export const ERROR_CODES = [
  // requests
  'request.invalid',
  'permission.denied',
  'notFound',
  // idempotency
  'idempotency.keyMissing',
  'idempotency.keyInvalid',
  'idempotency.inProgress',
  'idempotency.keyReused',
  // credentials
  'credential.invalid',
  'credential.wrongMode',
  'credential.locked',
  'token.invalid',
  'grant.invalid',
  // catalog
  'product.invalid',
  'product.notProvisioned',
  // orders
  'order.requestorMissing',
  'order.subjectIncomplete',
  'order.certificateInformation',
  'order.additionalInformation',
  'order.subscription',
  'order.organizationMissing',
  'order.organizationUnknown',
  'order.sanLimit',
  'order.wrongState',
  'order.notIssued',
  'order.cancelReasonMissing',
  'order.rejectReasonMissing',
  'order.approvalNotOpen',
  'agreement.notAccepted',
  'agreement.incomplete',
  'csr.malformed',
  'csr.subjectMismatch',
  'csr.keyRefused',
  'revocation.reasonRefused',
  'revocation.reasonUnknown',
  'hold.notAllowed',
  // domains and validation
  'domain.nameEmpty',
  'domain.nameRefused',
  'domain.registered',
  'domain.heldElsewhere',
  'domain.inherited',
  'domain.notRenewable',
  'domain.inactive',
  'domain.skipCaaForbidden',
  'dcv.methodMissing',
  'dcv.methodRefused',
  'dcv.nameNotOnOrder',
  'dcv.alreadyVerified',
  'dcv.challengeNotFound',
  'dcv.challengeMismatch',
  'dcv.challengeExpired',
  'caa.forbids',
  'caa.precheckFailed',
  // organizations
  'organization.notVettable',
  // authorities
  'ca.unknown',
  'ca.importRefused',
  'issuance.refused',
  // platform
  'conflict',
  'overloaded',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface FieldError {
  /** Path of the member, e.g. `certificate.domain`. */
  readonly field: string;
  readonly message: string;
}

export interface DomainError {
  readonly code: ErrorCode;
  /** Plain words for the caller; never a secret, never an internal. */
  readonly detail: string;
  readonly fields?: readonly FieldError[];
  readonly retryAfterMs?: number;
  /** Id of the other object that is in the way (`domain.heldElsewhere`). */
  readonly existingId?: string;
  /** What a validation asked and found. */
  readonly diagnostics?: import('./records/domains.ts').AttemptRecord;
}

/** Builds an error value. */
export function domainError(
  code: ErrorCode,
  detail: string,
  more: Omit<DomainError, 'code' | 'detail'> = {},
): DomainError {
  return { code, detail, ...more };
}
