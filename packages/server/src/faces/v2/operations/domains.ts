/** Domain register: adding, renewing, validating and taking out of use (contract section 8). */
import {
  type ChallengeView,
  type Core,
  type DomainQuery,
  type DomainView,
  domainError,
  type Instant,
  type ValidationMethod,
  type VerificationView,
} from '@certwright/core';
import { fail, ok, type Result } from '@certwright/pki';
import type { Static } from 'typebox';
import { foldMethod, METHODS, methodOf } from '../normalise.ts';
import { json, type LocateCall, noObject, type Operation, operation, optional } from '../operation.ts';
import { domainDcv } from '../present/challenges.ts';
import {
  attemptDetail,
  attemptSummary,
  domainDeactivation,
  domainDetail,
  domainSummary,
  renewedDomain,
  verificationResult,
} from '../present/domains.ts';
import { invalidFields, type Refusal } from '../problem.ts';
import { EmptyBody, ref } from '../schemas/common.ts';
import {
  AddDomainRequest,
  AttemptsQuery,
  ChangeDcvMethodRequest,
  DcvAttempt,
  DcvAttemptPage,
  DcvVerificationResult,
  Domain,
  DomainDcv,
  DomainDeactivation,
  DomainPage,
  DomainsQuery,
} from '../schemas/domains.ts';
import { API_BASE } from './orders.ts';

export interface DomainDependencies {
  readonly domains: Core['domains'];
  readonly now: () => Instant;
}

const TAG = 'Domains';
const PATH = '/domains';
const ONE = `${PATH}/:domainId`;
const DAY_MS = 86_400_000;
const MAX_PAGE = 1_000;
const MAX_ATTEMPTS_PAGE = 50;
const ATTEMPT_ID = /^[1-9]\d{0,15}$/;

const locateDomain =
  ({ domains }: DomainDependencies) =>
  ({ ctx, params }: LocateCall) =>
    domains.get(ctx, params.domainId ?? '');

const aboutDomain = ({ domain }: DomainView) => ({ domainId: domain.publicId, domainName: domain.name });

function parseMethod(word: string): Result<ValidationMethod, Refusal> {
  const method = methodOf(word);
  return method === undefined
    ? fail(invalidFields([{ field: 'dcvMethod', message: `must be one of ${METHODS.join(', ')}` }]))
    : ok(method);
}

function addOperation({ domains, now }: DomainDependencies): Operation {
  return operation({
    id: 'addOrRenewDomain',
    method: 'POST',
    path: PATH,
    tag: TAG,
    summary: 'Register a domain, or renew one (mode renew)',
    body: AddDomainRequest,
    normalise: { fold: { dcvMethod: foldMethod } },
    answers: { 200: ref(Domain), 201: ref(Domain) },
    locate: noObject,
    about: (_nothing, body) => optional('domainName', body.domainName ?? body.name),
    async run({ ctx, body, effect }) {
      const method = parseMethod(body.dcvMethod ?? 'dns-txt');
      if (!method.ok) return method;
      const name = body.domainName ?? body.name;
      if (name === undefined) return fail(domainError('domain.nameEmpty', 'Domain name cannot be empty'));
      const owner = optional('organizationNumber', body.organizationId);
      if (body.mode === 'renew') {
        return effect<DomainView>(
          (recorder) => domains.renew(ctx, { name, method: method.value, ...owner }, recorder),
          (view) => json(200, renewedDomain(view, now())),
        );
      }
      return effect<DomainView>(
        (recorder) =>
          domains.add(ctx, { name, method: method.value, skipCaa: body.skipCAA ?? false, ...owner }, recorder),
        (view) => json(201, domainDetail(view, now()), { location: `${API_BASE}${PATH}/${view.domain.publicId}` }),
      );
    },
  });
}

const words = (list: string): string[] => list.split(',');
const STATUS_WORDS = { ACTIVE: 'active', INACTIVE: 'inactive', EXPIRED: 'expired' } as const;
const DCV_WORDS = { VERIFIED: 'verified', PENDING: 'pending', REJECTED: 'rejected' } as const;
const SORT = {
  createdAt: 'createdAt',
  createdDate: 'createdAt',
  domainName: 'name',
  verifiedAt: 'verifiedAt',
  validTill: 'validTill',
} as const;

