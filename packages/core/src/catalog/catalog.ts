import { fail, ok, type Result } from '@certwright/pki';
import type { AccountDirectory } from '../accounts/directory.ts';
import type { CallContext, CatalogService } from '../api.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { GroupRecord, ProductRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { BoundedMap } from '../support.ts';

/** Products as the order use cases look them up. */
export interface Catalog extends CatalogService {
  /** Active and retired products visible to the account. */
  all(accountId: number): Promise<readonly ProductRecord[]>;
  byId(accountId: number, productId: number): Promise<ProductRecord | undefined>;
  /** The group that a request names, or the caller's, or the default one. Error `notFound`. */
  group(ctx: CallContext, groupNumber: string | undefined): Promise<Result<GroupRecord, DomainError>>;
}

/** Whether the group may order the product (contract platform section 3.2). */
export function groupAllows(group: GroupRecord, product: ProductRecord): boolean {
  return (
    group.productCodes === null ||
    group.productCodes.includes(product.code) ||
    product.aliases.some((alias) => group.productCodes?.includes(alias))
  );
}

export function createCatalog(deps: Pick<CoreDependencies, 'store'>, directory: AccountDirectory): Catalog {
  const { store } = deps;
  const kept = new BoundedMap<number, readonly ProductRecord[]>(1_000);
  let generation = 0;
  store.onInvalidation((change) => {
    if (change.kind !== 'catalog' && change.kind !== 'everything') return;
    kept.clear();
    generation++;
  });

  async function all(accountId: number): Promise<readonly ProductRecord[]> {
    const known = kept.get(accountId);
    if (known !== undefined) return known;
    const before = generation;
    const products = await store.products.forAccount(accountId);
    if (generation === before) kept.set(accountId, products);
    return products;
  }

  async function group(ctx: CallContext, groupNumber: string | undefined): Promise<Result<GroupRecord, DomainError>> {
    const entry = await directory.entry(ctx.caller.accountId);
    if (entry === undefined) return fail(domainError('notFound', 'The account is not active'));
    const bound = ctx.caller.groupId;
    const wanted =
      groupNumber !== undefined
        ? entry.groups.find((one) => one.number === groupNumber)
        : bound !== null
          ? entry.groups.find((one) => one.id === bound)
          : entry.defaultGroup;
    if (wanted === undefined || (bound !== null && wanted.id !== bound)) {
      return fail(domainError('notFound', `Group ${groupNumber ?? ''} not found under this account`));
    }
    if (wanted.status !== 'active') {
      return fail(domainError('permission.denied', `Group ${wanted.number} is inactive and takes no orders`));
    }
    return ok(wanted);
  }

  return {
    all,
    group,

    async byId(accountId, productId) {
      const known = (await all(accountId)).find((product) => product.id === productId);
      return known ?? store.products.byId(productId);
    },

    async products(ctx, groupNumber) {
      const chosen = await group(ctx, groupNumber);
      if (!chosen.ok) return chosen;
      const entry = await directory.entry(ctx.caller.accountId);
      const products = (await all(ctx.caller.accountId)).filter(
        (product) => product.status === 'active' && groupAllows(chosen.value, product),
      );
      return ok({ currency: entry?.account.currency ?? 'USD', products });
    },

    async customFields(ctx, productCode, groupNumber) {
      const chosen = await group(ctx, groupNumber);
      if (!chosen.ok) return chosen;
      const product = (await all(ctx.caller.accountId)).find(
        (one) => one.status === 'active' && (one.code === productCode || one.aliases.includes(productCode)),
      );
      if (product === undefined)
        return fail(domainError('notFound', `Product ${productCode} not found under this account`));
      if (!groupAllows(chosen.value, product)) {
        return fail(
          domainError(
            'product.notProvisioned',
            `Product ${productCode} is not provisioned for group ${chosen.value.number}`,
          ),
        );
      }
      return ok(product.customFields);
    },
  };
}
