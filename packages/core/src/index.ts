export type * from './api.ts';
export { type DomainError, domainError, ERROR_CODES, type ErrorCode, type FieldError } from './errors.ts';
export type { SigningPermit, SigningPurpose } from './issuance/permit.ts';
export type * from './ports/network.ts';
export * from './ports/store.ts';
export type * from './ports/world.ts';
export type * from './records/index.ts';
export type { CoreDependencies, CoreLog, CoreSettings, PublicSuffix } from './settings.ts';
export { type NonEmpty, unreachable } from './util.ts';
