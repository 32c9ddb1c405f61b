import type { Instant } from '../ports/world.ts';

export type ValidationMethod = 'dns-txt' | 'http-url' | 'email' | 'dns-cname' | 'dns-persist';

export interface Challenge {
  readonly method: ValidationMethod;
  /** Value to publish: `emudhra-dcv-` + 32 hex for DNS, 32 hex for a file or mail. */
  readonly token: string;
  /** http-url: bare file name. */
  readonly fileName: string | null;
  readonly expiresAt: Instant;
}

export interface DomainRecord {
  readonly id: number;
  /** 48 base64url characters. */
  readonly publicId: string;
  readonly accountId: number;
  /** Owner; null when the account has no organization and an order brought the name in. */
  readonly organizationId: number | null;
  /** A-label, lower case, `*.` kept for a wildcard registered by itself. */
  readonly name: string;
  readonly status: 'active' | 'inactive';
  readonly dcvStatus: 'pending' | 'verified' | 'rejected';
  readonly method: ValidationMethod;
  /** At most one live challenge per method; the one of `method` is the main one. */
  readonly challenges: readonly Challenge[];
  readonly verifiedAt: Instant | null;
  readonly verifiedBy: ValidationMethod | null;
  readonly validTill: Instant | null;
  /** Ancestor from which the verification is inherited. */
  readonly inheritedFrom: number | null;
  readonly caaStatus: 'passed' | 'failed' | 'skipped' | 'unchecked';
  readonly skipCaa: boolean;
  readonly createdAt: Instant;
  readonly deactivatedAt: Instant | null;
  readonly version: number;
}

/** One validation attempt with everything that was asked and answered. */
export interface AttemptRecord {
  readonly id: number;
  readonly accountId: number;
  readonly domainId: number;
  readonly method: ValidationMethod;
  readonly outcome: 'verified' | 'failed' | 'pending';
  /** Null on success. */
  readonly failureClass: string | null;
  readonly diagnostics: AttemptDiagnostics;
  readonly at: Instant;
}

export interface PerspectiveFinding {
  readonly perspective: string;
  readonly region: string;
  readonly resolver: string;
  readonly ok: boolean;
  readonly failureClass: string | null;
  /** What was asked (record name or URL) and what came back, cut to a bounded length. */
  readonly asked: readonly string[];
  readonly found: readonly string[];
  readonly errorMessage: string;
}

export interface AttemptDiagnostics {
  readonly tokenIsStale: boolean;
  readonly expected: { readonly recordNames: readonly string[]; readonly value: string; readonly url: string | null };
  readonly findings: readonly PerspectiveFinding[];
}

/** Approval link of a validation mail; single use. */
export interface MailApprovalRecord {
  readonly id: number;
  /** Keyed hash of the token in the link. */
  readonly tokenHash: string;
  readonly accountId: number;
  readonly domainId: number;
  readonly recipient: string;
  readonly challengeToken: string;
  /** When the mail was asked for; the bound on mails to one recipient counts from here. */
  readonly requestedAt: Instant;
  readonly expiresAt: Instant;
  readonly approvedAt: Instant | null;
  readonly version: number;
}

/** An open order waits for a domain's verification. */
export interface OrderDomainRecord {
  readonly id: number;
  readonly orderId: number;
  readonly domainId: number;
}
