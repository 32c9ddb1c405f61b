import { certificateProfile, fail, ok, type Result } from '@certwright/pki';
import type { AnswerRecorder, CallContext, OperatorContext, OrderService, OrderView, Outcome } from '../api.ts';
import { type Actor, type AuditFacts, auditEntry, systemContext } from '../audit/draft.ts';
import { type DomainError, domainError } from '../errors.ts';
import { recordAnswer } from '../idempotency/idempotency.ts';
import type { CaRecord, OrderFamily, OrderRecord, RevocationReason } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { MAX_ATTEMPTS, refuseReadOnly } from '../support.ts';
import { acceptedAgreement, type OrderPlacement } from './create.ts';
import { checkCsr } from './csr-evidence.ts';
import { isPending } from './phase.ts';
import type { DomainRegister } from './ports.ts';
import { recordRefusal } from './refusals.ts';
import { refreshRequirements, requirement, unprovenNames, withRequirement } from './requirements.ts';
import type { Settler } from './settle.ts';
import type { OrderViews } from './views.ts';

/** A change decided on a view: the new order values and what the audit says. */
interface Decision {
  readonly set: Partial<OrderRecord>;
  readonly facts: AuditFacts;
}

type Decide = (view: OrderView) => Promise<Result<Decision, DomainError>> | Result<Decision, DomainError>;

const PAGE = 200;

/** Reasons that a subscriber of a publicly trusted style certificate may not give (contract v2 section 13). */
const NOT_FOR_SSL: readonly RevocationReason[] = ['cACompromise', 'certificateHold', 'aACompromise'];

export interface OrderServiceInternals extends OrderService {
  /** Takes the evidence on record into account and issues when nothing is missing. */
  advance(orderId: number): Promise<void>;
  /** `limit`: most orders to take on now; the rest is left to the caller. */
  advanceForDomains(domainIds: readonly number[], limit?: number): Promise<void>;
  advanceForOrganization(organizationId: number): Promise<void>;
}

