import { fail, ok, type Result } from '@certwright/pki';
import type { CallContext, OrderView } from '../api.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { OrderFamily, OrderRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { phaseOf } from './phase.ts';

export interface OrderViews {
  /** Collects everything that belongs to an order. */
  of(order: OrderRecord): Promise<OrderView>;
  /** The caller's order of this family. Error `notFound`, also for other tenants' orders. */
  get(ctx: CallContext, family: OrderFamily | null, number: string): Promise<Result<OrderView, DomainError>>;
  /** Any order, for operators. */
  find(number: string): Promise<Result<OrderView, DomainError>>;
}

export function createOrderViews(deps: Pick<CoreDependencies, 'store' | 'clock'>, catalog: Catalog): OrderViews {
  const { store, clock } = deps;

  async function of(order: OrderRecord): Promise<OrderView> {
    const domainIds = order.names.flatMap((name) => (name.domainId === null ? [] : [name.domainId]));
    const [product, subscription, certificate, domains, organization, original] = await Promise.all([
      catalog.byId(order.accountId, order.productId),
      store.orders.subscription(order.subscriptionId),
      order.certificateId === null ? undefined : store.certificates.byId(order.certificateId),
      domainIds.length === 0 ? [] : store.domains.byIds([...new Set(domainIds)]),
      order.organizationId === null ? undefined : store.accounts.organizationById(order.organizationId),
      order.originalOrderId === null ? undefined : store.orders.byId(order.originalOrderId),
    ]);
    if (product === undefined || subscription === undefined)
      throw new Error(`order ${order.id} lost its product or subscription`);
    const rank = new Map(domainIds.map((id, index) => [id, index]));
    return {
      order,
      product,
      subscription,
      certificate: certificate ?? null,
      domains: [...domains].sort((a, b) => (rank.get(a.id) ?? 0) - (rank.get(b.id) ?? 0)),
      organization: organization ?? null,
      originalNumber: original?.number ?? null,
      phase: phaseOf(order, certificate ?? null, clock.now()),
    };
  }

  return {
    of,

    async get(ctx, family, number) {
      const order = await store.orders.byNumber(number);
      if (
        order === undefined ||
        order.accountId !== ctx.caller.accountId ||
        (ctx.caller.groupId !== null && order.groupId !== ctx.caller.groupId) ||
        (family !== null && order.family !== family)
      ) {
        return fail(domainError('notFound', `Order ${number} not found under this account`));
      }
      return ok(await of(order));
    },

    async find(number) {
      const order = await store.orders.byNumber(number);
      return order === undefined ? fail(domainError('notFound', `Order ${number} not found`)) : ok(await of(order));
    },
  };
}
