/** SSL/TLS certificates (contract sections 6 to 10, 12 and 13). */
import { type Core, type DomainError, domainError, type OrderView, type VerificationView } from '@certwright/core';
import { fail, ok, type Result } from '@certwright/pki';
import { foldMethod, METHODS, methodOf } from '../normalise.ts';
import { json, noObject, type Operation, operation } from '../operation.ts';
import { sslOrderRequest } from '../order-request.ts';
import { orderChallenge } from '../present/challenges.ts';
import { verificationResult } from '../present/domains.ts';
import { createdSslOrder, sslOrder } from '../present/orders.ts';
import { invalidFields, type Refusal } from '../problem.ts';
import { ref } from '../schemas/common.ts';
import { DcvVerificationResult } from '../schemas/domains.ts';
import {
  CreateSslOrderRequest,
  CreateSslOrderResponse,
  OrderDcvChallenge,
  OrderDcvQuery,
  SslOrder,
  VerifyOrderDcvRequest,
} from '../schemas/orders.ts';
import { refuseCall } from '../state-rules.ts';
import {
  API_BASE,
  agreementOperation,
  cancelDraftOperation,
  certificateOperation,
  csrOperation,
  type FamilyFace,
  locateOrder,
  type OrderDependencies,
  revokeOperation,
  trackOperation,
  withdrawOperation,
} from './orders.ts';

const SSL: FamilyFace = {
  family: 'ssl',
  path: '/ssl-certificates',
  tag: 'SSL/TLS Certificates',
  name: 'Ssl',
  order: SslOrder,
  show: sslOrder,
  needsReason: true,
};

export type SslDependencies = OrderDependencies & Pick<Core, 'domains'>;

/** A method by its folded word. Unknown words are a syntax error; what an operation does not offer the core says. */
function parseMethod(word: string, field: string): Result<(typeof METHODS)[number], Refusal> {
  const method = methodOf(word);
  return method === undefined
    ? fail(invalidFields([{ field, message: `must be one of ${METHODS.join(', ')}` }]))
    : ok(method);
}

function createOperation({ orders }: OrderDependencies): Operation {
  return operation({
    id: 'createSslOrder',
    method: 'POST',
    path: SSL.path,
    tag: SSL.tag,
    summary: 'Place an SSL/TLS order, save a draft or promote one',
    body: CreateSslOrderRequest,
    createsOrder: true,
    answers: { 201: ref(CreateSslOrderResponse) },
    locate: noObject,
    run: ({ ctx, body, productCode, effect }) =>
      effect<OrderView>(
        (recorder) => orders.create(ctx, sslOrderRequest(body, productCode), recorder),
        (view) =>
          json(
            201,
            createdSslOrder(view),
            view.order.number === null ? {} : { location: `${API_BASE}${SSL.path}/${view.order.number}` },
          ),
      ),
  });
}

/** Ways that cost nothing to offer beside the one asked for; a mail is sent only on request. */
const PUBLISHED = ['dns-txt', 'http-url'] as const;

function challengeOperation(deps: SslDependencies): Operation {
  const { domains } = deps;
  return operation({
    id: 'getSslOrderDcv',
    method: 'GET',
    path: `${SSL.path}/:orderId/dcv`,
    tag: SSL.tag,
    summary: 'Challenge artefacts of the order',
    query: OrderDcvQuery,
    answers: { 200: ref(OrderDcvChallenge) },
    locate: locateOrder(deps, SSL),
    async run({ ctx, params, query, object }) {
      const method = parseMethod(foldMethod(query.method ?? 'dns-txt'), 'method');
      if (!method.ok) return method;
      const refused = refuseCall('dcv', object.phase);
      if (refused !== undefined) return fail(refused);
      const number = params.orderId ?? '';
      const found = await domains.orderChallenges(ctx, number, query.domain, method.value);
      if (!found.ok) return found;
      const { asked, pending } = found.value;
      if (asked.challenge === undefined) {
        // only a caller who may not make one finds none
        return fail(domainError('permission.denied', 'There is no challenge yet, and this credential may only read'));
      }
      const others = [];
      for (const other of PUBLISHED) {
        if (other === asked.method) continue;
        const way = await domains.orderChallenges(ctx, number, asked.name, other);
        if (way.ok) others.push(way.value.asked);
      }
      return ok(json(200, orderChallenge(number, asked, asked.challenge, pending, others)));
    },
  });
}

function blankMember(body: { readonly domain?: string; readonly method?: string }): DomainError | undefined {
  if (body.domain === undefined) return domainError('domain.nameEmpty', 'Domain name cannot be empty');
  if (body.method === undefined) return domainError('dcv.methodMissing', 'DCV method cannot be empty');
  return undefined;
}

function verifyOperation(deps: SslDependencies): Operation {
  const { domains, now } = deps;
  return operation({
    id: 'verifySslOrderDcv',
    method: 'POST',
    path: `${SSL.path}/:orderId/dcv/verify`,
    tag: SSL.tag,
    summary: 'Check a published challenge now',
    body: VerifyOrderDcvRequest,
    normalise: { fold: { method: foldMethod } },
    answers: { 200: ref(DcvVerificationResult) },
    locate: locateOrder(deps, SSL),
    about: (order, body) => {
      const name = body.domain?.toLowerCase() ?? '';
      const row = order.domains.find((domain) => domain.name === name.replace(/^\*\./, ''));
      return row === undefined ? {} : { domainId: row.publicId, domainName: row.name };
    },
    async run(call) {
      const { ctx, params, body, object } = call;
      const method = body.method === undefined ? undefined : parseMethod(body.method, 'method');
      if (method?.ok === false) return method;
      const refused = refuseCall('dcv', object.phase) ?? blankMember(body);
      if (refused !== undefined || method === undefined) {
        return fail(refused ?? domainError('dcv.methodMissing', 'DCV method cannot be empty'));
      }
      return call.effect<VerificationView>(
        (recorder) =>
          domains.verifyForOrder(
            ctx,
            params.orderId ?? '',
            { domain: body.domain ?? '', method: method.value },
            recorder,
          ),
        (view) => json(200, verificationResult(view, now())),
      );
    },
  });
}

export const sslOperations = (deps: SslDependencies): readonly Operation[] => [
  createOperation(deps),
  cancelDraftOperation(deps, SSL),
  trackOperation(deps, SSL),
  challengeOperation(deps),
  verifyOperation(deps),
  csrOperation(deps, SSL),
  agreementOperation(deps, SSL),
  certificateOperation(deps, SSL),
  withdrawOperation(deps, SSL, 'cancel'),
  withdrawOperation(deps, SSL, 'reject'),
  revokeOperation(deps, SSL),
];
