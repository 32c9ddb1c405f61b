/** Placing an order, saving a draft, promoting one (contract v2 sections 6.4 and 7). */
import { type CertificateProfile, certificateProfile, fail, ok, type Result } from '@certwright/pki';
import { preVettingContext } from '../accounts/accounts.ts';
import type { AnswerRecorder, CallContext, OrderRequest, OrderView, Outcome } from '../api.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { Write } from '../ports/store.ts';
import type {
  AuditDraft,
  DomainRecord,
  GroupRecord,
  OrderDetails,
  OrderName,
  OrderRecord,
  OrganizationRecord,
  PersonSubject,
  ProductRecord,
} from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { addYears, MAX_ATTEMPTS, randomDigits, refuseReadOnly } from '../support.ts';
import { checkCsr } from './csr-evidence.ts';
import { parseHosts, parseSslNames } from './names.ts';
import type { CaaGate, DomainRegister } from './ports.ts';
import { chooseProduct, type NameShape } from './product-choice.ts';
import { recordRefusal } from './refusals.ts';
import { initialRequirements, unprovenNames } from './requirements.ts';
import type { Settler } from './settle.ts';

/** What the body says about names and label, parsed. */
interface ParsedRequest {
  readonly names: readonly OrderName[];
  readonly label: string;
  readonly shape: NameShape;
  readonly autoSecureWww: boolean;
  readonly variant: string;
  readonly subject: PersonSubject | null;
}

function displayName(subject: PersonSubject): string {
  const person = `${subject.firstName} ${subject.lastName}`.trim();
  return subject.subjectType === 'legal-entity' ? subject.organizationName : person;
}

function parseRequest(request: OrderRequest): Result<ParsedRequest, DomainError> {
  switch (request.family) {
    case 'ssl': {
      const parsed = parseSslNames(request);
      if (!parsed.ok) return parsed;
      const { names, shape, autoSecureWww } = parsed.value;
      const [primary] = names;
      return ok({
        names: names.map((value) => ({ kind: 'dns', value, domainId: null })),
        label: primary ?? '',
        shape,
        autoSecureWww,
        variant: request.variant,
        subject: null,
      });
    }
    case 'private-pki': {
      const hosts = parseHosts(request.hostname, request.additionalHosts);
      if (!hosts.ok) return hosts;
      return ok({
        names: hosts.value.map((host) => ({ ...host, domainId: null })),
        label: hosts.value[0]?.value ?? '',
        shape: { wildcard: false, multiDomain: false },
        autoSecureWww: false,
        variant: request.variant,
        subject: null,
      });
    }
    case 'signature':
      return ok({
        names: [],
        label: displayName(request.subject),
        shape: { wildcard: false, multiDomain: false },
        autoSecureWww: false,
        variant: request.subject.subjectType,
        subject: request.subject,
      });
  }
}

function checkTerm(request: OrderRequest): DomainError | undefined {
  const { years, renewBeforeDays } = request.subscription;
  if (!Number.isInteger(years) || years < 1 || years > 3) {
    return domainError('order.subscription', 'subscription.validityYears must be 1, 2 or 3');
  }
  if (!Number.isInteger(renewBeforeDays) || renewBeforeDays < 1 || renewBeforeDays > 365) {
    return domainError('order.subscription', 'subscription.renewBeforeDays must lie between 1 and 365');
  }
  return undefined;
}

function checkCustomFields(request: OrderRequest, product: ProductRecord): DomainError | undefined {
  const given = new Map(request.customFields.map((field) => [field.fieldId, field.value]));
  for (const field of product.customFields) {
    const value = given.get(field.fieldId) ?? '';
    if (field.mandatory && value.trim() === '') {
      return domainError(
        'order.additionalInformation',
        `Custom field ${field.name} (${field.fieldId}) is mandatory for ${product.name}`,
      );
    }
    if (field.maxLength !== null && value.length > field.maxLength) {
      return domainError(
        'order.additionalInformation',
        `Custom field ${field.name} takes at most ${field.maxLength} characters`,
      );
    }
    if (
      value !== '' &&
      field.values.length > 0 &&
      !field.values.some((one) => one === value || one.split(':')[0] === value)
    ) {
      return domainError('order.additionalInformation', `Custom field ${field.name} does not take the value given`);
    }
  }
  return undefined;
}

