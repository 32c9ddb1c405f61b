import type { Instant } from '../ports/world.ts';

export interface CredentialRecord {
  readonly id: number;
  readonly accountId: number;
  /** Null: not bound to one group. */
  readonly groupId: number | null;
  readonly userId: number;
  readonly type: 'REST';
  readonly authType: 'accessKey' | 'oauth';
  readonly label: string;
  /** Keyed hash of the secret. */
  readonly secretHash: string;
  /** Access key sealed, because the signed-key proof recomputes a hash over it; null for OAuth. */
  readonly sealedSecret: Uint8Array | null;
  readonly status: 'active' | 'suspended' | 'revoked';
  readonly expiresAt: Instant | null;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | null;
  readonly version: number;
}

/** Access token with the refresh token issued beside it. */
export interface TokenRecord {
  readonly id: number;
  readonly credentialId: number;
  readonly accountId: number;
  /** Keyed hashes. */
  readonly accessHash: string;
  readonly refreshHash: string;
  /** Id of the first token of a refresh chain. */
  readonly familyId: number;
  readonly authType: 'oauth2' | 'legacy';
  readonly state: 'live' | 'spent' | 'revoked';
  readonly expiresAt: Instant;
  readonly refreshExpiresAt: Instant;
  readonly createdAt: Instant;
  readonly version: number;
}

/** Transaction number of a signed-key proof, kept while it could be replayed. */
export interface ProofRecord {
  readonly id: number;
  readonly accountId: number;
  readonly txn: string;
  readonly expiresAt: Instant;
}
