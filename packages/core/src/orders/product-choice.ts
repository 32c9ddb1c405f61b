/** Which product an order request means (contract v2 section 7.3). */
import { fail, ok, type Result } from '@certwright/pki';
import type { OrderRequest } from '../api.ts';
import { groupAllows } from '../catalog/catalog.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { GroupRecord, ProductRecord } from '../records/index.ts';
import { parseSslVariant } from './names.ts';

export interface NameShape {
  readonly wildcard: boolean;
  readonly multiDomain: boolean;
}

const invalid = (detail: string): { readonly ok: false; readonly error: DomainError } =>
  fail(domainError('product.invalid', detail));

function fits(product: ProductRecord, request: OrderRequest, shape: NameShape): boolean {
  const { rules } = product;
  switch (request.family) {
    case 'ssl': {
      const level = parseSslVariant(request.variant)?.level;
      // a product may cover more than the request needs (a wildcard product without wildcard names would be odd: refuse)
      return rules.level === level && rules.wildcard === shape.wildcard && rules.multiDomain === shape.multiDomain;
    }
    case 'private-pki':
      return rules.variant === request.variant;
    case 'signature':
      return rules.variant === request.subject.subjectType;
  }
}

/**
 * Chooses the product: the one named, when it may be ordered and fits, else the one that fits body and term.
 * Errors `product.invalid`, `product.notProvisioned`, `order.certificateInformation`, `order.subscription`.
 */
export function chooseProduct(
  products: readonly ProductRecord[],
  group: GroupRecord,
  request: OrderRequest,
  shape: NameShape,
): Result<ProductRecord, DomainError> {
  if (request.family === 'ssl') {
    const variant = parseSslVariant(request.variant);
    if (variant === undefined) return invalid(`productVariant ${request.variant} is not known`);
    if (variant.level === 'ev' && shape.wildcard) {
      return fail(domainError('order.certificateInformation', 'EV certificates take no wildcard names'));
    }
    if (variant.shape?.multiDomain === true && !shape.multiDomain) {
      return fail(
        domainError(
          'order.certificateInformation',
          `productVariant ${request.variant} needs certificate.additionalDomains`,
        ),
      );
    }
    if (
      variant.shape !== undefined &&
      (variant.shape.wildcard !== shape.wildcard || variant.shape.multiDomain !== shape.multiDomain)
    ) {
      return invalid(`productVariant ${request.variant} does not agree with the domains of the order`);
    }
  }
  const family = products.filter((product) => product.family === request.family && product.status === 'active');
  const years = request.subscription.years;

  if (request.productCode !== undefined) {
    const code = request.productCode;
    const known = products.find(
      (product) => product.status === 'active' && (product.code === code || product.aliases.includes(code)),
    );
    if (known === undefined) return invalid(`Product ${code} is unknown or not entitled to this account`);
    if (!groupAllows(group, known)) {
      return fail(
        domainError('product.notProvisioned', `Product ${code} is not provisioned for group ${group.number}`),
      );
    }
    if (known.family !== request.family || !fits(known, request, shape)) {
      return invalid(`Product ${code} does not fit the request (${known.name})`);
    }
    if (!known.rules.years.includes(years)) {
      return fail(
        domainError(
          'order.subscription',
          `Product ${code} is offered for ${known.rules.years.join(', ')} year(s), not for ${years}`,
        ),
      );
    }
    return ok(known);
  }

  const fitting = family.filter((product) => fits(product, request, shape));
  const allowed = fitting.filter((product) => groupAllows(group, product));
  const [first] = allowed;
  if (first === undefined) {
    return fitting.length > 0
      ? fail(
          domainError('product.notProvisioned', `No product for this request is provisioned for group ${group.number}`),
        )
      : invalid('No product of this account fits the request');
  }
  const forTerm = allowed.filter((product) => product.rules.years.includes(years));
  // several products of one kind: the one with the longest certificates, as the yearly one has (section 7.3, rule 5)
  const best = forTerm.reduce<ProductRecord | undefined>(
    (chosen, product) =>
      chosen === undefined ||
      (product.rules.maxCertificateDays ?? Number.POSITIVE_INFINITY) >
        (chosen.rules.maxCertificateDays ?? Number.POSITIVE_INFINITY)
        ? product
        : chosen,
    undefined,
  );
  return best === undefined
    ? fail(
        domainError(
          'order.subscription',
          `A term of ${years} year(s) is not offered; ${first.name} is offered for ${first.rules.years.join(', ')}`,
        ),
      )
    : ok(best);
}
