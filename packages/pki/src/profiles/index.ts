export { usageFamily } from './key-usage.ts';
export { ACCESS_METHOD, EKU, EXTENSION, KEY_USAGE_BIT, type KeyUsage, POLICY } from './oids.ts';
export { certificateProfile, PROFILES } from './table.ts';
export type { CertificateProfile, ProfileKind, SanRule, SubjectRule, UsageFamily, ValidationLevel } from './types.ts';
export { maxValidityDays, recommendedNotAfter, validityLimit } from './validity.ts';
