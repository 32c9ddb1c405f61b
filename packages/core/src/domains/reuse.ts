/** How long a proof of domain control may be used (TLS BR 4.2.1; contract v2 section 8.5). */
import type { Instant } from '../ports/world.ts';
import type { DomainRecord } from '../records/index.ts';
import { strategyOf } from '../validation/strategies.ts';

const DAY_MS = 86_400_000;

/** Data reuse periods by the day a certificate is issued, newest first. */
const SCHEDULE: readonly { readonly from: Instant; readonly days: number }[] = [
  { from: Date.UTC(2029, 2, 15), days: 10 },
  { from: Date.UTC(2027, 2, 15), days: 100 },
];
const DAYS_UNTIL_THEN = 200;

/** Days a proof may be old at this moment. */
export const maxReuseDays = (at: Instant): number =>
  SCHEDULE.find((period) => at >= period.from)?.days ?? DAYS_UNTIL_THEN;

/** End of the reuse window of a proof made now: whole days, cut to midnight UTC. */
export function reuseEnd(verifiedAt: Instant, configuredDays: number): Instant {
  const days = Math.min(configuredDays, maxReuseDays(verifiedAt));
  return Math.floor((verifiedAt + days * DAY_MS) / DAY_MS) * DAY_MS;
}

/**
 * Whether the row is verified and the proof may still be used. A shorter reuse period that began since the proof was
 * made ends its use before `validTill`.
 */
export function isVerified(domain: DomainRecord, now: Instant): boolean {
  return (
    domain.status === 'active' &&
    domain.dcvStatus === 'verified' &&
    domain.validTill !== null &&
    domain.validTill > now &&
    domain.verifiedAt !== null &&
    domain.verifiedAt + maxReuseDays(now) * DAY_MS > now
  );
}

/** Whether the row proves control over its name, or over the wildcard of its name. */
export function isProven(domain: DomainRecord, name: { readonly wildcard: boolean }, now: Instant): boolean {
  if (!isVerified(domain, now)) return false;
  if (!name.wildcard) return true;
  // a wildcard takes a proof of its own name by a method that reaches that far
  return (
    domain.inheritedFrom === null &&
    domain.verifiedBy !== null &&
    strategyOf(domain.verifiedBy)?.provesWildcards === true
  );
}

/** The row as it is to be shown: a proof that may not be used any more counts as pending. */
export function asSeen(domain: DomainRecord, now: Instant): DomainRecord {
  return domain.dcvStatus === 'verified' && domain.status === 'active' && !isVerified(domain, now)
    ? { ...domain, dcvStatus: 'pending' }
    : domain;
}