/** The values of a table that a comma list names. */
function named<T>(table: Readonly<Record<string, T>>, list: string): T[] {
  return words(list).flatMap((word) => table[word] ?? []);
}

/** Offset and limit; the older page and size count only when neither is there (contract section 5). */
function window(query: Static<typeof DomainsQuery>): { readonly offset: number; readonly limit: number } {
  if (query.offset !== undefined || query.limit !== undefined) {
    return { offset: query.offset ?? 0, limit: Math.min(query.limit ?? 50, MAX_PAGE) };
  }
  const limit = Math.min(query.size ?? 50, MAX_PAGE);
  return { offset: (query.page ?? 0) * limit, limit };
}

function dcvStatuses(query: Static<typeof DomainsQuery>): DomainQuery['dcvStatuses'] {
  if (query.dcvStatus !== undefined) return named(DCV_WORDS, query.dcvStatus);
  return query.includePending === false ? ['verified', 'rejected'] : undefined;
}

function domainQuery(query: Static<typeof DomainsQuery>): Result<DomainQuery, Refusal> {
  const methods: ValidationMethod[] = [];
  for (const word of query.dcvMethod === undefined ? [] : words(query.dcvMethod)) {
    const method = parseMethod(foldMethod(word));
    if (!method.ok) return method;
    methods.push(method.value);
  }
  const { fromDate, toDate } = query;
  return ok({
    exact: query.exactMatch ?? false,
    ...optional('search', query.search),
    ...optional('statuses', query.domainStatus === undefined ? undefined : named(STATUS_WORDS, query.domainStatus)),
    ...optional('dcvStatuses', dcvStatuses(query)),
    ...optional('methods', methods.length === 0 ? undefined : methods),
    ...optional('createdFrom', fromDate === undefined ? undefined : Date.parse(`${fromDate}T00:00:00Z`)),
    ...optional('createdBefore', toDate === undefined ? undefined : Date.parse(`${toDate}T00:00:00Z`) + DAY_MS),
    ...optional('organization', query.organizationId),
    ...optional('groupNumber', query.groupNumber ?? query.groupId),
    sortBy: SORT[query.sortBy ?? 'createdAt'],
    descending: (query.sortDir ?? 'desc') === 'desc',
    ...window(query),
  });
}

function page<T>(content: readonly T[], total: number, offset: number, limit: number) {
  return {
    content,
    page: Math.floor(offset / limit),
    size: limit,
    totalElements: total,
    totalPages: Math.ceil(total / limit),
  };
}

function listOperation({ domains, now }: DomainDependencies): Operation {
  return operation({
    id: 'listDomains',
    method: 'GET',
    path: PATH,
    tag: TAG,
    summary: 'Domains of the account',
    query: DomainsQuery,
    answers: { 200: ref(DomainPage) },
    locate: noObject,
    async run({ ctx, query }) {
      const parsed = domainQuery(query);
      if (!parsed.ok) return parsed;
      const found = await domains.list(ctx, parsed.value);
      if (!found.ok) return found;
      const at = now();
      const { offset, limit } = parsed.value;
      const rows = found.value.rows.map((view) => domainSummary(view, at));
      return ok(json(200, page(rows, found.value.total, offset, limit)));
    },
  });
}

