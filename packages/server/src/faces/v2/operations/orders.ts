/** Operations that SSL/TLS and Private PKI orders share. */
import { type CallContext, type Core, domainError, type Instant, type OrderView, type Outcome } from '@certwright/core';
import { fail, ok } from '@certwright/pki';
import Type, { type TSchema } from 'typebox';
import { foldReason, reasonOf } from '../normalise.ts';
import { type Answer, type Call, json, NoContent, noContent, type Operation, operation } from '../operation.ts';
import { agreementOf } from '../order-request.ts';
import { certificateAnswer, chooseFormat } from '../present/certificate.ts';
import { revocationResult } from '../present/orders.ts';
import { invalidFields, refusal } from '../problem.ts';
import { ref } from '../schemas/common.ts';
import {
  AcceptAgreementRequest,
  CancelRequest,
  CertificateDownload,
  CertificateQuery,
  RevocationResult,
  RevokeRequest,
  SubmitCsrRequest,
} from '../schemas/orders.ts';
import { type OrderCall, refuseCall } from '../state-rules.ts';

/** How one family of orders appears in paths, documents and texts. */
export interface FamilyFace {
  readonly family: 'ssl' | 'private-pki';
  readonly path: '/ssl-certificates' | '/private-pki-certificates';
  readonly tag: string;
  /** Part of operation ids, e.g. `Ssl`. */
  readonly name: string;
  readonly order: TSchema & { readonly $id: string };
  readonly show: (view: OrderView, now: Instant) => object;
  /** A blank reason of a cancellation is an error (EMS-984). */
  readonly needsReason: boolean;
}

export interface OrderDependencies {
  readonly orders: Core['orders'];
  readonly now: () => Instant;
}

export const API_BASE = '/api/certinext/v2';

type Locate = (call: {
  readonly ctx: CallContext;
  readonly params: Readonly<Record<string, string>>;
}) => Outcome<OrderView>;

/** Finds the order of the path in this family. */
export const locateOrder =
  ({ orders }: Pick<OrderDependencies, 'orders'>, { family }: Pick<FamilyFace, 'family'>): Locate =>
  ({ ctx, params }) =>
    orders.get(ctx, family, params.orderId ?? '');

/** 204, or 200 with the resource for callers that want it (contract section 13). */
export function doneAnswer(call: Pick<Call<never, never, never>, 'representation'>, resource: () => object): Answer {
  if (call.representation === 'none') return noContent();
  const headers = call.representation === 'preferred' ? { 'preference-applied': 'return=representation' } : {};
  return json(200, resource(), headers);
}

export function trackOperation(deps: OrderDependencies, face: FamilyFace): Operation {
  return operation({
    id: `get${face.name}Order`,
    method: 'GET',
    path: `${face.path}/:orderId`,
    tag: face.tag,
    summary: 'Track an order',
    answers: { 200: ref(face.order) },
    locate: locateOrder(deps, face),
    run: async ({ object }) => ok(json(200, face.show(object, deps.now()))),
  });
}

export function csrOperation(deps: OrderDependencies, face: FamilyFace): Operation {
  return operation({
    id: `submit${face.name}Csr`,
    method: 'PUT',
    path: `${face.path}/:orderId/csr`,
    tag: face.tag,
    summary: 'Attach the CSR',
    body: SubmitCsrRequest,
    answers: { 200: ref(face.order), 204: NoContent },
    locate: locateOrder(deps, face),
    async run(call) {
      const refused = refuseCall('csr', call.object.phase);
      if (refused !== undefined) return fail(refused);
      const { csr, attested = false } = call.body;
      return call.effect<OrderView>(
        (recorder) =>
          deps.orders.submitCsr(call.ctx, face.family, call.params.orderId ?? '', { csr, attested }, recorder),
        (view) => doneAnswer(call, () => face.show(view, deps.now())),
      );
    },
  });
}

export function agreementOperation(deps: OrderDependencies, face: FamilyFace): Operation {
  return operation({
    id: `accept${face.name}Agreement`,
    method: 'POST',
    path: `${face.path}/:orderId/agreement`,
    tag: face.tag,
    summary: 'Record acceptance of the Subscriber Agreement',
    body: AcceptAgreementRequest,
    answers: { 200: ref(face.order), 204: NoContent },
    locate: locateOrder(deps, face),
    async run(call) {
      const refused = refuseCall('agreement', call.object.phase);
      if (refused !== undefined) return fail(refused);
      const { agreement } = call.body;
      if (agreement === undefined) {
        return fail(domainError('agreement.incomplete', "'agreementDetails' block cannot be empty"));
      }
      return call.effect<OrderView>(
        (recorder) =>
          deps.orders.acceptAgreement(
            call.ctx,
            face.family,
            call.params.orderId ?? '',
            agreementOf(agreement),
            recorder,
          ),
        (view) => doneAnswer(call, () => face.show(view, deps.now())),
      );
    },
  });
}