/** What a promoted draft's subscription takes over from the new body. */
function termsOf({ years, startsAt, endsAt, autoRenew, renewBeforeDays }: OrderView['subscription']) {
  return { years, startsAt, endsAt, autoRenew, renewBeforeDays };
}

type Agreement = { readonly name: string; readonly place: string; readonly ip: string; readonly at: number };

/** The acceptance of the Subscriber Agreement, when it is a real one. Errors `agreement.notAccepted`, `agreement.incomplete`. */
export function acceptedAgreement(
  input: { readonly signerName: string; readonly signerPlace: string; readonly accepted: boolean },
  ip: string,
  at: number,
): Result<Agreement, DomainError> {
  if (!input.accepted)
    return fail(
      domainError('agreement.notAccepted', 'The Subscriber Agreement must be accepted: agreement.accepted is false'),
    );
  const name = input.signerName.trim();
  const place = input.signerPlace.trim();
  if (name === '' || place === '') {
    return fail(
      domainError('agreement.incomplete', 'agreement.signerName and agreement.signerPlace must not be blank'),
    );
  }
  return ok({ name, place, ip, at });
}

export interface OrderPlacement {
  create(ctx: CallContext, request: OrderRequest, recorder?: AnswerRecorder<OrderView>): Outcome<OrderView>;
}

