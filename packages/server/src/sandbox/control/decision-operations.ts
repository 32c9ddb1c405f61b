import type { DomainError, OperatorContext, OrderView } from '@certwright/core';
import { fail, ok, type Result } from '@certwright/pki';
import Type, { type Static } from 'typebox';
import { type ControlDependencies, type Operation, operation } from './operation.ts';
import type { Refusal } from './problem.ts';
import * as wire from './schemas.ts';

const DEFAULT_REASON = 'Decided through the control API of the sandbox';

/** What a registration officer decides. */
export function decisionOperations(deps: ControlDependencies): readonly Operation[] {
  const { orders, accounts } = deps.core;

  async function decided(outcome: Result<OrderView, DomainError>): Promise<Result<Static<typeof wire.Order>, Refusal>> {
    if (!outcome.ok) return fail({ kind: 'domain', error: outcome.error });
    await deps.runDueWork();
    const { order, certificate, phase } = outcome.value;
    const accountNumber = await deps.accountNumber(order.accountId);
    return ok({
      orderId: order.number ?? '',
      requestId: order.requestNumber,
      ...(accountNumber === undefined ? {} : { accountNumber }),
      family: order.family,
      productCode: order.productCode,
      phase,
      lifecycle: order.lifecycle,
      names: order.names.map(({ value }) => value),
      ...(certificate === null ? {} : { serialNumber: certificate.serial.toUpperCase() }),
    });
  }

  const decision = (
    id: string,
    verb: string,
    summary: string,
    run: (operator: OperatorContext, number: string, reason: string) => Promise<Result<OrderView, DomainError>>,
  ): Operation =>
    operation({
      id,
      method: 'POST',
      path: `/orders/:id/${verb}`,
      summary,
      tag: 'Orders',
      params: wire.OrderParams,
      body: wire.OrderDecision,
      answer: Type.Ref('Order'),
      run: async ({ operator, params, body }) => decided(await run(operator, params.id, body.reason ?? DEFAULT_REASON)),
    });

  const notBuilt = (id: string, verb: string, summary: string): Operation =>
    operation({
      id,
      method: 'POST',
      path: `/orders/:id/${verb}`,
      summary,
      tag: 'Orders',
      params: wire.OrderParams,
      body: wire.OrderDecision,
      answer: Type.Ref('Order'),
      run: () =>
        fail({
          kind: 'status',
          status: 501,
          code: 'notImplemented',
          detail: 'Certificates cannot be put on hold in this version',
        }),
    });

  return [
    decision('approveOrder', 'approve', 'Approves an order that waits for it.', (operator, number) =>
      orders.approve(operator, number),
    ),
    decision('rejectOrder', 'reject', 'Refuses an order.', (operator, number, reason) =>
      orders.refuse(operator, number, reason),
    ),
    notBuilt('suspendOrder', 'suspend', 'Puts the order’s certificate on hold (not in this version).'),
    notBuilt('resumeOrder', 'resume', 'Ends the hold (not in this version).'),
    operation({
      id: 'vetOrganization',
      method: 'POST',
      path: '/organizations/:number/vet',
      summary: 'Records the result of vetting; orders that wait for it go on or are rejected.',
      tag: 'Organizations',
      params: wire.OrganizationParams,
      body: wire.Vetting,
      answer: wire.VettedOrganization,
      async run({ operator, params, body }) {
        const vetted = await accounts.vet(operator, params.number, {
          decision: body.decision ?? 'validated',
          vettedFor: body.vettedFor ?? ['ov', 'ev', 'smime'],
          preVettingToken: body.preVettingToken ?? false,
          reason: body.reason ?? DEFAULT_REASON,
        });
        if (!vetted.ok) return fail({ kind: 'domain', error: vetted.error });
        await deps.runDueWork();
        const { organization, preVettingToken } = vetted.value;
        return ok({
          organizationNumber: organization.number,
          name: organization.name,
          validation: organization.validation,
          vettedFor: [...organization.vettedFor],
          vettedUntil: organization.vettedUntil === null ? null : new Date(organization.vettedUntil).toISOString(),
          ...(preVettingToken === null ? {} : { preVettingToken }),
        });
      },
    }),
  ];
}
