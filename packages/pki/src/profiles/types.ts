import type { KeyAlgorithm } from '../keys/index.ts';
import type { GeneralName } from '../names/index.ts';
import type { KeyUsage } from './oids.ts';

export type ProfileKind =
  | 'root'
  | 'issuingCa'
  | 'tlsServer'
  | 'intranetServer'
  | 'igtfHost'
  | 'tlsClient'
  | 'smime'
  | 'documentSigner'
  | 'ocspResponder'
  | 'ra';

/** How the subject was checked, as the policy identifier tells relying parties. */
export type ValidationLevel =
  | 'none'
  | 'domainValidated'
  | 'organizationValidated'
  | 'extendedValidation'
  | 'mailboxValidated'
  | 'naturalPerson'
  | 'legalPerson'
  | 'legalEntity';

/** Keys that share their permitted usages. */
export type UsageFamily = 'rsa' | 'ec' | 'ed25519' | 'mlDsa';

/** Attributes of the subject by attribute type (dotted OID); whatever is not listed is forbidden. */
export interface SubjectRule {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Of each of these lists at least one attribute must be there; all are in `optional` too. */
  readonly anyOf: readonly (readonly string[])[];
}

export interface SanRule {
  readonly kinds: readonly GeneralName['kind'][];
  readonly min: number;
  readonly max: number;
  /** DNS names may have `*` as their whole leftmost label. */
  readonly wildcards: boolean;
  /** Host names without a public registration and reserved addresses are refused. */
  readonly publicNamesOnly: boolean;
  /** Each commonName must be one of the subject alternative names. */
  readonly commonNameFromSan: boolean;
}

/** What certificates of one type contain and how long they last: pure data, so that a new type needs no code. */
export interface CertificateProfile {
  readonly id: string;
  readonly kind: ProfileKind;
  readonly validationLevel: ValidationLevel;
  readonly allowedKeys: readonly KeyAlgorithm[];
  readonly keyUsage: Readonly<Record<UsageFamily, readonly KeyUsage[]>>;
  /** Key purposes (dotted OIDs); empty leaves the extension out. */
  readonly extendedKeyUsage: readonly string[];
  /** Undefined leaves the extension out. */
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength?: number } | undefined;
  /** Policy identifiers (dotted OIDs); empty leaves the extension out. */
  readonly policies: readonly string[];
  readonly maxValidityDays: number;
  /** The CA/Browser Forum schedule for publicly trusted TLS applies on top of `maxValidityDays`. */
  readonly publicTlsSchedule: boolean;
  /** notBefore lies this long before issuance, for clients whose clocks are slow. */
  readonly backdateSeconds: number;
  readonly subject: SubjectRule;
  readonly san: SanRule;
  readonly subjectKeyIdentifier: boolean;
  /** What authorityInfoAccess names. */
  readonly authorityInfoAccess: 'none' | 'caIssuers' | 'ocspAndCaIssuers';
  readonly crlDistributionPoints: boolean;
  /** id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1). */
  readonly ocspNoCheck: boolean;
}
