export {
  DEFAULT_LIMITS,
  DerError,
  type DerErrorCode,
  type DerLimits,
  DerReader,
  type DerValue,
  readSequence,
} from './read.ts';
export type { Der } from './write.ts';
export * as der from './write.ts';
