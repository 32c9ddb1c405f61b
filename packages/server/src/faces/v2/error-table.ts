/** How each error of the core reads in API v2 (contract section 3.3): HTTP status, slug of the type, EMS code. */
import type { ErrorCode } from '@certwright/core';

export interface ErrorEntry {
  readonly status: number;
  /** Last segment of the problem's type; also its code when there is no EMS code. */
  readonly slug: string;
  readonly ems?: `EMS-${string}`;
  /** Seconds to wait when the error itself does not say. */
  readonly retryAfter?: number;
}

const rule = (ems: `EMS-${string}`, slug: string): ErrorEntry => ({ status: 422, slug, ems });

const INVALID: ErrorEntry = { status: 400, slug: 'validation-error' };
const NOT_FOUND: ErrorEntry = { status: 404, slug: 'not-found' };
const FORBIDDEN: ErrorEntry = { status: 403, slug: 'forbidden' };
const UNAUTHORIZED: ErrorEntry = { status: 401, slug: 'unauthorized' };
const WRONG_STATE = rule('EMS-1165', 'invalid-order-state');

export const ERROR_TABLE = {
  'request.invalid': INVALID,
  'permission.denied': FORBIDDEN,
  notFound: NOT_FOUND,

  'idempotency.keyMissing': { status: 400, slug: 'idempotency-key-missing' },
  'idempotency.keyInvalid': { status: 400, slug: 'idempotency-key-invalid' },
  'idempotency.inProgress': { status: 409, slug: 'idempotency-key-in-progress', retryAfter: 1 },
  'idempotency.keyReused': { status: 422, slug: 'idempotency-key-reused' },

  'credential.invalid': UNAUTHORIZED,
  'credential.wrongMode': FORBIDDEN,
  'credential.locked': { status: 429, slug: 'rate-limited', retryAfter: 30 },
  'token.invalid': UNAUTHORIZED,
  'grant.invalid': UNAUTHORIZED,

  'product.invalid': rule('EMS-915', 'invalid-product-code'),
  'product.notProvisioned': rule('EMS-1162', 'product-not-provisioned'),

  'order.requestorMissing': rule('EMS-916', 'requestor-information-missing'),
  'order.subjectIncomplete': rule('EMS-916', 'subject-information-missing'),
  'order.certificateInformation': rule('EMS-917', 'certificate-information-missing'),
  'order.additionalInformation': rule('EMS-918', 'additional-information-missing'),
  'order.subscription': rule('EMS-919', 'subscription-information-missing'),
  'order.organizationMissing': rule('EMS-1180', 'validation-error'),
  'order.organizationUnknown': rule('EMS-1180', 'unknown-organization'),
  'order.sanLimit': rule('EMS-917', 'san-limit-exceeded'),
  'order.wrongState': WRONG_STATE,
  'order.notIssued': rule('EMS-1165', 'order-not-issued'),
  'order.cancelReasonMissing': rule('EMS-984', 'cancellation-remarks-missing'),
  'order.rejectReasonMissing': rule('EMS-964', 'rejection-remarks-missing'),
  'order.approvalNotOpen': WRONG_STATE,

  'agreement.notAccepted': rule('EMS-920', 'agreement-not-accepted'),
  'agreement.incomplete': rule('EMS-920', 'agreement-incomplete'),

  'csr.malformed': rule('EMS-921', 'invalid-csr'),
  'csr.keyRefused': rule('EMS-921', 'invalid-csr'),
  'csr.subjectMismatch': rule('EMS-922', 'csr-subject-mismatch'),

  'revocation.reasonRefused': rule('EMS-969', 'invalid-revoke-reason'),
  'revocation.reasonUnknown': INVALID,
  'hold.notAllowed': rule('EMS-969', 'invalid-revoke-reason'),

  'domain.nameEmpty': rule('EMS-1157', 'domain-name-missing'),
  'domain.nameRefused': rule('EMS-DOMAIN-003', 'domain-validation-failed'),
  'domain.registered': { status: 409, slug: 'domain-already-registered', ems: 'EMS-DOMAIN-002' },
  'domain.heldElsewhere': { status: 409, slug: 'domain-owned-by-other-organization', ems: 'EMS-DOMAIN-101' },
  'domain.inherited': { status: 409, slug: 'domain-inherited' },
  'domain.notRenewable': { status: 422, slug: 'domain-not-renewable' },
  'domain.inactive': rule('EMS-DOMAIN-003', 'domain-inactive'),
  'domain.skipCaaForbidden': FORBIDDEN,

  'dcv.methodMissing': rule('EMS-1158', 'dcv-method-missing'),
  'dcv.methodRefused': rule('EMS-1158', 'dcv-method-not-supported'),
  'dcv.nameNotOnOrder': { status: 422, slug: 'domain-not-on-order' },
  'dcv.alreadyVerified': rule('EMS-1080', 'domain-already-verified'),
  'dcv.challengeNotFound': rule('EMS-1160', 'dcv-failed'),
  'dcv.challengeMismatch': rule('EMS-1161', 'dcv-failed'),
  'dcv.challengeExpired': rule('EMS-1161', 'dcv-failed'),

  'caa.forbids': rule('EMS-DOMAIN-001', 'caa-forbids'),
  'caa.precheckFailed': rule('EMS-DOMAIN-103', 'caa-precheck-failed'),

  'organization.notVettable': { status: 422, slug: 'organization-not-vettable' },

  'ca.unknown': NOT_FOUND,
  'ca.importRefused': { status: 422, slug: 'ca-import-refused' },
  'issuance.refused': { status: 422, slug: 'issuance-refused' },

  conflict: { status: 409, slug: 'conflict', retryAfter: 1 },
  overloaded: { status: 503, slug: 'overloaded', retryAfter: 1 },
} as const satisfies Record<ErrorCode, ErrorEntry>;

/** Entries that replace the table's for one operation. */
export type ErrorExceptions = Partial<Record<ErrorCode, ErrorEntry>>;

/** A private host name is certificate data, not a domain of the register (contract section 3.3: EMS-917). */
export const PRIVATE_PKI_EXCEPTIONS: ErrorExceptions = {
  'domain.nameRefused': rule('EMS-917', 'certificate-information-missing'),
};

export function errorEntry(code: ErrorCode, exceptions: ErrorExceptions = {}): ErrorEntry {
  return exceptions[code] ?? ERROR_TABLE[code];
}
