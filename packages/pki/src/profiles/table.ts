import { KEY_ALGORITHMS, type KeyAlgorithm } from '../keys/index.ts';
import { ATTRIBUTE_OID, type AttributeKey } from '../names/index.ts';
import { CA_USAGE, DOCUMENT_USAGE, DUAL_USAGE, SIGNATURE_USAGE, TLS_USAGE } from './key-usage.ts';
import { EKU, POLICY } from './oids.ts';
import type { CertificateProfile, SanRule, SubjectRule, ValidationLevel } from './types.ts';

/** Keys that browsers' root programs accept. */
const PUBLIC_KEYS: readonly KeyAlgorithm[] = ['rsa-2048', 'rsa-3072', 'rsa-4096', 'ec-p256', 'ec-p384'];

const BACKDATE_SECONDS = 300;

function subject(
  required: readonly AttributeKey[],
  optional: readonly AttributeKey[],
  anyOf: readonly (readonly AttributeKey[])[] = [],
): SubjectRule {
  const oids = (keys: readonly AttributeKey[]): string[] => keys.map((key) => ATTRIBUTE_OID[key]);
  return { required: oids(required), optional: oids([...optional, ...anyOf.flat()]), anyOf: anyOf.map(oids) };
}

const NO_SAN: SanRule = {
  kinds: [],
  min: 0,
  max: 0,
  wildcards: false,
  publicNamesOnly: false,
  commonNameFromSan: false,
};

/** A certificate of an end entity with everything that most profiles share. */
const END_ENTITY = {
  validationLevel: 'none',
  allowedKeys: KEY_ALGORITHMS,
  extendedKeyUsage: [],
  basicConstraints: { ca: false },
  policies: [],
  publicTlsSchedule: false,
  backdateSeconds: BACKDATE_SECONDS,
  subjectKeyIdentifier: true,
  authorityInfoAccess: 'ocspAndCaIssuers',
  crlDistributionPoints: true,
  ocspNoCheck: false,
} as const;

const ANY_ORGANIZATION: readonly AttributeKey[] = ['C', 'ST', 'L', 'street', 'postalCode', 'O', 'OU', 'serialNumber'];
const ANY_HOST_SUBJECT = subject([], [...ANY_ORGANIZATION, 'DC', 'UID', 'CN', 'emailAddress']);

/** The limits of a CA follow TLS Baseline Requirements 6.3.2 (root: at most 25 years). */
const CA = {
  validationLevel: 'none',
  allowedKeys: KEY_ALGORITHMS,
  keyUsage: CA_USAGE,
  extendedKeyUsage: [],
  publicTlsSchedule: false,
  backdateSeconds: BACKDATE_SECONDS,
  subject: subject(['CN'], ['C', 'ST', 'L', 'O', 'OU', 'DC', 'serialNumber', 'organizationIdentifier']),
  san: NO_SAN,
  subjectKeyIdentifier: true,
  ocspNoCheck: false,
} as const;

const ROOT: CertificateProfile = {
  ...CA,
  id: 'root',
  kind: 'root',
  basicConstraints: { ca: true },
  policies: [],
  maxValidityDays: 9132,
  authorityInfoAccess: 'none',
  crlDistributionPoints: false,
};

const ISSUING_CA: CertificateProfile = {
  ...CA,
  id: 'issuing-ca',
  kind: 'issuingCa',
  basicConstraints: { ca: true, pathLength: 0 },
  policies: [POLICY.any],
  maxValidityDays: 5479,
  authorityInfoAccess: 'ocspAndCaIssuers',
  crlDistributionPoints: true,
};

/** Subscriber certificates of the TLS Baseline Requirements (7.1.2.7); wildcards and many names are a matter of the order. */
function publicTls(
  id: string,
  validationLevel: ValidationLevel,
  policy: string,
  subjectRule: SubjectRule,
  wildcards: boolean,
): CertificateProfile {
  return {
    ...END_ENTITY,
    id,
    kind: 'tlsServer',
    validationLevel,
    allowedKeys: PUBLIC_KEYS,
    // keyEncipherment beside it would only serve cipher suites without forward secrecy and is not recommended (7.1.2.7.11).
    keyUsage: SIGNATURE_USAGE,
    extendedKeyUsage: [EKU.serverAuth],
    policies: [policy],
    maxValidityDays: 398,
    publicTlsSchedule: true,
    subject: subjectRule,
    san: { kinds: ['dns', 'ip'], min: 1, max: 1000, wildcards, publicNamesOnly: true, commonNameFromSan: true },
    // Not recommended for subscribers since version 2.0 (7.1.2.7.6), and linters warn of it.
    subjectKeyIdentifier: false,
  };
}

