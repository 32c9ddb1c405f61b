import type { Instant } from '../ports/world.ts';

export type OrderFamily = 'ssl' | 'signature' | 'private-pki' | 'smime';

/** Requirement kinds in the order in which the gates of any family stand (contract v2 section 6.1). */
export type RequirementKind =
  | 'organization'
  | 'mailbox'
  | 'identity'
  | 'documents'
  | 'dcv'
  | 'csr'
  | 'agreement'
  | 'approval';

export type SslLevel = 'dv' | 'ov' | 'ev';

/** What a product fixes about its orders: data, so that a new product needs no code. */
export interface ProductRules {
  /** Requirements that an order of the product has, in gate order. */
  readonly requirements: readonly RequirementKind[];
  /** `approval` closes by itself: always, with a right pre-vetting token, or only by an approver. */
  readonly approval: 'automatic' | 'preVetted' | 'manual';
  /** Certificate profile id of @certwright/pki. */
  readonly profileId: string;
  /** SSL: identity level, and which shapes of names the product takes. */
  readonly level: SslLevel | null;
  readonly wildcard: boolean;
  readonly multiDomain: boolean;
  /** Names beyond the primary one. */
  readonly maxAdditionalNames: number;
  /** Terms in years that can be ordered. */
  readonly years: readonly number[];
  /** Longest certificate, in days, below the limit of the profile; null leaves the profile's limit. */
  readonly maxCertificateDays: number | null;
  /** v2 variant or subject type that the product serves, e.g. `intranet-ssl`, `natural-person`. */
  readonly variant: string;
  /** CAA is checked before issuance. */
  readonly caa: boolean;
}

export interface CustomFieldDefinition {
  readonly fieldId: string;
  readonly name: string;
  readonly type: 'text' | 'dropdown' | 'datePicker' | 'checkbox';
  readonly maxLength: number | null;
  readonly mandatory: boolean;
  readonly values: readonly string[];
}

export interface ProductRecord {
  readonly id: number;
  /** Owner; null for the platform's own products, visible to every account. */
  readonly accountId: number | null;
  readonly code: string;
  /** Further codes that name the same product. */
  readonly aliases: readonly string[];
  readonly name: string;
  readonly family: OrderFamily;
  /** 1 document signer, 2 S/MIME, 3 SSL/TLS, 8 private PKI. */
  readonly categoryId: '1' | '2' | '3' | '8';
  /** Contract v2 section 7.4, e.g. `13` for DV SSL. */
  readonly typeId: string;
  readonly issuingCaId: number;
  readonly rules: ProductRules;
  /** Decimal text per year of term, keyed by years. */
  readonly prices: Readonly<Record<string, string>>;
  readonly customFields: readonly CustomFieldDefinition[];
  readonly status: 'active' | 'retired';
  readonly createdAt: Instant;
  readonly version: number;
}
