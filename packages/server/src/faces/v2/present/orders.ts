/** Orders as API v2 shows them. */
import type { DomainRecord, Instant, OrderName, OrderView, Requirement } from '@certwright/core';
import type { Static } from 'typebox';
import { reasonWord } from '../normalise.ts';
import { optional } from '../operation.ts';
import type {
  CreatePrivatePkiOrderResponse,
  CreateSslOrderResponse,
  OrderDomainVerification,
  PrivatePkiOrder,
  RevocationResult,
  SslOrder,
} from '../schemas/orders.ts';
import { statusWords } from '../status-table.ts';
import { rfc3339 } from '../time-format.ts';

type RequirementOf<K extends Requirement['kind']> = Extract<Requirement, { readonly kind: K }>;

function requirement<K extends Requirement['kind']>({ order }: OrderView, kind: K): RequirementOf<K> | undefined {
  return order.requirements.find((one): one is RequirementOf<K> => one.kind === kind);
}

const primaryName = ({ order }: OrderView): string => order.names[0]?.value ?? order.label;

/** Names beyond the primary one as they were ordered: the `www.` that the order added itself is not among them. */
function additionalNames(view: OrderView): string[] {
  const { names, details } = view.order;
  const primary = primaryName(view);
  const last = names.at(-1);
  const isAddition = details.autoSecureWww && names.length > 1 && last?.value === `www.${primary}`;
  // a single further name was ordered when the product is one for several names
  const added = isAddition && !(names.length === 2 && view.product.rules.multiDomain);
  return names.slice(1, added ? -1 : undefined).map((name) => name.value);
}

const filled = <T>(list: readonly T[]): T[] | undefined => (list.length === 0 ? undefined : [...list]);
const instant = (at: Instant | null | undefined): string | undefined =>
  at === null || at === undefined ? undefined : rfc3339(at);

const created = (view: OrderView) => ({
  ...optional('orderId', view.order.number ?? undefined),
  requestId: view.order.requestNumber,
  status: statusWords(view).status,
  createdAt: rfc3339(view.order.createdAt),
  resolvedProductCode: view.order.productCode,
  ...(view.order.lifecycle === 'draft' ? { draft: true } : {}),
});

export const createdSslOrder = (view: OrderView): Static<typeof CreateSslOrderResponse> => ({
  ...created(view),
  productVariant: view.order.details.variant,
  domain: primaryName(view),
  ...optional('additionalDomains', filled(additionalNames(view))),
});

export const createdPrivatePkiOrder = (view: OrderView): Static<typeof CreatePrivatePkiOrderResponse> => ({
  ...created(view),
  variant: view.order.details.variant,
  hostname: primaryName(view),
  ...optional('additionalHosts', filled(view.order.names.slice(1).map((name) => name.value))),
});

function subscriptionOf({ subscription, order }: OrderView, now: Instant) {
  const isWithdrawn = order.lifecycle === 'cancelled' || order.lifecycle === 'rejected';
  return {
    validityYears: subscription.years,
    endDate: rfc3339(subscription.endsAt),
    status: isWithdrawn
      ? ('cancelled' as const)
      : subscription.endsAt <= now
        ? ('expired' as const)
        : ('active' as const),
  };
}

function revocationOf({ phase, certificate }: OrderView) {
  if ((phase !== 'revoked' && phase !== 'onHold') || certificate === null) return undefined;
  return {
    status: 'Certificate Revoked',
    reason: reasonWord(certificate.revocationReason ?? 'unspecified'),
    ...optional('processedAt', instant(certificate.revokedAt)),
  };
}

function tracked(view: OrderView, now: Instant) {
  const { order, certificate } = view;
  const { requestor, remarks, tags } = order.details;
  const words = statusWords(view);
  const isIssued = order.lifecycle === 'issued';
  return {
    orderId: order.number ?? '',
    requestId: order.requestNumber,
    status: words.status,
    orderState: words.orderState,
    certificateState: words.certificateState,
    createdAt: rfc3339(order.createdAt),
    ...optional('issuedAt', instant(order.issuedAt)),
    ...optional('expiresAt', isIssued ? instant(certificate?.notAfter) : undefined),
    requestor: {
      name: requestor.name,
      email: requestor.email,
      ...optional('phone', requestor.phone === '' ? undefined : requestor.phone),
      ...optional('designation', requestor.designation === '' ? undefined : requestor.designation),
    },
    csrSubmitted: order.csr !== null,
    subscription: subscriptionOf(view, now),
    ...optional('revocation', revocationOf(view)),
    resolvedProductCode: order.productCode,
    ...optional('remarks', remarks === '' ? undefined : remarks),
    ...optional('tags', filled(tags)),
    ...optional('originalOrderId', view.originalNumber ?? undefined),
  };
}