const TLS_DV = publicTls('tls-dv', 'domainValidated', POLICY.domainValidated, subject([], ['C', 'CN']), true);

const TLS_OV = publicTls(
  'tls-ov',
  'organizationValidated',
  POLICY.organizationValidated,
  subject(['C', 'O'], ['street', 'postalCode', 'CN'], [['ST', 'L']]),
  true,
);

/** Attributes of EV Guidelines 7.1.4.2; no wildcards (7.1.2.7.12). */
const TLS_EV = publicTls(
  'tls-ev',
  'extendedValidation',
  POLICY.extendedValidation,
  subject(
    ['jurisdictionC', 'businessCategory', 'serialNumber', 'C', 'O'],
    ['jurisdictionST', 'jurisdictionL', 'street', 'postalCode', 'CN'],
    [['ST', 'L']],
  ),
  false,
);

const INTRANET_SERVER: CertificateProfile = {
  ...END_ENTITY,
  id: 'intranet-server',
  kind: 'intranetServer',
  keyUsage: TLS_USAGE,
  extendedKeyUsage: [EKU.serverAuth],
  maxValidityDays: 825,
  subject: ANY_HOST_SUBJECT,
  san: {
    kinds: ['dns', 'ip', 'uri'],
    min: 1,
    max: 1000,
    wildcards: true,
    publicNamesOnly: false,
    commonNameFromSan: true,
  },
};

/** Server and client at once, for services that authenticate to each other. */
const TLS_MUTUAL: CertificateProfile = {
  ...INTRANET_SERVER,
  id: 'tls-mutual',
  extendedKeyUsage: [EKU.serverAuth, EKU.clientAuth],
  san: {
    ...INTRANET_SERVER.san,
    kinds: ['dns', 'ip', 'uri', 'email', 'otherName', 'registeredId', 'directoryName'],
    min: 0,
    commonNameFromSan: false,
  },
};

/** Host of a research infrastructure (OGF GFD.225); lasts a year and a month. */
const IGTF_HOST: CertificateProfile = {
  ...END_ENTITY,
  id: 'igtf-host',
  kind: 'igtfHost',
  validationLevel: 'organizationValidated',
  allowedKeys: PUBLIC_KEYS,
  keyUsage: TLS_USAGE,
  extendedKeyUsage: [EKU.serverAuth, EKU.clientAuth],
  policies: [POLICY.igtfClassic],
  maxValidityDays: 395,
  subject: subject(['CN'], ['DC', 'C', 'ST', 'L', 'O', 'OU']),
  san: { kinds: ['dns'], min: 1, max: 1000, wildcards: false, publicNamesOnly: false, commonNameFromSan: true },
};

const TLS_CLIENT: CertificateProfile = {
  ...END_ENTITY,
  id: 'tls-client',
  kind: 'tlsClient',
  // clientAuth goes with signatures alone (RFC 5280 section 4.2.1.12)
  keyUsage: SIGNATURE_USAGE,
  extendedKeyUsage: [EKU.clientAuth],
  maxValidityDays: 825,
  subject: subject(['CN'], [...ANY_ORGANIZATION, 'DC', 'UID', 'GN', 'SN', 'title', 'dnQualifier', 'emailAddress']),
  san: {
    kinds: ['dns', 'ip', 'uri', 'email', 'otherName', 'registeredId', 'directoryName'],
    min: 0,
    max: 100,
    wildcards: false,
    publicNamesOnly: false,
    commonNameFromSan: false,
  },
};