export function createOrderService(
  deps: CoreDependencies,
  placement: OrderPlacement,
  views: OrderViews,
  register: DomainRegister,
  settler: Settler,
  authority: (id: number) => Promise<CaRecord | undefined>,
): OrderServiceInternals {
  const { store, clock, log } = deps;

  const busy = () =>
    fail(domainError('overloaded', 'The order is being changed by somebody else; try again', { retryAfterMs: 1_000 }));
  const wrongState = (detail: string) => fail(domainError('order.wrongState', detail));

  /** Reads, decides, settles; again when somebody else was faster. */
  async function change(
    actor: Actor,
    load: () => Promise<Result<OrderView, DomainError>>,
    decide: Decide,
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView> {
    for (let round = 0; round < MAX_ATTEMPTS; round++) {
      const view = await load();
      if (!view.ok) return view;
      const { order } = view.value;
      const about = { objectId: order.number ?? order.requestNumber, accountId: order.accountId };
      const decision = await decide(view.value);
      if (!decision.ok) {
        await recordRefusal(deps, actor, decision.error, about);
        return decision;
      }
      const { set, facts } = decision.value;
      const settlement = await settler.settle(
        actor,
        { before: order, after: { ...view.value, order: { ...order, ...set } }, facts: [facts] },
        recorder,
      );
      if (settlement.kind === 'settled') return ok(settlement.view);
      if (settlement.kind === 'refused') {
        await recordRefusal(deps, actor, settlement.error, about);
        return fail(settlement.error);
      }
    }
    return busy();
  }

  const changeOwn = (
    ctx: CallContext,
    family: OrderFamily,
    number: string,
    decide: Decide,
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView> => {
    const refused = refuseReadOnly(ctx);
    if (refused !== undefined) return Promise.resolve(fail(refused));
    return change(ctx, () => views.get(ctx, family, number), decide, recorder);
  };

  const facts = (view: OrderView, activity: string, details: Readonly<Record<string, unknown>> = {}): AuditFacts => ({
    activity,
    objectType: 'order',
    objectId: view.order.number ?? view.order.requestNumber,
    details,
  });

  /** Requirements with what domains and organization say now. */
  function refreshed(view: OrderView): readonly OrderRecord['requirements'][number][] {
    const now = clock.now();
    return refreshRequirements(
      view.order,
      { organization: view.organization, unproven: unprovenNames(view.order.names, view.domains, register, now) },
      now,
    );
  }

  function withdraw(lifecycle: 'cancelled' | 'rejected', reason: string, activity: string): Decide {
    return (view) => {
      if (view.order.lifecycle === 'issued')
        return wrongState('Order is already issued; revoke the certificate instead');
      if (!isPending(view.phase)) return wrongState(`Order is ${view.phase}; nothing is left to withdraw`);
      return ok({
        set: {
          lifecycle,
          closedAt: clock.now(),
          details: { ...view.order.details, closingReason: reason.slice(0, 1_000) },
        },
        facts: facts(view, activity, { reason: reason.slice(0, 1_000) }),
      });
    };
  }

  async function advance(orderId: number): Promise<void> {
    const actor = systemContext('orders');
    for (let round = 0; round < MAX_ATTEMPTS; round++) {
      const order = await store.orders.byId(orderId);
      if (order === undefined || order.lifecycle !== 'open' || !isPending(order.phase)) return;
      const view = await views.of(order);
      if (
        view.organization?.validation === 'rejected' &&
        requirement(order.requirements, 'organization') !== undefined
      ) {
        const refused = await withdraw('rejected', 'The organization was not validated', 'order.rejected')(view);
        if (!refused.ok) return;
        const settlement = await settler.settle(actor, {
          before: order,
          after: { ...view, order: { ...order, ...refused.value.set } },
          facts: [refused.value.facts],
        });
        if (settlement.kind === 'retry') continue;
        return;
      }
      const requirements = refreshed(view);
      if (requirements === order.requirements) return;
      const settlement = await settler.settle(actor, {
        before: order,
        after: { ...view, order: { ...order, requirements } },
        facts: [facts(view, 'order.advanced', { requirementsMet: requirements.length })],
      });
      if (settlement.kind === 'settled') return;
      if (settlement.kind === 'refused') {
        await waitForOperator(actor, view, requirements, settlement.error);
        return;
      }
    }
    log.warn('order.advanceContended', { orderId });
  }

  /**
   * Evidence that came on record between the reading and the commit of a new order: whoever brought it saw no order that
   * waited. A failure here is not the caller's; the order can be advanced by its next step.
   */
  async function catchUp({ order, phase }: OrderView): Promise<void> {
    if (!isPending(phase)) return;
    const waitsForDomain = (requirement(order.requirements, 'dcv')?.pending.length ?? 0) > 0;
    if (!waitsForDomain && requirement(order.requirements, 'organization')?.met !== false) return;
    try {
      await advance(order.id);
    } catch (error) {
      log.error('order.advanceFailed', { orderId: order.id }, error);
    }
  }

  /** Everything is proven but the CA may not issue (CAA, lint): the order waits for an operator, with the reason. */
  async function waitForOperator(
    actor: Actor,
    view: OrderView,
    requirements: readonly OrderRecord['requirements'][number][],
    error: DomainError,
  ): Promise<void> {
    const open = { kind: 'approval', mode: 'manual', approved: null } as const;
    const withApproval =
      requirement(requirements, 'approval') === undefined
        ? [...requirements, open]
        : withRequirement(requirements, open);
    await settler.settle(actor, {
      before: view.order,
      after: {
        ...view,
        order: {
          ...view.order,
          requirements: withApproval,
          details: { ...view.order.details, closingReason: error.detail },
        },
      },
      facts: [{ ...facts(view, 'issuance.refused', { error: error.code, detail: error.detail }), outcome: 'denied' }],
    });
  }

  async function revoke(
    ctx: CallContext,
    family: OrderFamily,
    number: string,
    input: { readonly reason: RevocationReason; readonly note: string },
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView> {
    const refused = refuseReadOnly(ctx);
    if (refused !== undefined) return fail(refused);
    for (let round = 0; round < MAX_ATTEMPTS; round++) {
      const found = await views.get(ctx, family, number);
      if (!found.ok) return found;
      const view = found.value;
      const { certificate, order } = view;
      if (certificate === null || (view.phase !== 'issued' && view.phase !== 'onHold')) {
        return wrongState(
          view.phase === 'issuing'
            ? 'Certificate Request still being processed'
            : 'Certificate is not issued or already revoked',
        );
      }
      if (family === 'ssl' && NOT_FOR_SSL.includes(input.reason)) {
        return fail(
          domainError(
            'revocation.reasonRefused',
            'Invalid Revoke Reason ID: this reason is not for SSL/TLS certificates',
          ),
        );
      }
      if (input.reason === 'certificateHold' && view.phase === 'onHold')
        return wrongState('Certificate is on hold already');
      const now = clock.now();
      const state = input.reason === 'certificateHold' ? 'hold' : 'revoked';
      const phase = state === 'hold' ? 'onHold' : 'revoked';
      const certificateSet = { state, revokedAt: now, revocationReason: input.reason } as const;
      const revoked: OrderView = {
        ...view,
        certificate: { ...certificate, ...certificateSet, version: certificate.version + 1 },
        order: { ...order, phase, version: order.version + 1 },
        phase,
      };
      const ca = await authority(certificate.caId);
      const outcome = await store.write({
        writes: [
          { op: 'update', table: 'certificate', id: certificate.id, version: certificate.version, set: certificateSet },
          { op: 'update', table: 'order', id: order.id, version: order.version, set: { phase } },
          ...recordAnswer(recorder, revoked),
        ],
        audit: [
          auditEntry(ctx, now, {
            activity: state === 'hold' ? 'certificate.suspended' : 'certificate.revoked',
            objectType: 'certificate',
            objectId: certificate.serial,
            details: {
              order: order.number,
              ca: ca?.slug ?? '',
              reason: input.reason,
              note: input.note.slice(0, 1_000),
            },
          }),
        ],
        jobs: [
          { kind: 'crl.publish', key: `crl:${certificate.caId}`, payload: { caId: certificate.caId }, runAt: now },
        ],
        invalidate: [{ kind: 'certificate', caId: certificate.caId, serial: certificate.serial }],
      });
      if (outcome.ok) return ok(revoked);
    }
    return busy();
  }

  return {
    advance,

    async advanceForDomains(domainIds, limit = Number.POSITIVE_INFINITY) {
      let left = limit;
      for (const domainId of domainIds) {
        for (let after = 0; left > 0; ) {
          const size = Math.min(PAGE, left);
          const waiting = await store.orders.waitingForDomain(domainId, after, size);
          for (const link of waiting) await advance(link.orderId);
          left -= waiting.length;
          const last = waiting.at(-1);
          if (last === undefined || waiting.length < size) break;
          after = last.id;
        }
      }
    },

    async advanceForOrganization(organizationId) {
      for (let after = 0; ; ) {
        const waiting = await store.orders.waitingForOrganization(organizationId, after, PAGE);
        for (const orderId of waiting) await advance(orderId);
        const last = waiting.at(-1);
        if (last === undefined || waiting.length < PAGE) break;
        after = last;
      }
    },

    async create(ctx, request, recorder) {
      const created = await placement.create(ctx, request, recorder);
      if (created.ok) await catchUp(created.value);
      return created;
    },

    get: (ctx, family, number) => views.get(ctx, family, number),

    async cancelDraft(ctx, family, requestNumber, recorder) {
      const load = async (): Promise<Result<OrderView, DomainError>> => {
        const order = await store.orders.byRequestNumber(ctx.caller.accountId, requestNumber);
        if (
          order === undefined ||
          order.family !== family ||
          (ctx.caller.groupId !== null && order.groupId !== ctx.caller.groupId)
        ) {
          return fail(domainError('notFound', `Request ${requestNumber} not found under this account`));
        }
        return ok(await views.of(order));
      };
      const refused = refuseReadOnly(ctx);
      if (refused !== undefined) return fail(refused);
      return change(
        ctx,
        load,
        (view) =>
          view.order.lifecycle === 'draft'
            ? ok({ set: { lifecycle: 'cancelled', closedAt: clock.now() }, facts: facts(view, 'order.draftDiscarded') })
            : wrongState('The draft was promoted or discarded before'),
        recorder,
      );
    },

    submitCsr: (ctx, family, number, input, recorder) =>
      changeOwn(
        ctx,
        family,
        number,
        async (view) => {
          const requirements = refreshed(view);
          const open = requirement(requirements, 'csr');
          if (open === undefined || !isPending(view.phase))
            return wrongState(`Order is ${view.phase}; no CSR can be attached`);
          const profile = certificateProfile(view.product.rules.profileId);
          if (profile === undefined) throw new Error(`product ${view.product.code} names an unknown profile`);
          const csr = await checkCsr(input.csr, view.order, profile, deps);
          if (!csr.ok) return csr;
          return ok({
            set: {
              csr: csr.value.der,
              requirements: withRequirement(requirements, { kind: 'csr', met: true }),
              details: { ...view.order.details, attested: input.attested },
            },
            facts: facts(view, 'order.csrReceived', {
              keyAlgorithm: csr.value.key.algorithm,
              replaced: open.met,
              attested: input.attested,
            }),
          });
        },
        recorder,
      ),

    acceptAgreement: (ctx, family, number, input, recorder) =>
      changeOwn(
        ctx,
        family,
        number,
        (view) => {
          const requirements = refreshed(view);
          const open = requirement(requirements, 'agreement');
          if (open === undefined || open.accepted !== null || !isPending(view.phase)) {
            return wrongState('Order does not wait for an agreement');
          }
          const accepted = acceptedAgreement(input, ctx.origin.ip, clock.now());
          if (!accepted.ok) return accepted;
          return ok({
            set: { requirements: withRequirement(requirements, { kind: 'agreement', accepted: accepted.value }) },
            facts: facts(view, 'order.agreementAccepted', {
              signerName: accepted.value.name,
              signerPlace: accepted.value.place,
              ip: accepted.value.ip,
            }),
          });
        },
        recorder,
      ),

    cancel: (ctx, family, number, reason, recorder) =>
      changeOwn(ctx, family, number, withdraw('cancelled', reason, 'order.cancelled'), recorder),

    reject: (ctx, family, number, reason, recorder) =>
      changeOwn(ctx, family, number, withdraw('rejected', reason, 'order.rejected'), recorder),

    async download(ctx, family, number) {
      for (let round = 0; round < MAX_ATTEMPTS; round++) {
        const found = await views.get(ctx, family, number);
        if (!found.ok) return found;
        const { order, certificate, phase } = found.value;
        if (certificate === null || certificate.der === null || order.lifecycle !== 'issued') {
          return fail(domainError('order.notIssued', `No certificate yet, order status is ${phase}`));
        }
        const ca = await authority(certificate.caId);
        if (ca === undefined) throw new Error(`CA ${certificate.caId} is not on record`);
        const now = clock.now();
        const first = certificate.downloadedAt === null;
        const outcome = await store.write({
          writes: first
            ? [
                {
                  op: 'update',
                  table: 'certificate',
                  id: certificate.id,
                  version: certificate.version,
                  set: { downloadedAt: now },
                },
              ]
            : [],
          audit: [
            auditEntry(ctx, now, {
              activity: 'certificate.downloaded',
              objectType: 'certificate',
              objectId: certificate.serial,
              details: { order: order.number, first },
            }),
          ],
        });
        if (outcome.ok) return ok({ order, certificate, der: certificate.der, chain: [ca.certificate, ...ca.chain] });
      }
      return busy();
    },

    revoke,

    find: (_ctx, number) => views.find(number),

    async list(_ctx, filter, page) {
      let accountId: number | null = null;
      if (filter.accountNumber !== undefined) {
        const account = await store.accounts.byNumber(filter.accountNumber);
        if (account === undefined) return fail(domainError('notFound', `Account ${filter.accountNumber} not found`));
        accountId = account.id;
      }
      return ok(
        await store.orders.list(
          {
            accountId,
            ...(filter.phase !== undefined ? { phase: filter.phase } : {}),
            ...(filter.family !== undefined ? { family: filter.family } : {}),
          },
          page,
        ),
      );
    },

    approve: (ctx: OperatorContext, number) =>
      change(
        ctx,
        () => views.find(number),
        (view) => {
          const requirements = refreshed(view);
          const open = requirement(requirements, 'approval');
          if (open === undefined || open.mode === 'automatic' || open.approved !== null || !isPending(view.phase)) {
            return fail(
              domainError('order.approvalNotOpen', `Order ${number} is ${view.phase} and does not wait for approval`),
            );
          }
          return ok({
            set: {
              requirements: withRequirement(requirements, {
                kind: 'approval',
                mode: 'manual',
                approved: { by: ctx.operator, at: clock.now() },
              }),
              details: { ...view.order.details, closingReason: '' },
            },
            facts: facts(view, 'order.approved', { by: ctx.operator }),
          });
        },
      ),

    refuse: (ctx: OperatorContext, number, reason) => {
      if (reason.trim() === '')
        return Promise.resolve(fail(domainError('order.rejectReasonMissing', 'A refusal needs a reason')));
      return change(ctx, () => views.find(number), withdraw('rejected', reason, 'order.rejected'));
    },
  };
}
