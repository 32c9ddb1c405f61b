import type { Instant } from '../ports/world.ts';

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Body text; empty for none. */
  readonly body: string;
}

/** Claim on an Idempotency-Key and, once the effect is committed, the answer to replay. */
export interface IdempotencyRecord {
  readonly id: number;
  /** SHA-256 hex over account, method, path and key. */
  readonly scope: string;
  /** SHA-256 hex over the normalised request. */
  readonly fingerprint: string;
  readonly answer: StoredAnswer | null;
  /** The claim may be taken over after this. */
  readonly leaseUntil: Instant;
  readonly expiresAt: Instant;
  readonly version: number;
}

export interface JobRecord {
  readonly id: number;
  readonly kind: string;
  /** At most one waiting job per key; null for no such limit. */
  readonly key: string | null;
  readonly payload: Readonly<Record<string, string | number | boolean | null>>;
  readonly runAt: Instant;
  readonly attempts: number;
  readonly leaseUntil: Instant | null;
  readonly lastError: string;
  readonly createdAt: Instant;
}

export type AuditOutcome = 'success' | 'failure' | 'denied';

/** What happened, as a use case states it; the store adds lane, sequence and hashes. */
export interface AuditDraft {
  readonly at: Instant;
  readonly accountId: number | null;
  /** E.g. `credential:17`, `system`, `operator`. */
  readonly actor: string;
  /** E.g. `rest-v2`, `manage`, `job`, `cli`. */
  readonly channel: string;
  /** Stable dotted code, e.g. `certificate.issued`. */
  readonly activity: string;
  readonly objectType: string;
  readonly objectId: string;
  readonly outcome: AuditOutcome;
  readonly requestId: string;
  readonly ip: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditRecord extends AuditDraft {
  /** Chain of one writing process. */
  readonly lane: string;
  /** 1, 2, … within the lane. */
  readonly sequence: number;
  /** Lower-case hex SHA-256. */
  readonly previousHash: string;
  readonly hash: string;
}

export interface SettingRecord {
  readonly id: number;
  readonly name: string;
  readonly value: string;
  readonly version: number;
}