export function createOrderPlacement(
  deps: CoreDependencies,
  catalog: Catalog,
  register: DomainRegister,
  caa: CaaGate,
  settler: Settler,
): OrderPlacement {
  const { store, clock, random, secrets, settings } = deps;

  async function organizationOf(
    ctx: CallContext,
    request: OrderRequest,
    product: ProductRecord,
  ): Promise<Result<OrganizationRecord | null, DomainError>> {
    const needed = product.rules.requirements.includes('organization');
    if (request.family !== 'ssl' || request.organization === undefined) {
      return needed
        ? fail(
            domainError(
              'order.organizationMissing',
              'Organization Name cannot be empty: give organization.organizationNumber',
            ),
          )
        : ok(null);
    }
    const { number } = request.organization;
    const organization = await store.accounts.organizationByNumber(ctx.caller.accountId, number);
    if (organization === undefined || organization.status !== 'active') {
      return fail(
        domainError(
          'order.organizationUnknown',
          `Organization ${number} is not an active organization of this account`,
        ),
      );
    }
    return ok(organization);
  }

  function isPreVetted(request: OrderRequest, organization: OrganizationRecord | null): boolean {
    if (request.family !== 'ssl' || organization === null || organization.preVettingTokenHash === null) return false;
    const token = request.organization?.preVettingToken;
    return (
      token !== undefined &&
      secrets.keyedHash(token, preVettingContext(organization.id)) === organization.preVettingTokenHash
    );
  }

  /** Rows of the domain register for the names, and the names with their rows. */
  async function linkDomains(
    ctx: CallContext,
    parsed: ParsedRequest,
    product: ProductRecord,
    organization: OrganizationRecord | null,
    now: number,
  ): Outcome<{
    names: readonly OrderName[];
    domains: readonly DomainRecord[];
    writes: readonly Write[];
    audit: readonly AuditDraft[];
  }> {
    if (!product.rules.requirements.includes('dcv'))
      return ok({ names: parsed.names, domains: [], writes: [], audit: [] });
    const registered = await register.registerForOrder({
      accountId: ctx.caller.accountId,
      organizationId: organization?.id ?? null,
      names: parsed.names.map((name) => name.value),
      ctx,
      now,
    });
    if (!registered.ok) return registered;
    const { domains, writes, audit } = registered.value;
    return ok({
      names: parsed.names.map((name, index) => ({ ...name, domainId: domains[index]?.id ?? null })),
      domains: [...new Map(domains.map((domain) => [domain.id, domain])).values()],
      writes,
      audit,
    });
  }

  function profileOf(product: ProductRecord): CertificateProfile {
    const profile = certificateProfile(product.rules.profileId);
    if (profile === undefined)
      throw new Error(`product ${product.code} names the unknown profile ${product.rules.profileId}`);
    return profile;
  }

  function detailsOf(request: OrderRequest, parsed: ParsedRequest, correlation: string): OrderDetails {
    return {
      requestor: request.requestor,
      technicalContact: request.technicalContact,
      delegation: request.delegation,
      emailNotifications: request.emailNotifications,
      recipientEmails: request.recipientEmails,
      tags: request.tags,
      customFields: request.customFields,
      remarks: request.remarks,
      correlation,
      variant: parsed.variant,
      autoSecureWww: parsed.autoSecureWww,
      subject: parsed.subject,
      draft: request.saveAsDraft ? request : null,
      closingReason: '',
      attested: request.attested,
    };
  }

  /** The draft that the request promotes; null when its request id is just the caller's own value. */
  async function draftOf(ctx: CallContext, request: OrderRequest): Promise<Result<OrderRecord | null, DomainError>> {
    if (request.requestId === undefined) return ok(null);
    const order = await store.orders.byRequestNumber(ctx.caller.accountId, request.requestId);
    if (order === undefined || (ctx.caller.groupId !== null && order.groupId !== ctx.caller.groupId)) return ok(null);
    if (order.family !== request.family) return ok(null);
    if (order.lifecycle !== 'draft') {
      return fail(domainError('order.wrongState', `Draft ${request.requestId} was promoted or discarded before`));
    }
    return ok(order);
  }

  async function attempt(
    ctx: CallContext,
    request: OrderRequest,
    group: GroupRecord,
    product: ProductRecord,
    parsed: ParsedRequest,
    recorder: AnswerRecorder<OrderView> | undefined,
  ): Promise<Result<OrderView, DomainError> | 'retry'> {
    const now = clock.now();
    const draft = await draftOf(ctx, request);
    if (!draft.ok) return draft;
    const before = draft.value;
    const base = {
      accountId: ctx.caller.accountId,
      groupId: group.id,
      family: request.family,
      productId: product.id,
      productCode: request.productCode ?? product.code,
      level: product.rules.level,
      label: parsed.label,
      details: detailsOf(request, parsed, before === null ? (request.requestId ?? '') : ''),
      originalOrderId: null,
      certificateId: null,
      originator: ctx.origin.originator,
      credentialId: ctx.caller.credentialId,
      createdAt: now,
      issuedAt: null,
      closedAt: null,
    } as const;
    const earlier = before === null ? undefined : await store.orders.subscription(before.subscriptionId);
    const subscription = {
      id: earlier?.id ?? (await store.nextId()),
      accountId: ctx.caller.accountId,
      years: request.subscription.years,
      startsAt: now,
      endsAt: addYears(now, request.subscription.years),
      autoRenew: request.subscription.autoRenew,
      renewBeforeDays: request.subscription.renewBeforeDays,
      successors: 0,
      version: earlier?.version ?? 1,
    };
    const identity = {
      id: before?.id ?? (await store.nextId()),
      requestNumber: before?.requestNumber ?? randomDigits(random, 10),
      subscriptionId: subscription.id,
      version: before?.version ?? 1,
    };

    if (request.saveAsDraft) {
      const order: OrderRecord = {
        ...base,
        ...identity,
        number: null,
        lifecycle: 'draft',
        phase: 'draft',
        names: parsed.names,
        organizationId: null,
        csr: null,
        requirements: initialRequirements(
          product,
          {
            organization: null,
            unproven: parsed.names.map((name) => name.value),
            csr: false,
            agreement: null,
            preVetted: false,
          },
          now,
        ),
      };
      return finish(ctx, before, { order, product, subscription }, [], [], [], recorder, 'order.draftSaved');
    }

    const organization = await organizationOf(ctx, request, product);
    if (!organization.ok) return organization;
    const missing = checkCustomFields(request, product);
    if (missing !== undefined) return fail(missing);

    let agreement: Agreement | null = null;
    if (request.agreement !== undefined && product.rules.requirements.includes('agreement')) {
      const accepted = acceptedAgreement(request.agreement, ctx.origin.ip, now);
      if (!accepted.ok) return accepted;
      agreement = accepted.value;
    }
    let csr: Uint8Array | null = null;
    if (request.csr !== undefined) {
      const checked = await checkCsr(
        request.csr,
        { family: request.family, names: parsed.names, label: parsed.label },
        profileOf(product),
        deps,
      );
      if (!checked.ok) return checked;
      csr = checked.value.der;
    }

    const linked = await linkDomains(ctx, parsed, product, organization.value, now);
    if (!linked.ok) return linked;
    const { names, domains } = linked.value;
    const audit = [...linked.value.audit];
    const unproven = unprovenNames(names, domains, register, now);
    if (product.rules.caa) {
      // at order time (contract v2 section 7.2); asked again right before issuance
      const permitted = await caa.permit(
        ctx,
        names.map((name) => ({ name: name.value, method: null })),
        ctx.caller.accountId,
      );
      if (!permitted.ok) return permitted;
      audit.push(...permitted.value.audit);
    }
    const order: OrderRecord = {
      ...base,
      ...identity,
      number: randomDigits(random, 10),
      lifecycle: 'open',
      phase: 'approval',
      names,
      organizationId: organization.value?.id ?? null,
      csr,
      requirements: initialRequirements(
        product,
        {
          organization: organization.value,
          unproven,
          csr: csr !== null,
          agreement,
          preVetted: isPreVetted(request, organization.value),
        },
        now,
      ),
    };
    return finish(
      ctx,
      before,
      { order, product, subscription, organization: organization.value },
      domains,
      linked.value.writes,
      audit,
      recorder,
      'order.created',
    );
  }

  async function finish(
    ctx: CallContext,
    before: OrderRecord | null,
    made: {
      order: OrderRecord;
      product: ProductRecord;
      subscription: OrderView['subscription'];
      organization?: OrganizationRecord | null;
    },
    domains: readonly DomainRecord[],
    writes: readonly Write[],
    audit: readonly AuditDraft[],
    recorder: AnswerRecorder<OrderView> | undefined,
    activity: string,
  ): Promise<Result<OrderView, DomainError> | 'retry'> {
    const { order, product, subscription } = made;
    const settlement = await settler.settle(
      ctx,
      {
        before,
        after: {
          order,
          product,
          subscription,
          certificate: null,
          domains,
          organization: made.organization ?? null,
          originalNumber: null,
          phase: order.phase,
        },
        facts: [
          {
            activity,
            objectType: 'order',
            objectId: order.number ?? order.requestNumber,
            details: {
              request: order.requestNumber,
              product: order.productCode,
              names: order.names.map((name) => name.value).slice(0, 20),
              nameCount: order.names.length,
              csr: order.csr !== null,
              promotedDraft: before !== null,
            },
          },
        ],
        writes:
          before === null
            ? writes
            : [
                ...writes,
                {
                  op: 'update',
                  table: 'subscription',
                  id: subscription.id,
                  version: subscription.version,
                  set: termsOf(subscription),
                },
              ],
        audit,
      },
      recorder,
    );
    switch (settlement.kind) {
      case 'settled':
        return ok(settlement.view);
      case 'refused':
        return fail(settlement.error);
      case 'retry':
        return 'retry';
    }
  }

  return {
    async create(ctx, request, recorder) {
      const refused = refuseReadOnly(ctx) ?? checkTerm(request);
      if (refused !== undefined) return fail(refused);
      const parsed = parseRequest(request);
      if (!parsed.ok) return parsed;
      const group = await catalog.group(ctx, request.groupNumber);
      if (!group.ok) return group;
      const product = chooseProduct(await catalog.all(ctx.caller.accountId), group.value, request, parsed.value.shape);
      if (!product.ok) return product;
      if (
        parsed.value.names.length - 1 >
        product.value.rules.maxAdditionalNames + (parsed.value.autoSecureWww ? 1 : 0)
      ) {
        return fail(
          domainError(
            'order.sanLimit',
            `${product.value.name} takes at most ${product.value.rules.maxAdditionalNames} additional names`,
          ),
        );
      }
      if (
        request.family === 'private-pki' &&
        !settings.acceptAnyCaProfile &&
        ((request.caProfileId ?? '') !== '' || (request.masterProductId ?? '') !== '')
      ) {
        const known = [
          product.value.code,
          product.value.typeId,
          product.value.rules.profileId,
          ...product.value.aliases,
        ];
        for (const given of [request.caProfileId, request.masterProductId]) {
          if (given !== undefined && !known.includes(given)) {
            return fail(
              domainError('product.invalid', `CA profile or master product ${given} is not entitled to this account`),
            );
          }
        }
      }
      for (let round = 0; round < MAX_ATTEMPTS; round++) {
        const outcome = await attempt(ctx, request, group.value, product.value, parsed.value, recorder);
        if (outcome !== 'retry') {
          if (!outcome.ok) {
            await recordRefusal(deps, ctx, outcome.error, {
              objectId: parsed.value.label,
              accountId: ctx.caller.accountId,
            });
          }
          return outcome;
        }
      }
      return fail(
        domainError('overloaded', 'The order met too many concurrent changes; try again', { retryAfterMs: 1_000 }),
      );
    },
  };
}
