/** Private PKI certificates: no DCV, no organization, no agreement. */
import type { OrderView } from '@certwright/core';
import { PRIVATE_PKI_EXCEPTIONS } from '../error-table.ts';
import { json, noObject, type Operation, operation } from '../operation.ts';
import { privatePkiOrderRequest } from '../order-request.ts';
import { createdPrivatePkiOrder, privatePkiOrder } from '../present/orders.ts';
import { ref } from '../schemas/common.ts';
import { CreatePrivatePkiOrderRequest, CreatePrivatePkiOrderResponse, PrivatePkiOrder } from '../schemas/orders.ts';
import {
  API_BASE,
  cancelDraftOperation,
  certificateOperation,
  csrOperation,
  type FamilyFace,
  type OrderDependencies,
  revokeOperation,
  trackOperation,
  withdrawOperation,
} from './orders.ts';

const PRIVATE_PKI: FamilyFace = {
  family: 'private-pki',
  path: '/private-pki-certificates',
  tag: 'Private PKI Certificates',
  name: 'PrivatePki',
  order: PrivatePkiOrder,
  show: privatePkiOrder,
  needsReason: false,
};

function createOperation({ orders }: OrderDependencies): Operation {
  const { path, tag } = PRIVATE_PKI;
  return operation({
    id: 'createPrivatePkiOrder',
    method: 'POST',
    path,
    tag,
    summary: 'Place an order against a private CA, save a draft or promote one',
    body: CreatePrivatePkiOrderRequest,
    createsOrder: true,
    exceptions: PRIVATE_PKI_EXCEPTIONS,
    answers: { 201: ref(CreatePrivatePkiOrderResponse) },
    locate: noObject,
    run: ({ ctx, body, productCode, effect }) =>
      effect<OrderView>(
        (recorder) => orders.create(ctx, privatePkiOrderRequest(body, productCode), recorder),
        (view) =>
          json(
            201,
            createdPrivatePkiOrder(view),
            view.order.number === null ? {} : { location: `${API_BASE}${path}/${view.order.number}` },
          ),
      ),
  });
}

export const privatePkiOperations = (deps: OrderDependencies): readonly Operation[] => [
  createOperation(deps),
  cancelDraftOperation(deps, PRIVATE_PKI),
  trackOperation(deps, PRIVATE_PKI),
  csrOperation(deps, PRIVATE_PKI),
  certificateOperation(deps, PRIVATE_PKI),
  withdrawOperation(deps, PRIVATE_PKI, 'cancel'),
  revokeOperation(deps, PRIVATE_PKI),
];
