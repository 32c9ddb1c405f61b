/** Requests and answers of the order families. */
import Type, { type Static } from 'typebox';
import {
  component,
  Email,
  Fqdn,
  Line,
  Lines,
  MAX_NAMES,
  oneOf,
  Phone,
  ref,
  Time,
  VerificationStatus,
} from './common.ts';

const MAX_CSR = 131_072;
const MAX_LIST = 100;

export const Requestor = component(
  'Requestor',
  Type.Object({
    name: Line(200),
    email: Email(),
    phone: Type.Optional(Phone()),
    designation: Type.Optional(Line(200)),
  }),
);

const Contact = Type.Object({
  name: Type.Optional(Line(200)),
  email: Type.Optional(Email()),
  phone: Type.Optional(Phone()),
  designation: Type.Optional(Line(200)),
});

export const Subscription = component(
  'Subscription',
  Type.Object({
    validityYears: Type.Optional(Type.Integer({ minimum: 1, maximum: 3, default: 1 })),
    autoRenew: Type.Optional(Type.Boolean({ default: true })),
    renewBeforeDays: Type.Optional(Type.Integer({ minimum: 1, default: 30 })),
  }),
);

/** What is missing or false here is a business rule (EMS-920), not a syntax error. */
export const Agreement = component(
  'Agreement',
  Type.Object({
    signerName: Type.Optional(Line(200)),
    signerPlace: Type.Optional(Line(200)),
    accepted: Type.Optional(Type.Boolean()),
  }),
);

export const CustomFieldValue = component(
  'CustomFieldValue',
  Type.Object({ fieldId: Line(64), value: Type.Optional(Lines(4_000)) }),
);

const EmailNotifications = Type.Unsafe<string | readonly string[]>({
  description: '`all` (default), `0` or `none`, one address or a list of addresses.',
  anyOf: [
    { type: 'string', enum: ['all', '1', 'none', '0'] },
    { type: 'string', format: 'email', maxLength: 254 },
    { type: 'array', maxItems: MAX_LIST, items: { type: 'string', format: 'email', maxLength: 254 } },
  ],
});

const Csr = () =>
  Type.String({ minLength: 1, maxLength: MAX_CSR, description: 'PKCS#10 as PEM, or base64 DER without armour.' });

const common = {
  saveAsDraft: Type.Optional(Type.Boolean({ default: false })),
  requestId: Type.Optional(
    Type.Unsafe<string>({ ...Line(128), description: "Draft to promote, or the caller's own correlation value." }),
  ),
  groupNumber: Type.Optional(Line(64)),
  emailNotifications: Type.Optional(EmailNotifications),
  requestor: ref(Requestor),
  subscription: Type.Optional(ref(Subscription)),
  csr: Type.Optional(Csr()),
  technicalPointOfContact: Type.Optional(Contact),
  recipientEmails: Type.Optional(Type.Array(Email(), { maxItems: MAX_LIST })),
  tags: Type.Optional(Type.Array(Line(128), { maxItems: MAX_LIST })),
  customFields: Type.Optional(Type.Array(ref(CustomFieldValue), { maxItems: MAX_LIST })),
  remarks: Type.Optional(Lines(4_000)),
};

const SSL_VARIANTS = [
  'dv',
  'dv-wildcard',
  'dv-ucc',
  'dv-wildcard-ucc',
  'ov',
  'ov-wildcard',
  'ov-ucc',
  'ov-wildcard-ucc',
  'ev',
  'ev-ucc',
] as const;
const PRIVATE_VARIANTS = ['intranet-ssl', 'igtf-host', 'igtf-personal', 'device', 'vpn'] as const;

export const CreateSslOrderRequest = component(
  'CreateSslOrderRequest',
  Type.Object({
    ...common,
    productVariant: oneOf(...SSL_VARIANTS),
    delegation: Type.Optional(Type.Object({ name: Type.Optional(Line(200)), email: Type.Optional(Email()) })),
    organization: Type.Optional(
      Type.Object({
        organizationNumber: Type.Optional(Line(64)),
        preVetted: Type.Optional(Type.Boolean()),
        preVettingToken: Type.Optional(Line(256)),
      }),
    ),
    certificate: Type.Object({
      domain: Fqdn(),
      additionalDomains: Type.Optional(Type.Array(Fqdn(), { maxItems: MAX_NAMES })),
      autoSecureWww: Type.Optional(Type.Boolean({ default: true })),
    }),
    agreement: Type.Optional(ref(Agreement)),
  }),
);

