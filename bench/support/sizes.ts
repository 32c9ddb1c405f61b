import type { SeedSpec } from '../seed.ts';

/** Stores that the rows share. */
export const SMALL: SeedSpec = { certificates: 100_000, revoked: 10_000 };
export const LARGE: SeedSpec = { certificates: 1_000_000, revoked: 100_000 };
export const ALL_REVOKED: SeedSpec = { certificates: 1_000_000, revoked: 1_000_000 };

/** For `--quick`: the same shape, a hundredth of the size. */
export const quickly = ({ certificates, revoked }: SeedSpec): SeedSpec => ({
  certificates: certificates / 100,
  revoked: revoked / 100,
});
