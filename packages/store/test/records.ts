/** Records with sensible values for tests. */
import type {
  AccountRecord,
  AuditDraft,
  CaRecord,
  CertificateRecord,
  CredentialRecord,
  DomainRecord,
  NonEmpty,
  OrderRecord,
  OrganizationRecord,
  ProductRecord,
  SubscriptionRecord,
  TokenRecord,
} from '@certwright/core';

export const T0 = 1_790_000_000_000;
const DAY = 86_400_000;

const digits = (id: number, length: number): string => String(id).padStart(length, '0');
export const serialOf = (id: number): string => `a7${id.toString(16).padStart(30, '0')}`;

export function account(id: number, members: Partial<AccountRecord> = {}): AccountRecord {
  return {
    id,
    number: digits(id, 10),
    name: `Account ${id}`,
    status: 'active',
    currency: 'USD',
    settings: {
      requireIdempotencyKey: false,
      alwaysReturnRepresentation: false,
      signedKeyTokens: true,
      maySkipCaa: false,
    },
    createdAt: T0,
    version: 1,
    ...members,
  };
}

export function organization(id: number, members: Partial<OrganizationRecord> = {}): OrganizationRecord {
  return {
    id,
    accountId: 1,
    publicId: `organization-${id}`,
    number: digits(id, 7),
    name: 'Example Société "Ünïcode" \u{1F510}',
    street1: '1 Main Street',
    street2: '',
    locality: 'Springfield',
    stateName: 'Some State',
    stateCode: 'SS',
    postalCode: '12345',
    countryCode: 'US',
    registrationNumber: '',
    jurisdictionCountry: '',
    businessCategory: '',
    status: 'active',
    validation: 'pending',
    vettedFor: ['ov', 'ev'],
    vettedAt: null,
    vettedUntil: null,
    preVettingTokenHash: null,
    agreement: null,
    representatives: [],
    createdAt: T0,
    version: 1,
    ...members,
  };
}

export function product(id: number, members: Partial<ProductRecord> = {}): ProductRecord {
  return {
    id,
    accountId: null,
    code: String(id),
    aliases: [],
    name: 'DV SSL',
    family: 'ssl',
    categoryId: '3',
    typeId: '13',
    issuingCaId: 1,
    rules: {
      requirements: ['dcv', 'csr'],
      approval: 'automatic',
      profileId: 'tls-dv',
      level: 'dv',
      wildcard: false,
      multiDomain: false,
      maxAdditionalNames: 0,
      years: [1, 2, 3],
      maxCertificateDays: null,
      variant: '',
      caa: true,
    },
    prices: { '1': '1.00' },
    customFields: [],
    status: 'active',
    createdAt: T0,
    version: 1,
    ...members,
  };
}

export function credential(id: number, members: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    id,
    accountId: 1,
    groupId: null,
    userId: 1,
    type: 'REST',
    authType: 'oauth',
    label: '',
    secretHash: 'ab',
    sealedSecret: Uint8Array.of(0, 1, 255),
    status: 'active',
    expiresAt: null,
    createdAt: T0,
    revokedAt: null,
    version: 1,
    ...members,
  };
}

export function token(id: number, members: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id,
    credentialId: 1,
    accountId: 1,
    accessHash: `access-${id}`,
    refreshHash: `refresh-${id}`,
    familyId: id,
    authType: 'oauth2',
    state: 'live',
    expiresAt: T0 + 3_600_000,
    refreshExpiresAt: T0 + DAY,
    createdAt: T0,
    version: 1,
    ...members,
  };
}

