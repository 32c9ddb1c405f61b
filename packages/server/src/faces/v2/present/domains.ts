/** Rows of the domain register as API v2 shows them. */
import type { AttemptRecord, DomainRecord, DomainView, Instant, VerificationView } from '@certwright/core';
import type { Static } from 'typebox';
import { optional } from '../operation.ts';
import type {
  DcvAttempt,
  DcvAttemptSummary,
  DcvVerificationResult,
  Domain,
  DomainDeactivation,
  DomainSummary,
} from '../schemas/domains.ts';
import { rfc3339 } from '../time-format.ts';
import { domainDcv } from './challenges.ts';
import { diagnosticsOf } from './diagnostics.ts';
import { domainStatus } from './orders.ts';

type DcvStatus = 'VERIFIED' | 'PENDING' | 'REJECTED';

const DCV_STATUS = { verified: 'VERIFIED', pending: 'PENDING', rejected: 'REJECTED' } as const;

/** After `validTill` control has to be proved anew. */
export function dcvStatus(row: DomainRecord, now: Instant): DcvStatus {
  return row.dcvStatus === 'verified' && domainStatus(row, now) === 'EXPIRED' ? 'PENDING' : DCV_STATUS[row.dcvStatus];
}

const nullableTime = (at: Instant | null): string | null => (at === null ? null : rfc3339(at));

export function domainSummary(view: DomainView, now: Instant): Static<typeof DomainSummary> {
  const { domain, organization } = view;
  const status = domainStatus(domain, now);
  return {
    domainId: domain.publicId,
    domainName: domain.name,
    ...optional('organizationId', organization?.publicId),
    ...optional('organizationName', organization?.name),
    status,
    domainStatus: status,
    dcvStatus: dcvStatus(domain, now),
    dcvMethod: domain.method,
    isWildcard: domain.name.startsWith('*.'),
    createdAt: rfc3339(domain.createdAt),
    verifiedAt: nullableTime(domain.verifiedAt),
    validTill: nullableTime(domain.validTill),
  };
}

export const domainDetail = (view: DomainView, now: Instant): Static<typeof Domain> => ({
  ...domainSummary(view, now),
  ...(view.challenge === null ? {} : { dcv: domainDcv(view.challenge) }),
  autoVerify: view.autoVerify,
});

/** The answer to a renewal names the method only; the token is fetched separately. */
export const renewedDomain = (view: DomainView, now: Instant): Static<typeof Domain> => ({
  ...domainSummary(view, now),
  dcv: { method: view.domain.method },
  autoVerify: view.autoVerify,
});

export const domainDeactivation = ({ domain }: DomainView): Static<typeof DomainDeactivation> => ({
  domainId: domain.publicId,
  domainName: domain.name,
  status: 'INACTIVE',
  domainStatus: 'INACTIVE',
  ...optional('deactivatedAt', domain.deactivatedAt === null ? undefined : rfc3339(domain.deactivatedAt)),
  message: 'Domain deactivated; existing certificates stay valid.',
});

export function verificationResult(
  { domain, attempt }: VerificationView,
  now: Instant,
): Static<typeof DcvVerificationResult> {
  const status = dcvStatus(domain, now);
  const verifiedAt = status === 'VERIFIED' && domain.verifiedAt !== null ? rfc3339(domain.verifiedAt) : undefined;
  return {
    overallStatus: status,
    status,
    method: attempt?.method ?? domain.verifiedBy ?? domain.method,
    ...optional('verifiedAt', verifiedAt),
    ...optional('validatedAt', verifiedAt),
    ...(attempt === null
      ? {}
      : { diagnostics: diagnosticsOf(attempt, { domainId: domain.publicId, domainName: domain.name }) }),
  };
}

const OVERALL = { verified: 'VERIFIED', failed: 'FAILED', pending: 'PENDING' } as const;

export const attemptSummary = (attempt: AttemptRecord): Static<typeof DcvAttemptSummary> => ({
  attemptId: String(attempt.id),
  attemptedAt: rfc3339(attempt.at),
  method: attempt.method,
  overallStatus: OVERALL[attempt.outcome],
  failureClass: attempt.failureClass,
});

export const attemptDetail = (attempt: AttemptRecord, domain: DomainRecord): Static<typeof DcvAttempt> => ({
  ...attemptSummary(attempt),
  domainId: domain.publicId,
  status: attempt.outcome === 'verified' ? 'VERIFIED' : 'PENDING',
  diagnostics: diagnosticsOf(attempt, { domainId: domain.publicId, domainName: domain.name }),
});