/** Mailbox-validated, strict generation of the S/MIME Baseline Requirements (7.1.2.3, 6.3.2: 825 days). */
const SMIME_SIMPLE: CertificateProfile = {
  ...END_ENTITY,
  id: 'smime-simple',
  kind: 'smime',
  validationLevel: 'mailboxValidated',
  allowedKeys: [...PUBLIC_KEYS, 'ec-p521', 'ed25519'],
  keyUsage: DUAL_USAGE,
  extendedKeyUsage: [EKU.emailProtection],
  policies: [POLICY.smimeMailboxStrict],
  maxValidityDays: 825,
  subject: subject([], ['CN', 'serialNumber', 'emailAddress']),
  san: { kinds: ['email'], min: 1, max: 100, wildcards: false, publicNamesOnly: false, commonNameFromSan: true },
};

function documentSigner(id: string, level: ValidationLevel, subjectRule: SubjectRule): CertificateProfile {
  return {
    ...END_ENTITY,
    id,
    kind: 'documentSigner',
    validationLevel: level,
    keyUsage: DOCUMENT_USAGE,
    // The two older purposes are what Office and Acrobat look for; RFC 9336 came later.
    extendedKeyUsage: [EKU.documentSigning, EKU.microsoftDocumentSigning, EKU.adobeAuthenticDocuments],
    maxValidityDays: 1096,
    subject: subjectRule,
    san: { kinds: ['email'], min: 0, max: 10, wildcards: false, publicNamesOnly: false, commonNameFromSan: false },
  };
}

const ADDRESS: readonly AttributeKey[] = ['C', 'ST', 'L', 'street', 'postalCode', 'serialNumber', 'emailAddress'];

const NATURAL_PERSON = documentSigner(
  'document-signer-natural-person',
  'naturalPerson',
  subject(['CN'], [...ADDRESS, 'GN', 'SN', 'pseudonym', 'title']),
);

const LEGAL_PERSON = documentSigner(
  'document-signer-legal-person',
  'legalPerson',
  subject(['CN', 'O'], [...ADDRESS, 'OU', 'GN', 'SN', 'pseudonym', 'title', 'organizationIdentifier']),
);

const LEGAL_ENTITY = documentSigner(
  'document-signer-legal-entity',
  'legalEntity',
  subject(['CN', 'O'], [...ADDRESS, 'OU', 'businessCategory', 'organizationIdentifier']),
);

/** Delegated responder (RFC 6960 section 4.2.2.2): short-lived and not itself looked up. */
const OCSP_RESPONDER: CertificateProfile = {
  ...END_ENTITY,
  id: 'ocsp-responder',
  kind: 'ocspResponder',
  keyUsage: SIGNATURE_USAGE,
  extendedKeyUsage: [EKU.ocspSigning],
  maxValidityDays: 30,
  subject: subject(['CN'], ['C', 'ST', 'L', 'O', 'OU']),
  san: NO_SAN,
  authorityInfoAccess: 'none',
  crlDistributionPoints: false,
  ocspNoCheck: true,
};

/** Registration authority: signs for others in CMP and CMC (RFC 6402), opens SCEP envelopes. */
const RA: CertificateProfile = {
  ...END_ENTITY,
  id: 'ra',
  kind: 'ra',
  keyUsage: TLS_USAGE,
  extendedKeyUsage: [EKU.cmcRa],
  maxValidityDays: 730,
  subject: subject(['CN'], [...ANY_ORGANIZATION, 'DC', 'UID']),
  san: {
    kinds: ['dns', 'email', 'uri'],
    min: 0,
    max: 10,
    wildcards: false,
    publicNamesOnly: false,
    commonNameFromSan: false,
  },
};

/** The profiles that come with Certwright, by id. */
export const PROFILES: ReadonlyMap<string, CertificateProfile> = new Map(
  [
    ROOT,
    ISSUING_CA,
    TLS_DV,
    TLS_OV,
    TLS_EV,
    INTRANET_SERVER,
    TLS_MUTUAL,
    IGTF_HOST,
    TLS_CLIENT,
    SMIME_SIMPLE,
    NATURAL_PERSON,
    LEGAL_PERSON,
    LEGAL_ENTITY,
    OCSP_RESPONDER,
    RA,
  ].map((profile) => [profile.id, profile]),
);

/** A profile by id, or undefined. */
export const certificateProfile = (id: string): CertificateProfile | undefined => PROFILES.get(id);