export function order(id: number, members: Partial<OrderRecord> = {}): OrderRecord {
  return {
    id,
    accountId: 1,
    groupId: 1,
    number: digits(id, 10),
    requestNumber: digits(id, 10),
    family: 'ssl',
    productId: 1,
    productCode: '842',
    level: 'dv',
    lifecycle: 'open',
    phase: 'dcv',
    requirements: [
      { kind: 'dcv', pending: ['shop.example.com'] },
      { kind: 'csr', met: false },
    ],
    names: [{ kind: 'dns', value: 'shop.example.com', domainId: 7 }],
    label: 'shop.example.com',
    organizationId: null,
    csr: Uint8Array.of(0x30, 0),
    details: {
      requestor: { name: 'R', email: 'r@example.com', phone: '', designation: '' },
      technicalContact: null,
      delegation: null,
      emailNotifications: 'all',
      recipientEmails: [],
      tags: ['a "quoted" tag', 'back\\slash', '{braces}'],
      customFields: [],
      remarks: '',
      correlation: '',
      variant: 'dv',
      autoSecureWww: true,
      subject: null,
      draft: null,
      closingReason: '',
      attested: true,
    },
    subscriptionId: id,
    originalOrderId: null,
    certificateId: null,
    originator: 'test',
    credentialId: null,
    createdAt: T0,
    issuedAt: null,
    closedAt: null,
    version: 1,
    ...members,
  };
}

export function subscription(id: number): SubscriptionRecord {
  return {
    id,
    accountId: 1,
    years: 1,
    startsAt: T0,
    endsAt: T0 + 365 * DAY,
    autoRenew: false,
    renewBeforeDays: 30,
    successors: 0,
    version: 1,
  };
}

export function certificate(id: number, members: Partial<CertificateRecord> = {}): CertificateRecord {
  return {
    id,
    accountId: 1,
    groupId: 1,
    orderId: id,
    caId: 1,
    serial: serialOf(id),
    state: 'prepared',
    tbs: new Uint8Array(900).fill(id & 0xff),
    der: null,
    profileId: 'tls-dv',
    label: 'shop.example.com',
    names: ['shop.example.com'],
    keyAlgorithm: 'ec-p256',
    spkiSha256: '00'.repeat(32),
    notBefore: T0,
    notAfter: T0 + 90 * DAY,
    crlPartition: 1,
    revokedAt: null,
    revocationReason: null,
    downloadedAt: null,
    leaseUntil: T0 + 60_000,
    createdAt: T0,
    version: 1,
    ...members,
  };
}

export function domain(id: number, members: Partial<DomainRecord> = {}): DomainRecord {
  return {
    id,
    publicId: `domain-${id}`,
    accountId: 1,
    organizationId: null,
    name: `d${id}.example.com`,
    status: 'active',
    dcvStatus: 'pending',
    method: 'dns-txt',
    challenges: [{ method: 'dns-txt', token: 't', fileName: null, expiresAt: T0 }],
    verifiedAt: null,
    verifiedBy: null,
    validTill: null,
    inheritedFrom: null,
    caaStatus: 'unchecked',
    skipCaa: false,
    createdAt: T0 + id,
    deactivatedAt: null,
    version: 1,
    ...members,
  };
}

export function ca(id: number, members: Partial<CaRecord> = {}): CaRecord {
  return {
    id,
    slug: `ca-${id}`,
    name: 'Issuing',
    kind: 'issuing',
    parentId: null,
    certificate: Uint8Array.of(1, 2),
    chain: [Uint8Array.of(3), Uint8Array.of()],
    keyId: null,
    keyAlgorithm: 'ec-p256',
    status: 'active',
    crl: { partitions: 4, lifetimeMs: DAY },
    notBefore: T0,
    notAfter: T0 + DAY,
    createdAt: T0,
    version: 1,
    ...members,
  };
}

export function audit(members: Partial<AuditDraft> = {}): NonEmpty<AuditDraft> {
  return [
    {
      at: T0,
      accountId: 1,
      actor: 'credential:1',
      channel: 'rest-v2',
      activity: 'order.created',
      objectType: 'order',
      objectId: '1',
      outcome: 'success',
      requestId: 'r-1',
      ip: '192.0.2.1',
      details: { order: 'ü', b: [1, null, { z: 1, a: 2 }] },
      ...members,
    },
  ];
}
