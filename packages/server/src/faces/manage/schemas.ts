/** Wire shapes of the management API: one source for validation, serialisation and the OpenAPI document. */
import type { OrderPhase, VettedFor } from '@certwright/core';
import Type, { type Static, type TSchema } from 'typebox';

const Time = () => Type.String({ format: 'date-time' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const oneOf = <const V extends string>(...values: readonly V[]) => Type.Unsafe<V>(Type.String({ enum: [...values] }));

export const PHASES: readonly OrderPhase[] = [
  'draft',
  'organization',
  'mailbox',
  'identity',
  'documents',
  'dcv',
  'csr',
  'agreement',
  'approval',
  'issuing',
  'issued',
  'onHold',
  'revoked',
  'expired',
  'cancelled',
  'rejected',
];
const FAMILIES = ['ssl', 'signature', 'private-pki', 'smime'] as const;
const VETTED_FOR: readonly VettedFor[] = ['ov', 'ev', 'smime'];

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String({ description: 'Stable code; decide by it.' }),
    requestId: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.' },
);

export const Account = Type.Object(
  {
    number: Type.String(),
    name: Type.String(),
    status: Type.String(),
    currency: Type.String(),
    createdAt: Time(),
  },
  { $id: 'Account' },
);

export const NewAccount = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    administratorName: Type.String({ minLength: 1, maxLength: 200 }),
    administratorEmail: Type.String({ format: 'email', maxLength: 254 }),
  },
  { additionalProperties: false },
);

export const CreatedAccount = Type.Object(
  { account: Type.Unsafe<Static<typeof Account>>(Type.Ref('Account')), groupNumber: Type.String() },
  { $id: 'CreatedAccount' },
);

export const Credential = Type.Object(
  {
    id: Type.Integer(),
    type: Type.String(),
    authType: oneOf('accessKey', 'oauth'),
    label: Type.String(),
    status: Type.String(),
    groupBound: Type.Boolean(),
    createdAt: Time(),
    expiresAt: nullable(Time()),
    revokedAt: nullable(Time()),
  },
  { $id: 'Credential' },
);

export const NewCredential = Type.Object(
  {
    authType: oneOf('accessKey', 'oauth'),
    label: Type.String({ minLength: 1, maxLength: 200 }),
    groupNumber: Type.Optional(Type.String({ minLength: 1, maxLength: 20 })),
  },
  { additionalProperties: false },
);

export const CreatedCredential = Type.Object(
  {
    credential: Type.Unsafe<Static<typeof Credential>>(Type.Ref('Credential')),
    accountNumber: Type.String({ description: 'The OAuth client_id.' }),
    secret: Type.String({ description: 'OAuth client secret or access key; shown this once.' }),
  },
  { $id: 'CreatedCredential' },
);

export const Authority = Type.Object(
  {
    slug: Type.String(),
    name: Type.String(),
    kind: oneOf('root', 'issuing'),
    status: Type.String(),
    keyAlgorithm: Type.String(),
    hasKey: Type.Boolean(),
    notBefore: Time(),
    notAfter: Time(),
    crl: Type.Object({ partitions: Type.Integer(), lifetimeSeconds: Type.Integer() }),
    certificate: Type.String({ description: 'PEM.' }),
  },
  { $id: 'Authority' },
);

const MAX_PEM = 200_000;
export const NewAuthority = Type.Object(
  {
    slug: Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$' }),
    name: Type.String({ minLength: 1, maxLength: 200 }),
    certificate: Type.String({ minLength: 1, maxLength: MAX_PEM, description: 'PEM.' }),
    chain: Type.String({ maxLength: MAX_PEM, default: '', description: 'PEM, nearest first, root last.' }),
    privateKey: Type.String({ minLength: 1, maxLength: MAX_PEM, description: 'PKCS#8, SEC 1 or PKCS#1 in PEM.' }),
    passphrase: Type.Optional(Type.String({ maxLength: 1024, description: 'Of an encrypted private key.' })),
    crlPartitions: Type.Integer({ minimum: 1, maximum: 1024, default: 1 }),
    crlLifetimeSeconds: Type.Integer({ minimum: 3600, maximum: 366 * 86_400, default: 7 * 86_400 }),
  },
  { additionalProperties: false },
);

export const Order = Type.Object(
  {
    number: nullable(Type.String()),
    requestNumber: Type.String(),
    accountNumber: Type.String(),
    family: oneOf(...FAMILIES),
    productCode: Type.String(),
    phase: oneOf(...PHASES),
    lifecycle: Type.String(),
    label: Type.String(),
    names: Type.Array(Type.String()),
    requirements: Type.Array(
      Type.Object({ kind: Type.String(), met: Type.Boolean(), pending: Type.Optional(Type.Array(Type.String())) }),
    ),
    requestor: Type.Object({ name: Type.String(), email: Type.String() }),
    closingReason: Type.String(),
    createdAt: Time(),
    issuedAt: nullable(Time()),
    closedAt: nullable(Time()),
  },
  { $id: 'Order' },
);

export const Certificate = Type.Object(
  {
    serial: Type.String({ description: 'Lower-case hex.' }),
    label: Type.String(),
    names: Type.Array(Type.String()),
    state: Type.String({ description: '`expired` when valid and past notAfter.' }),
    profile: Type.String(),
    keyAlgorithm: Type.String(),
    notBefore: Time(),
    notAfter: Time(),
    revokedAt: nullable(Time()),
    revocationReason: nullable(Type.String()),
  },
  { $id: 'Certificate' },
);

