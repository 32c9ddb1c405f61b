/** Requests and answers of the domain register. */
import Type from 'typebox';
import { component, DcvDiagnostics, Line, nullable, oneOf, pageOf, ref, Time, VerificationStatus } from './common.ts';

const DomainStatus = () => oneOf('ACTIVE', 'INACTIVE', 'EXPIRED');
const NullableTime = () => Type.Optional(nullable({ format: 'date-time' }));
const commaList = (...words: readonly string[]) => {
  const word = `(${words.join('|')})`;
  return Type.Optional(Type.String({ pattern: `^${word}(,${word})*$`, maxLength: 200 }));
};

/** A name or method that is missing has a code of its own (EMS-1157, EMS-1158). */
export const AddDomainRequest = component(
  'AddDomainRequest',
  Type.Object({
    domainName: Type.Optional(Type.String({ maxLength: 255 })),
    name: Type.Optional(Type.String({ maxLength: 255, description: 'Alias of domainName.' })),
    organizationId: Type.Optional(Line(64)),
    dcvMethod: Type.Optional(Type.String({ maxLength: 64 })),
    skipCAA: Type.Optional(Type.Boolean({ default: false })),
    mode: Type.Optional(oneOf('create', 'renew')),
  }),
);
export const ChangeDcvMethodRequest = component(
  'ChangeDcvMethodRequest',
  Type.Object({ dcvMethod: Type.Optional(Type.String({ maxLength: 64 })) }),
);

export const DomainsQuery = Type.Object({
  search: Type.Optional(Line(255)),
  exactMatch: Type.Optional(Type.Boolean()),
  domainStatus: commaList('ACTIVE', 'INACTIVE', 'EXPIRED'),
  dcvStatus: commaList('VERIFIED', 'PENDING', 'REJECTED'),
  dcvMethod: Type.Optional(Type.String({ maxLength: 200 })),
  fromDate: Type.Optional(Type.String({ format: 'date' })),
  toDate: Type.Optional(Type.String({ format: 'date' })),
  organizationId: Type.Optional(Line(64)),
  groupNumber: Type.Optional(Line(64)),
  groupId: Type.Optional(Line(64)),
  includePending: Type.Optional(Type.Boolean()),
  sortBy: Type.Optional(oneOf('createdAt', 'createdDate', 'domainName', 'verifiedAt', 'validTill')),
  sortDir: Type.Optional(oneOf('asc', 'desc')),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
  page: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  size: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
});
export const AttemptsQuery = Type.Object({
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
});

export const DomainDcv = component(
  'DomainDcv',
  Type.Object({
    method: Type.String(),
    txtToken: Type.Optional(Type.String()),
    fileToken: Type.Optional(Type.String()),
    fileName: Type.Optional(Type.String({ description: 'Path relative to the site root.' })),
    tokenExpiry: Type.Optional(Time()),
    instructions: Type.Optional(Type.String()),
  }),
);

const row = {
  domainId: Type.String(),
  domainName: Type.String(),
  organizationId: Type.Optional(Type.String({ description: 'Opaque; not the organization number.' })),
  organizationName: Type.Optional(Type.String()),
  status: DomainStatus(),
  domainStatus: DomainStatus(),
  dcvStatus: VerificationStatus(),
  dcvMethod: Type.String(),
  isWildcard: Type.Boolean(),
  createdAt: Time(),
  verifiedAt: NullableTime(),
  validTill: NullableTime(),
};

export const Domain = component(
  'Domain',
  Type.Object({
    ...row,
    dcv: Type.Optional(ref(DomainDcv)),
    autoVerify: oneOf('scheduled', 'noEligibleAncestor', 'ineligible'),
  }),
);
export const DomainSummary = component('DomainSummary', Type.Object(row));
export const DomainPage = component('DomainPage', pageOf(DomainSummary));
export const DomainDeactivation = component(
  'DomainDeactivation',
  Type.Object({
    domainId: Type.String(),
    domainName: Type.String(),
    status: Type.Literal('INACTIVE'),
    domainStatus: Type.Literal('INACTIVE'),
    deactivatedAt: Type.Optional(Time()),
    message: Type.String(),
  }),
);

export const DcvVerificationResult = component(
  'DcvVerificationResult',
  Type.Object({
    overallStatus: VerificationStatus(),
    status: VerificationStatus(),
    method: Type.String(),
    verifiedAt: Type.Optional(Time()),
    validatedAt: Type.Optional(Time()),
    diagnostics: Type.Optional(ref(DcvDiagnostics)),
  }),
);
const attempt = {
  attemptId: Type.String(),
  attemptedAt: Time(),
  method: Type.String(),
  overallStatus: oneOf('VERIFIED', 'PENDING', 'FAILED'),
  failureClass: nullable({ description: 'Null on success.' }),
};
export const DcvAttemptSummary = component('DcvAttemptSummary', Type.Object(attempt));
export const DcvAttemptPage = component('DcvAttemptPage', pageOf(DcvAttemptSummary));
export const DcvAttempt = component(
  'DcvAttempt',
  Type.Object({
    ...attempt,
    domainId: Type.String(),
    status: VerificationStatus(),
    diagnostics: ref(DcvDiagnostics),
  }),
);

export const DOMAIN_COMPONENTS = [
  AddDomainRequest,
  ChangeDcvMethodRequest,
  DomainDcv,
  Domain,
  DomainSummary,
  DomainPage,
  DomainDeactivation,
  DcvVerificationResult,
  DcvAttemptSummary,
  DcvAttemptPage,
  DcvAttempt,
];
