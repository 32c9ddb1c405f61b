export { CrlBuilder, type CrlHeader, type CrlScope } from './builder.ts';
export { encodeCrlEntry } from './entry.ts';
export { type CertificateList, type CrlError, type CrlLimits, parseCrl, type RevokedCertificate } from './parse.ts';
export { type CrlReason, isCrlReason, REASON_CODE, reasonByCode } from './reasons.ts';