export const CreatePrivatePkiOrderRequest = component(
  'CreatePrivatePkiOrderRequest',
  Type.Object({
    ...common,
    variant: oneOf(...PRIVATE_VARIANTS),
    hostname: Fqdn(),
    additionalHosts: Type.Optional(Type.Array(Fqdn(), { maxItems: MAX_NAMES })),
    caProfileId: Type.Optional(Line(64)),
    masterProductId: Type.Optional(Line(64)),
  }),
);

export const SubmitCsrRequest = component(
  'SubmitCsrRequest',
  Type.Object({ csr: Csr(), attested: Type.Optional(Type.Boolean({ default: false })) }),
);
export const AcceptAgreementRequest = component(
  'AcceptAgreementRequest',
  Type.Object({ agreement: Type.Optional(ref(Agreement)) }),
);
export const CancelRequest = component('CancelRequest', Type.Object({ reason: Type.Optional(Lines(1_000)) }));
export const RevokeRequest = component(
  'RevokeRequest',
  Type.Object({
    reason: Type.Optional(
      Type.String({ maxLength: 64, description: 'Kebab-case word; the camel case of RFC 5280 is folded.' }),
    ),
    note: Type.Optional(Lines(1_000)),
  }),
);
/** Blank members have codes of their own (EMS-1157, EMS-1158). */
export const VerifyOrderDcvRequest = component(
  'VerifyOrderDcvRequest',
  Type.Object({ domain: Type.Optional(Fqdn()), method: Type.Optional(Type.String({ maxLength: 64 })) }),
);
export const OrderDcvQuery = Type.Object({
  domain: Type.Optional(Fqdn()),
  method: Type.Optional(Type.String({ maxLength: 64, description: 'dns-txt (default), http-url or email.' })),
});
export const CertificateQuery = Type.Object({
  format: Type.Optional(oneOf('json', 'pem', 'der', 'pkcs7')),
});

export const OrderStatus = component(
  'OrderStatus',
  oneOf(
    'pending-dcv',
    'pending-organization-verification',
    'pending-csr',
    'pending-documents',
    'pending-agreement',
    'pending-approval',
    'issued',
    'revoked',
    'cancelled',
    'rejected',
    'expired',
  ),
);

const created = {
  orderId: Type.Optional(Type.String({ description: 'Absent for a draft.' })),
  requestId: Type.String(),
  status: ref(OrderStatus),
  createdAt: Time(),
  resolvedProductCode: Type.String(),
  draft: Type.Optional(Type.Boolean()),
};

export const CreateSslOrderResponse = component(
  'CreateSslOrderResponse',
  Type.Object({
    ...created,
    productVariant: Type.String(),
    domain: Type.String(),
    additionalDomains: Type.Optional(Type.Array(Type.String())),
  }),
);
export const CreatePrivatePkiOrderResponse = component(
  'CreatePrivatePkiOrderResponse',
  Type.Object({
    ...created,
    variant: Type.String(),
    hostname: Type.String(),
    additionalHosts: Type.Optional(Type.Array(Type.String())),
  }),
);

const RevocationReasonWord = () => Type.String({ description: 'Kebab-case name of the RFC 5280 reason.' });

const tracked = {
  orderId: Type.String(),
  requestId: Type.String(),
  status: ref(OrderStatus),
  orderState: Type.String(),
  certificateState: Type.String(),
  createdAt: Time(),
  issuedAt: Type.Optional(Time()),
  expiresAt: Type.Optional(Time()),
  requestor: Type.Object({
    name: Type.String(),
    email: Type.String(),
    phone: Type.Optional(Type.String()),
    designation: Type.Optional(Type.String()),
  }),
  csrSubmitted: Type.Boolean(),
  subscription: Type.Object({
    validityYears: Type.Integer(),
    endDate: Time(),
    status: oneOf('active', 'expired', 'cancelled'),
  }),
  revocation: Type.Optional(
    Type.Object({ status: Type.String(), reason: RevocationReasonWord(), processedAt: Type.Optional(Time()) }),
  ),
  resolvedProductCode: Type.String(),
  remarks: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
  originalOrderId: Type.Optional(Type.String()),
};

export const OrderDomainVerification = component(
  'OrderDomainVerification',
  Type.Object({
    domain: Type.String(),
    domainStatus: Type.Optional(oneOf('ACTIVE', 'INACTIVE', 'EXPIRED')),
    dcvMethod: Type.Optional(Type.String()),
    dcvStatus: VerificationStatus(),
    verifiedAt: Type.Optional(Time()),
    caaStatus: Type.Optional(oneOf('PASSED', 'FAILED', 'SKIPPED')),
  }),
);