export function certificateOperation(deps: OrderDependencies, face: FamilyFace): Operation {
  return operation({
    id: `download${face.name}Certificate`,
    method: 'GET',
    path: `${face.path}/:orderId/certificate`,
    tag: face.tag,
    summary: 'Download the issued certificate',
    query: CertificateQuery,
    negotiates: true,
    answers: { 200: ref(CertificateDownload) },
    otherTypes: {
      'application/x-pem-file': { schema: Type.String({ description: 'Leaf, then the intermediates.' }) },
      'application/pkix-cert': { schema: Type.String({ contentEncoding: 'binary', description: 'DER of the leaf.' }) },
    },
    locate: locateOrder(deps, face),
    async run({ ctx, params, query, accept, object }) {
      const format = chooseFormat(query.format, accept);
      if (format === undefined) {
        const detail = 'Supported media types are application/json, application/x-pem-file and application/pkix-cert';
        return fail(refusal(406, 'not-acceptable', detail));
      }
      const refused = refuseCall('certificate', object.phase);
      if (refused !== undefined) return fail(refused);
      const file = await deps.orders.download(ctx, face.family, params.orderId ?? '');
      return file.ok ? ok(certificateAnswer(file.value, format)) : file;
    },
  });
}

/** Cancel, or the same by the word reject. */
export function withdrawOperation(deps: OrderDependencies, face: FamilyFace, word: 'cancel' | 'reject'): Operation {
  const missing = word === 'cancel' ? 'order.cancelReasonMissing' : 'order.rejectReasonMissing';
  const remarks = word === 'cancel' ? 'Cancellation remarks' : 'Rejection remarks';
  return operation({
    id: `${word}${face.name}Order`,
    method: 'POST',
    path: `${face.path}/:orderId/${word}`,
    tag: face.tag,
    summary: word === 'cancel' ? 'Withdraw an order before issuance' : 'Reject an order that is not issued yet',
    body: CancelRequest,
    normalise: { keepBlank: true },
    answers: { 200: ref(face.order), 204: NoContent },
    locate: locateOrder(deps, face),
    async run(call) {
      const refused = refuseCall(word satisfies OrderCall, call.object.phase);
      if (refused !== undefined) return fail(refused);
      const { reason } = call.body;
      if (face.needsReason && reason !== undefined && reason.trim() === '') {
        return fail(domainError(missing, `${remarks} cannot be empty`));
      }
      return call.effect<OrderView>(
        (recorder) =>
          deps.orders[word](call.ctx, face.family, call.params.orderId ?? '', reason?.trim() ?? '', recorder),
        (view) => doneAnswer(call, () => face.show(view, deps.now())),
      );
    },
  });
}

export function cancelDraftOperation(deps: OrderDependencies, face: FamilyFace): Operation {
  return operation({
    id: `cancel${face.name}Draft`,
    method: 'POST',
    path: `${face.path}/requests/:requestId/cancel`,
    tag: face.tag,
    summary: 'Discard a draft',
    body: CancelRequest,
    normalise: { keepBlank: true },
    answers: { 204: NoContent },
    // the use case itself tells an unknown draft from one that is gone
    locate: async () => ok(undefined),
    run: (call) =>
      call.effect<OrderView>(
        (recorder) => deps.orders.cancelDraft(call.ctx, face.family, call.params.requestId ?? '', recorder),
        () => noContent(),
      ),
  });
}

export function revokeOperation(deps: OrderDependencies, face: FamilyFace): Operation {
  return operation({
    id: `revoke${face.name}Certificate`,
    method: 'POST',
    path: `${face.path}/:orderId/revoke`,
    tag: face.tag,
    summary: 'Revoke an issued certificate',
    body: RevokeRequest,
    normalise: { fold: { reason: foldReason } },
    answers: { 200: ref(RevocationResult), 204: NoContent },
    locate: locateOrder(deps, face),
    async run(call) {
      const { reason: word = 'unspecified', note = '' } = call.body;
      const reason = reasonOf(word);
      if (reason === undefined)
        return fail(invalidFields([{ field: 'reason', message: 'is not a revocation reason' }]));
      const refused = refuseCall('revoke', call.object.phase);
      if (refused !== undefined) return fail(refused);
      return call.effect<OrderView>(
        (recorder) => deps.orders.revoke(call.ctx, face.family, call.params.orderId ?? '', { reason, note }, recorder),
        (view) => doneAnswer(call, () => revocationResult(view)),
      );
    },
  });
}
