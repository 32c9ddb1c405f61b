import type { Instant } from '../ports/world.ts';

export interface AccountSettings {
  /** Order creates must carry an Idempotency-Key. */
  readonly requireIdempotencyKey: boolean;
  /** Answer 200 with the resource where the contract has 204. */
  readonly alwaysReturnRepresentation: boolean;
  /** The signed-key way of getting a token (contract v2 section 2.1) is open. */
  readonly signedKeyTokens: boolean;
  /** Domains may be registered with `skipCAA`. */
  readonly maySkipCaa: boolean;
}

export interface AccountRecord {
  readonly id: number;
  /** Ten digits. */
  readonly number: string;
  readonly name: string;
  readonly status: 'active' | 'suspended' | 'expired';
  readonly currency: string;
  readonly settings: AccountSettings;
  readonly createdAt: Instant;
  readonly version: number;
}

export interface GroupRecord {
  readonly id: number;
  readonly accountId: number;
  /** Ten digits. */
  readonly number: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly status: 'active' | 'inactive';
  /** The group has a balance of its own instead of the account's. */
  readonly ownBalance: boolean;
  /** Decimal text, two places. */
  readonly balance: string;
  /** Product codes that may be ordered in the group; null means all of the account's. */
  readonly productCodes: readonly string[] | null;
  readonly createdAt: Instant;
  readonly version: number;
}

export type Role = 'administrator' | 'manager' | 'standard' | 'auditor';

export interface UserRecord {
  readonly id: number;
  readonly accountId: number;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly status: 'active' | 'deactivated';
  readonly createdAt: Instant;
  readonly version: number;
}

export interface Representative {
  readonly number: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly designation: string;
}

export type OrganizationValidation = 'pending' | 'validated' | 'rejected' | 'cancelled' | 'expired' | 'discrepancy';
export type VettedFor = 'ov' | 'ev' | 'smime';

export interface OrganizationRecord {
  readonly id: number;
  readonly accountId: number;
  /** Opaque id shown by domain rows. */
  readonly publicId: string;
  /** Seven digits. */
  readonly number: string;
  readonly name: string;
  readonly street1: string;
  readonly street2: string;
  readonly locality: string;
  readonly stateName: string;
  readonly stateCode: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string;
  readonly registrationNumber: string;
  /** EV: jurisdiction of incorporation, ISO 3166-1 alpha-2, empty when unknown. */
  readonly jurisdictionCountry: string;
  /** EV business category, empty when unknown. */
  readonly businessCategory:
    | ''
    | 'Private Organization'
    | 'Government Entity'
    | 'Business Entity'
    | 'Non-Commercial Entity';
  readonly status: 'active' | 'inactive' | 'expired';
  readonly validation: OrganizationValidation;
  readonly vettedFor: readonly VettedFor[];
  readonly vettedAt: Instant | null;
  /** Subject identity data may be reused until then (398 days). */
  readonly vettedUntil: Instant | null;
  /** Keyed hash of the pre-vetting token; null when there is none. */
  readonly preVettingTokenHash: string | null;
  readonly agreement: { readonly signerName: string; readonly place: string; readonly signedAt: Instant } | null;
  readonly representatives: readonly Representative[];
  readonly createdAt: Instant;
  readonly version: number;
}