export const OrderDetail = Type.Object(
  {
    order: Type.Unsafe<Static<typeof Order>>(Type.Ref('Order')),
    productName: Type.String(),
    organization: nullable(Type.Object({ number: Type.String(), name: Type.String(), validation: Type.String() })),
    domains: Type.Array(Type.Object({ name: Type.String(), dcvStatus: Type.String(), validTill: nullable(Time()) })),
    certificate: nullable(Type.Unsafe<Static<typeof Certificate>>(Type.Ref('Certificate'))),
  },
  { $id: 'OrderDetail' },
);

export const Organization = Type.Object(
  {
    number: Type.String(),
    name: Type.String(),
    locality: Type.String(),
    countryCode: Type.String(),
    status: Type.String(),
    validation: Type.String(),
    vettedFor: Type.Array(Type.String()),
    vettedAt: nullable(Time()),
    vettedUntil: nullable(Time()),
    createdAt: Time(),
  },
  { $id: 'Organization' },
);

const field = (maxLength: number) => Type.String({ maxLength, default: '' });
export const NewOrganization = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    street1: field(128),
    street2: field(128),
    locality: field(128),
    stateName: field(128),
    stateCode: field(10),
    postalCode: field(40),
    countryCode: Type.String({ pattern: '^[A-Z]{2}$' }),
    registrationNumber: field(64),
    jurisdictionCountry: Type.String({ pattern: '^([A-Z]{2})?$', default: '' }),
    businessCategory: Type.Unsafe<
      '' | 'Private Organization' | 'Government Entity' | 'Business Entity' | 'Non-Commercial Entity'
    >(
      Type.String({
        enum: ['', 'Private Organization', 'Government Entity', 'Business Entity', 'Non-Commercial Entity'],
        default: '',
      }),
    ),
  },
  { additionalProperties: false },
);

export const VettingDecision = Type.Object(
  {
    decision: oneOf('validated', 'rejected'),
    vettedFor: Type.Array(oneOf(...VETTED_FOR), { uniqueItems: true, default: [] }),
    preVettingToken: Type.Boolean({ default: false, description: 'Make a new pre-vetting token.' }),
    reason: Type.String({ maxLength: 2000, default: '' }),
  },
  { additionalProperties: false },
);

export const VettedOrganization = Type.Object(
  {
    organization: Type.Unsafe<Static<typeof Organization>>(Type.Ref('Organization')),
    preVettingToken: nullable(Type.String({ description: 'Shown this once.' })),
  },
  { $id: 'VettedOrganization' },
);

export const AuditEntry = Type.Object(
  {
    at: Time(),
    activity: Type.String(),
    outcome: Type.String(),
    actor: Type.String(),
    channel: Type.String(),
    objectType: Type.String(),
    objectId: Type.String(),
    requestId: Type.String(),
    ip: Type.String(),
    details: Type.Unsafe<Readonly<Record<string, unknown>>>(Type.Object({}, { additionalProperties: true })),
    lane: Type.String(),
    sequence: Type.Integer(),
    hash: Type.String(),
  },
  { $id: 'AuditEntry' },
);

export const Job = Type.Object(
  {
    id: Type.Integer(),
    kind: Type.String(),
    runAt: Time(),
    attempts: Type.Integer(),
    lastError: Type.String(),
    leased: Type.Boolean(),
    createdAt: Time(),
  },
  { $id: 'Job' },
);

export const COMPONENTS = [
  Problem,
  Account,
  CreatedAccount,
  Credential,
  CreatedCredential,
  Authority,
  Order,
  OrderDetail,
  Organization,
  VettedOrganization,
  Certificate,
  AuditEntry,
  Job,
];

/** Answer with one component. */
export const ref = <T extends TSchema & { readonly $id?: string }>(component: T) =>
  Type.Unsafe<Static<T>>(Type.Ref(component.$id ?? ''));

/** One page of a list. */
export const pageOf = <T extends TSchema & { readonly $id?: string }>(component: T) =>
  Type.Object({
    items: Type.Array(ref(component)),
    next: nullable(Type.String({ description: 'Cursor of the next page.' })),
    previous: nullable(Type.String()),
  });

const pageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  from: Type.Optional(oneOf('start', 'end')),
};

const closed = { additionalProperties: false } as const;
const accountFilter = { accountNumber: Type.Optional(Type.String({ pattern: '^\\d{1,20}$' })) };

export const PageQuery = Type.Object(pageQuery, closed);
export const OrderQuery = Type.Object(
  {
    ...pageQuery,
    ...accountFilter,
    phase: Type.Optional(oneOf(...PHASES)),
    family: Type.Optional(oneOf(...FAMILIES)),
  },
  closed,
);
export const CertificateQuery = Type.Object(
  {
    ...pageQuery,
    ...accountFilter,
    domain: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'The name or any name below it.' })),
    serial: Type.Optional(Type.String({ pattern: '^[0-9A-Fa-f:]{1,80}$' })),
    status: Type.Optional(oneOf('valid', 'hold', 'revoked', 'expired')),
    expiresFrom: Type.Optional(Time()),
    expiresBefore: Type.Optional(Time()),
  },
  closed,
);
export const AuditQuery = Type.Object(
  {
    ...pageQuery,
    ...accountFilter,
    activity: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    objectType: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    objectId: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    since: Type.Optional(Time()),
    before: Type.Optional(Time()),
  },
  closed,
);

export const Numbered = Type.Object({ number: Type.String({ pattern: '^[0-9A-Za-z-]{1,40}$' }) }, closed);
export const Identified = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }, closed);
export const Reason = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 2000 }) }, closed);