function agreementOf(view: OrderView) {
  const accepted = requirement(view, 'agreement')?.accepted ?? null;
  if (accepted === null) return { signed: false };
  return {
    signed: true,
    signerName: accepted.name,
    signedAt: rfc3339(accepted.at),
    signedPlace: accepted.place,
  };
}

type DomainVerification = Static<typeof OrderDomainVerification>;

const CAA_STATUS = { passed: 'PASSED', failed: 'FAILED', skipped: 'SKIPPED', unchecked: undefined } as const;

/** Status of a row of the register; after `validTill` it is EXPIRED. */
export function domainStatus(row: DomainRecord, now: Instant): 'ACTIVE' | 'INACTIVE' | 'EXPIRED' {
  if (row.status === 'inactive') return 'INACTIVE';
  return row.validTill !== null && row.validTill <= now ? 'EXPIRED' : 'ACTIVE';
}

function domainVerification(
  name: OrderName,
  row: DomainRecord | undefined,
  isProven: boolean,
  now: Instant,
): DomainVerification {
  if (row === undefined) return { domain: name.value, dcvStatus: isProven ? 'VERIFIED' : 'PENDING' };
  return {
    domain: name.value,
    domainStatus: domainStatus(row, now),
    dcvMethod: row.verifiedBy ?? row.method,
    dcvStatus: isProven ? 'VERIFIED' : row.dcvStatus === 'rejected' ? 'REJECTED' : 'PENDING',
    ...optional('verifiedAt', isProven ? instant(row.verifiedAt) : undefined),
    ...optional('caaStatus', CAA_STATUS[row.caaStatus]),
  };
}

function domainVerifications(view: OrderView, now: Instant) {
  const pending = requirement(view, 'dcv')?.pending ?? [];
  const rows = new Map(view.domains.map((row) => [row.id, row]));
  const domains = view.order.names.map((name) =>
    domainVerification(
      name,
      name.domainId === null ? undefined : rows.get(name.domainId),
      !pending.includes(name.value),
      now,
    ),
  );
  const status = domains.some((domain) => domain.dcvStatus === 'REJECTED')
    ? ('REJECTED' as const)
    : pending.length === 0
      ? ('VERIFIED' as const)
      : ('PENDING' as const);
  return { status, domains };
}

function organizationVerification(view: OrderView) {
  const organization = requirement(view, 'organization');
  if (organization === undefined) return undefined;
  return {
    status: organization.met
      ? ('VERIFIED' as const)
      : view.organization?.validation === 'rejected'
        ? ('REJECTED' as const)
        : ('PENDING' as const),
    ...optional('organizationName', view.organization?.name),
  };
}

export const sslOrder = (view: OrderView, now: Instant): Static<typeof SslOrder> => ({
  ...tracked(view, now),
  productVariant: view.order.details.variant,
  domain: primaryName(view),
  ...optional('additionalDomains', filled(additionalNames(view))),
  subscriberAgreement: agreementOf(view),
  verifications: {
    domain: domainVerifications(view, now),
    ...optional('organization', organizationVerification(view)),
  },
});

export const privatePkiOrder = (view: OrderView, now: Instant): Static<typeof PrivatePkiOrder> => ({
  ...tracked(view, now),
  variant: view.order.details.variant,
  hostname: primaryName(view),
  ...optional('additionalHosts', filled(view.order.names.slice(1).map((name) => name.value))),
});

export function revocationResult({ order, certificate }: OrderView): Static<typeof RevocationResult> {
  return {
    orderId: order.number ?? '',
    status: 'revoked',
    ...optional('revokedAt', instant(certificate?.revokedAt)),
    reason: reasonWord(certificate?.revocationReason ?? 'unspecified'),
  };
}
