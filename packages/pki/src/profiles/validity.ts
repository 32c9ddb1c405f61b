import type { CertificateProfile } from './types.ts';

const DAY_MS = 86_400_000;

/** Days a publicly trusted TLS certificate may last by date of issuance (TLS Baseline Requirements 6.3.2), newest first. */
const PUBLIC_TLS_SCHEDULE: readonly { readonly from: number; readonly days: number }[] = [
  { from: Date.UTC(2029, 2, 15), days: 47 },
  { from: Date.UTC(2027, 2, 15), days: 100 },
  { from: Date.UTC(2026, 2, 15), days: 200 },
];

/** The limit before the schedule begins, in force since 2020-09-01. */
const PUBLIC_TLS_DAYS_BEFORE = 398;

/** Longest validity in days for a certificate of the profile that is issued at `issuedAtMs` (ms since the epoch). */
export function maxValidityDays(profile: CertificateProfile, issuedAtMs: number): number {
  if (!profile.publicTlsSchedule) return profile.maxValidityDays;
  const period = PUBLIC_TLS_SCHEDULE.find(({ from }) => issuedAtMs >= from);
  return Math.min(profile.maxValidityDays, period?.days ?? PUBLIC_TLS_DAYS_BEFORE);
}

/**
 * The latest notAfter (an instant, ms since the epoch) of a certificate of the profile that begins at `notBeforeMs`.
 *
 * A validity period includes both ends (RFC 5280 section 4.1.2.5) and the Baseline Requirements count its
 * seconds, so 200 days end one second before the 200th day is over. Which step of the schedule rules is decided
 * by the time of issuance, which lies `backdateSeconds` after notBefore.
 */
export function validityLimit(profile: CertificateProfile, notBeforeMs: number): number {
  const start = Math.floor(notBeforeMs / 1000) * 1000;
  const days = maxValidityDays(profile, start + profile.backdateSeconds * 1000);
  return start + days * DAY_MS - 1000;
}

/**
 * The latest notAfter that raises no warning: of publicly trusted TLS certificates a day before {@link validityLimit}, for the
 * Baseline Requirements (6.3.2) say that certificates SHOULD NOT use up the limit; of others the limit itself.
 */
export function recommendedNotAfter(profile: CertificateProfile, notBeforeMs: number): number {
  const limit = validityLimit(profile, notBeforeMs);
  return profile.publicTlsSchedule ? limit - DAY_MS : limit;
}
