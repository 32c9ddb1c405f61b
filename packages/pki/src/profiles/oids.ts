/** Object identifiers of certificate and CRL extensions (RFC 5280, RFC 6960). */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;

/** Access methods of authorityInfoAccess (RFC 5280 section 4.2.2.1). */
export const ACCESS_METHOD = {
  ocsp: '1.3.6.1.5.5.7.48.1',
  caIssuers: '1.3.6.1.5.5.7.48.2',
} as const;

/** Extended key usages (RFC 5280 section 4.2.1.12, RFC 6402, RFC 9336; the last two are vendors' forerunners of RFC 9336). */
export const EKU = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  cmcRa: '1.3.6.1.5.5.7.3.28',
  documentSigning: '1.3.6.1.5.5.7.3.36',
  any: '2.5.29.37.0',
  microsoftDocumentSigning: '1.3.6.1.4.1.311.10.3.12',
  adobeAuthenticDocuments: '1.2.840.113583.1.1.5',
} as const;

/** Certificate policies: RFC 5280, CA/Browser Forum reserved identifiers, IGTF. */
export const POLICY = {
  any: '2.5.29.32.0',
  domainValidated: '2.23.140.1.2.1',
  organizationValidated: '2.23.140.1.2.2',
  extendedValidation: '2.23.140.1.1',
  smimeMailboxStrict: '2.23.140.1.5.1.3',
  igtfClassic: '1.2.840.113612.5.2.2.1',
} as const;

/** Bits of keyUsage by their names (RFC 5280 section 4.2.1.3). */
export const KEY_USAGE_BIT = {
  digitalSignature: 0,
  contentCommitment: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
  encipherOnly: 7,
  decipherOnly: 8,
} as const;

export type KeyUsage = keyof typeof KEY_USAGE_BIT;