function readOperations(deps: DomainDependencies): readonly Operation[] {
  const { domains, now } = deps;
  return [
    operation({
      id: 'getDomain',
      method: 'GET',
      path: ONE,
      tag: TAG,
      summary: 'One domain in full',
      answers: { 200: ref(Domain) },
      locate: locateDomain(deps),
      run: async ({ object }) => ok(json(200, domainDetail(object, now()))),
    }),
    operation({
      id: 'getDomainDcv',
      method: 'GET',
      path: `${ONE}/dcv`,
      tag: TAG,
      summary: 'Challenge artefact of the domain',
      answers: { 200: ref(DomainDcv) },
      locate: noObject,
      async run({ ctx, params }) {
        const view = await domains.challenge(ctx, params.domainId ?? '');
        return view.ok ? ok(json(200, domainDcv(view.value))) : view;
      },
    }),
    operation({
      id: 'listDomainDcvAttempts',
      method: 'GET',
      path: `${ONE}/dcv/attempts`,
      tag: TAG,
      summary: 'Attempt history, newest first',
      query: AttemptsQuery,
      answers: { 200: ref(DcvAttemptPage) },
      locate: locateDomain(deps),
      async run({ ctx, params, query }) {
        const offset = query.offset ?? 0;
        const limit = Math.min(query.limit ?? 20, MAX_ATTEMPTS_PAGE);
        const found = await domains.attempts(ctx, params.domainId ?? '', offset, limit);
        if (!found.ok) return found;
        return ok(json(200, page(found.value.rows.map(attemptSummary), found.value.total, offset, limit)));
      },
    }),
    operation({
      id: 'getLastDomainDcvAttempt',
      method: 'GET',
      path: `${ONE}/dcv/attempts/last`,
      tag: TAG,
      summary: 'Most recent attempt with diagnostics',
      answers: { 200: ref(DcvAttempt) },
      locate: ({ ctx, params }) => domains.attempt(ctx, params.domainId ?? '', 'last'),
      run: async ({ object }) => ok(json(200, attemptDetail(object.attempt, object.domain))),
    }),
    operation({
      id: 'getDomainDcvAttempt',
      method: 'GET',
      path: `${ONE}/dcv/attempts/:attemptId`,
      tag: TAG,
      summary: 'One attempt with diagnostics',
      answers: { 200: ref(DcvAttempt) },
      locate: async ({ ctx, params }) => {
        const id = params.attemptId ?? '';
        if (!ATTEMPT_ID.test(id)) return fail(domainError('notFound', 'Attempt not found under this domain'));
        return domains.attempt(ctx, params.domainId ?? '', Number(id));
      },
      run: async ({ object }) => ok(json(200, attemptDetail(object.attempt, object.domain))),
    }),
  ];
}

function changeOperations(deps: DomainDependencies): readonly Operation[] {
  const { domains, now } = deps;
  return [
    operation({
      id: 'changeDomainDcvMethod',
      method: 'PATCH',
      path: `${ONE}/dcv/method`,
      tag: TAG,
      summary: 'Switch the DCV method, or rotate the token of the same one',
      body: ChangeDcvMethodRequest,
      normalise: { fold: { dcvMethod: foldMethod } },
      answers: { 200: ref(DomainDcv) },
      locate: locateDomain(deps),
      async run({ ctx, params, body, effect }) {
        if (body.dcvMethod === undefined) return fail(domainError('dcv.methodMissing', 'DCV method cannot be empty'));
        const method = parseMethod(body.dcvMethod);
        if (!method.ok) return method;
        return effect<ChallengeView>(
          (recorder) => domains.changeMethod(ctx, params.domainId ?? '', method.value, recorder),
          (view) => json(200, domainDcv(view)),
        );
      },
    }),
    operation({
      id: 'verifyDomainDcv',
      method: 'POST',
      path: `${ONE}/dcv/verify`,
      tag: TAG,
      summary: 'Check the published challenge now',
      body: EmptyBody,
      answers: { 200: ref(DcvVerificationResult) },
      locate: locateDomain(deps),
      about: aboutDomain,
      run: ({ ctx, params, effect }) =>
        effect<VerificationView>(
          (recorder) => domains.verify(ctx, params.domainId ?? '', recorder),
          (view) => json(200, verificationResult(view, now())),
        ),
    }),
    operation({
      id: 'deactivateDomain',
      method: 'POST',
      path: `${ONE}/deactivate`,
      tag: TAG,
      summary: 'Take a domain out of use',
      body: EmptyBody,
      answers: { 200: ref(DomainDeactivation) },
      locate: locateDomain(deps),
      run: ({ ctx, params, effect }) =>
        effect<DomainView>(
          (recorder) => domains.deactivate(ctx, params.domainId ?? '', recorder),
          (view) => json(200, domainDeactivation(view)),
        ),
    }),
  ];
}

export const domainOperations = (deps: DomainDependencies): readonly Operation[] => [
  addOperation(deps),
  listOperation(deps),
  ...readOperations(deps),
  ...changeOperations(deps),
];
