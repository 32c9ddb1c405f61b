/** Records of validation attempts and what they mean for the caller. */
import { type Actor, auditEntry } from '../audit/draft.ts';
import { type DomainError, domainError, type ErrorCode } from '../errors.ts';
import type { Instant } from '../ports/world.ts';
import type { AttemptRecord, AuditDraft, Challenge, DomainRecord } from '../records/index.ts';
import type { FailureClass } from '../validation/failure-class.ts';
import { expectedOf, type Observation } from '../validation/observation.ts';
import type { ValidationStrategy } from '../validation/strategy.ts';
import { provedName } from './names.ts';

/** What was found out about a challenge, whoever brought it. */
export interface Proof {
  readonly strategy: ValidationStrategy;
  /** Undefined when none was issued. */
  readonly challenge: Challenge | undefined;
  readonly observation: Observation;
}

const MISMATCHES: readonly string[] = ['TOKEN_MISMATCH', 'HTTP_TOO_LARGE'] satisfies FailureClass[];

export function attemptRecord(id: number, domain: DomainRecord, proof: Proof, at: Instant): AttemptRecord {
  const { strategy, challenge, observation } = proof;
  const expectation = challenge === undefined ? undefined : { name: provedName(domain.name), challenge };
  return {
    id,
    accountId: domain.accountId,
    domainId: domain.id,
    method: strategy.method,
    outcome: observation.outcome,
    failureClass: observation.failureClass,
    diagnostics: {
      tokenIsStale: observation.failureClass === 'TOKEN_EXPIRED',
      expected: expectedOf(strategy, expectation),
      findings: observation.findings,
    },
    at,
  };
}

export const attemptAudit = (actor: Actor, domain: DomainRecord, attempt: AttemptRecord): AuditDraft =>
  auditEntry(actor, attempt.at, {
    activity: 'dcv.attempt',
    objectType: 'domain',
    objectId: domain.publicId,
    accountId: domain.accountId,
    outcome: attempt.outcome === 'failed' ? 'failure' : 'success',
    details: {
      name: domain.name,
      method: attempt.method,
      attempt: attempt.id,
      outcome: attempt.outcome,
      failureClass: attempt.failureClass,
      perspectives: attempt.diagnostics.findings.map(({ perspective, resolver, ok, asked, found }) => ({
        perspective,
        resolver,
        ok,
        asked,
        found,
      })),
    },
  });

function errorCode(failureClass: string | null): ErrorCode {
  if (failureClass === 'TOKEN_EXPIRED') return 'dcv.challengeExpired';
  return failureClass !== null && MISMATCHES.includes(failureClass) ? 'dcv.challengeMismatch' : 'dcv.challengeNotFound';
}

function detailOf(domain: DomainRecord, attempt: AttemptRecord, isIssued: boolean): string {
  if (attempt.diagnostics.tokenIsStale) {
    return `The challenge of ${domain.name} has expired or was replaced; read the new one and publish it`;
  }
  if (!isIssued) return `${domain.name} has no challenge for ${attempt.method} yet; read it first`;
  const failed = attempt.diagnostics.findings.find((finding) => !finding.ok);
  return `${domain.name}: ${failed?.errorMessage ?? 'the challenge was not found'}`;
}

/** The error that a failed attempt is for the caller; it carries the attempt. */
export function attemptError(domain: DomainRecord, attempt: AttemptRecord): DomainError {
  const { recordNames, url } = attempt.diagnostics.expected;
  const isIssued = recordNames.length > 0 || url !== null;
  return domainError(errorCode(attempt.failureClass), detailOf(domain, attempt, isIssued), { diagnostics: attempt });
}
