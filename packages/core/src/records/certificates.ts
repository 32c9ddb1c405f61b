import type { KeyAlgorithm } from '@certwright/pki';
import type { Instant } from '../ports/world.ts';

/** RFC 5280 section 5.3.1 names. */
export type RevocationReason =
  | 'unspecified'
  | 'keyCompromise'
  | 'cACompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'privilegeWithdrawn'
  | 'aACompromise';

/** `prepared`: on record, not signed yet. Expiry is a matter of `notAfter`, not of the state. */
export type CertificateState = 'prepared' | 'valid' | 'hold' | 'revoked' | 'abandoned';

export interface CertificateRecord {
  readonly id: number;
  readonly accountId: number;
  readonly groupId: number;
  readonly orderId: number;
  readonly caId: number;
  /** Lower-case hex, two digits an octet, without leading zero octets. */
  readonly serial: string;
  readonly state: CertificateState;
  /** To-be-signed bytes; kept until the signed certificate is stored. */
  readonly tbs: Uint8Array | null;
  /** The certificate; null while prepared. */
  readonly der: Uint8Array | null;
  readonly profileId: string;
  /** Primary name or display name. */
  readonly label: string;
  /** Names for search, lower case. */
  readonly names: readonly string[];
  readonly keyAlgorithm: KeyAlgorithm;
  /** Lower-case hex. */
  readonly spkiSha256: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly crlPartition: number;
  readonly revokedAt: Instant | null;
  readonly revocationReason: RevocationReason | null;
  readonly downloadedAt: Instant | null;
  /** A process that signs holds the lease until then; afterwards another may finish the work. */
  readonly leaseUntil: Instant | null;
  readonly createdAt: Instant;
  readonly version: number;
}

export interface KeyRecord {
  readonly id: number;
  readonly algorithm: KeyAlgorithm;
  readonly spki: Uint8Array;
  /** PKCS#8 sealed under the platform key. */
  readonly sealedPrivateKey: Uint8Array;
  readonly createdAt: Instant;
}

export interface CrlSettings {
  /** 1: one full CRL; more: the certificates name their partition's CRL, the full one is served too. */
  readonly partitions: number;
  readonly lifetimeMs: number;
}

export interface CaRecord {
  readonly id: number;
  /** Path segment of the status URLs, e.g. `issuing-1`. */
  readonly slug: string;
  readonly name: string;
  readonly kind: 'root' | 'issuing';
  /** Null for a root, and for an imported CA whose parent is not on record. */
  readonly parentId: number | null;
  readonly certificate: Uint8Array;
  /** Certificates above it, nearest first, root last; empty for a root. */
  readonly chain: readonly Uint8Array[];
  /** Null when only the certificate is known. */
  readonly keyId: number | null;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly status: 'active' | 'retired';
  readonly crl: CrlSettings;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly createdAt: Instant;
  readonly version: number;
}

/** OCSP signer of a CA (delegated responder, RFC 6960 section 4.2.2.2). */
export interface ResponderRecord {
  readonly id: number;
  readonly caId: number;
  readonly keyId: number;
  readonly certificateId: number;
  readonly der: Uint8Array | null;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly createdAt: Instant;
  readonly version: number;
}

/** Published CRL: `partition` 0 is the full list. Its DER is kept apart, in {@link CrlPieceRecord}s. */
export interface CrlRecord {
  readonly id: number;
  readonly caId: number;
  readonly partition: number;
  readonly number: number;
  /** Hash of the to-be-signed bytes, recorded before signing; lower-case hex SHA-256. */
  readonly tbsSha256: string;
  /** Octets of its DER; null until it is signed and all its pieces are stored. */
  readonly size: number | null;
  readonly entries: number;
  readonly thisUpdate: Instant;
  readonly nextUpdate: Instant;
  readonly createdAt: Instant;
  readonly version: number;
}

/** Part of a CRL's DER: a list of a million entries (50 MB) in one row would hold up every other commit. */
export interface CrlPieceRecord {
  readonly id: number;
  readonly crlId: number;
  /** 0, 1, … in the order of the octets. */
  readonly position: number;
  readonly octets: Uint8Array;
}