export const SslOrder = component(
  'SslOrder',
  Type.Object({
    ...tracked,
    productVariant: Type.String(),
    domain: Type.String(),
    additionalDomains: Type.Optional(Type.Array(Type.String())),
    subscriberAgreement: Type.Object({
      signed: Type.Boolean(),
      signerName: Type.Optional(Type.String()),
      signedAt: Type.Optional(Time()),
      signedPlace: Type.Optional(Type.String()),
    }),
    verifications: Type.Object({
      domain: Type.Object({ status: VerificationStatus(), domains: Type.Array(ref(OrderDomainVerification)) }),
      organization: Type.Optional(
        Type.Object({ status: VerificationStatus(), organizationName: Type.Optional(Type.String()) }),
      ),
    }),
  }),
);
export const PrivatePkiOrder = component(
  'PrivatePkiOrder',
  Type.Object({
    ...tracked,
    variant: Type.String(),
    hostname: Type.String(),
    additionalHosts: Type.Optional(Type.Array(Type.String())),
  }),
);

export const CertificateDownload = component(
  'CertificateDownload',
  Type.Object({
    orderId: Type.String(),
    serialNumber: Type.String({ description: 'Upper-case hex without colons.' }),
    subject: Type.String({ description: 'RFC 4514.' }),
    issuer: Type.String({ description: 'RFC 4514.' }),
    notBefore: Time(),
    notAfter: Time(),
    certificatePem: Type.String(),
    chainPem: Type.Array(Type.String(), { description: 'Issuing CA first, trust anchor last.' }),
  }),
);
export const RevocationResult = component(
  'RevocationResult',
  Type.Object({
    orderId: Type.String(),
    status: Type.Literal('revoked'),
    revokedAt: Type.Optional(Time()),
    reason: RevocationReasonWord(),
  }),
);

const artefact = {
  txtToken: Type.Optional(Type.String()),
  fileName: Type.Optional(Type.String()),
  fileToken: Type.Optional(Type.String()),
  dnsHost: Type.Optional(Type.String()),
  host: Type.Optional(Type.String({ description: 'Record name or URL.' })),
  emailAddresses: Type.Optional(Type.Array(Type.String())),
  tokenExpiry: Type.Optional(Time()),
};

export const OrderDcvChallengeEntry = component(
  'OrderDcvChallengeEntry',
  Type.Object({ domain: Type.String(), method: Type.String(), ...artefact }),
);
export const OrderDcvChallenge = component(
  'OrderDcvChallenge',
  Type.Object({
    orderNumber: Type.String(),
    domain: Type.String(),
    domainName: Type.String(),
    method: Type.String(),
    dcvMethod: Type.String(),
    ...artefact,
    fileNameContent: Type.Optional(Type.String()),
    dvFileName: Type.Optional(Type.String()),
    dvFileToken: Type.Optional(Type.String()),
    token: Type.String({ description: 'What is to be published; empty for email.' }),
    tokenExpiry: Time(),
    tokenExpiryDate: Type.String({ description: '`YYYY-MM-DD HH:MM:SS`, UTC.' }),
    instructions: Type.String(),
    challenges: Type.Array(ref(OrderDcvChallengeEntry)),
    methods: Type.Record(Type.String(), ref(OrderDcvChallengeEntry), {
      description: 'The other ways to prove the same domain, keyed by method.',
    }),
  }),
);

export type CreateSsl = Static<typeof CreateSslOrderRequest>;
export type CreatePrivatePki = Static<typeof CreatePrivatePkiOrderRequest>;

export const ORDER_COMPONENTS = [
  Requestor,
  Subscription,
  Agreement,
  CustomFieldValue,
  CreateSslOrderRequest,
  CreatePrivatePkiOrderRequest,
  SubmitCsrRequest,
  AcceptAgreementRequest,
  CancelRequest,
  RevokeRequest,
  VerifyOrderDcvRequest,
  OrderStatus,
  CreateSslOrderResponse,
  CreatePrivatePkiOrderResponse,
  OrderDomainVerification,
  SslOrder,
  PrivatePkiOrder,
  CertificateDownload,
  RevocationResult,
  OrderDcvChallengeEntry,
  OrderDcvChallenge,
];
