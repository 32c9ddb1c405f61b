/** Domain control validation as an order sees it: by the names it carries. */
import { fail, ok, parseDnsName, type Result } from '@certwright/pki';
import type {
  AnswerRecorder,
  CallContext,
  ChallengeView,
  DomainService,
  OrderService,
  OrderView,
  Outcome,
  VerificationView,
} from '../api.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { Instant } from '../ports/world.ts';
import type { DomainRecord, ValidationMethod } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { refuseReadOnly } from '../support.ts';
import type { ValidationStrategy } from '../validation/strategy.ts';
import { challengeView, issueChallenges } from './challenge-issue.ts';
import { chooseStrategy, liveChallenge } from './challenges.ts';
import { isWildcardName, provedName } from './names.ts';
import { asSeen, isProven, isVerified } from './reuse.ts';
import { transact } from './transact.ts';
import { inactive, type Verifier } from './verification.ts';

/** Proof of a name that the chosen method cannot give. */
const WILDCARD_METHOD: ValidationMethod = 'dns-txt';

/** A name of the order with the row that proves it. */
interface Target {
  readonly name: string;
  readonly wildcard: boolean;
  readonly row: DomainRecord;
}

function targetsOf(view: OrderView): Target[] {
  const rows = new Map(view.domains.map((row) => [row.id, row]));
  return view.order.names.flatMap(({ value, domainId }) => {
    const row = domainId === null ? undefined : rows.get(domainId);
    return row === undefined ? [] : [{ name: value, wildcard: isWildcardName(value), row }];
  });
}

const alreadyVerified = (name: string): DomainError =>
  domainError('dcv.alreadyVerified', `Domain is already verified: ${name}`);

/** Contract v2 section 6.3: whether the order's state lets its domains be validated. */
function stateRefusal(view: OrderView): DomainError | undefined {
  switch (view.phase) {
    case 'draft':
    case 'cancelled':
    case 'rejected':
    case 'revoked':
    case 'expired':
      return domainError('order.wrongState', `Order is ${view.phase}; its domains are not validated`);
    case 'issuing':
    case 'issued':
    case 'onHold':
      return alreadyVerified(view.order.label);
    default:
      // later gates too: a proof may have run out meanwhile
      return undefined;
  }
}

/** The name of the order that the client means; a wildcard's base will do when only the wildcard is on the order. */
function targetNamed(targets: readonly Target[], text: string): Result<Target, DomainError> {
  if (text.trim() === '') return fail(domainError('domain.nameEmpty', 'Domain name must not be empty'));
  const parsed = parseDnsName(text.trim());
  const target = parsed.ok
    ? (targets.find(({ name }) => name === parsed.value) ??
      targets.find(({ name }) => provedName(name) === parsed.value))
    : undefined;
  return target === undefined ? fail(domainError('dcv.nameNotOnOrder', 'The domain is not on this order')) : ok(target);
}

export interface OrdersToValidate extends Pick<OrderService, 'get'> {
  /** Takes the evidence on record into account. */
  advance(orderId: number): Promise<void>;
}

export function createOrderChallenges(
  deps: CoreDependencies,
  orders: OrdersToValidate,
  verifier: Verifier,
): Pick<DomainService, 'orderChallenges' | 'verifyForOrder'> {
  const { store, clock, log } = deps;

  /** The order that was asked about goes on before the answer, however many others wait for the name. */
  async function advanceAsked(orderId: number): Promise<void> {
    try {
      await orders.advance(orderId);
    } catch (error) {
      log.error('order.advanceFailed', { orderId }, error);
    }
  }

  const isOpen = ({ row, wildcard }: Target, now: Instant) => !isProven(row, { wildcard }, now);

  /** The name asked for; without one, the first that still needs a proof, preferably one that the method can prove. */
  function askedTarget(
    view: OrderView,
    targets: readonly Target[],
    domain: string | undefined,
    method: ValidationMethod,
    now: Instant,
  ): Result<{ readonly target: Target; readonly strategy: ValidationStrategy }, DomainError> {
    let target: Target;
    if (domain !== undefined) {
      const named = targetNamed(targets, domain);
      if (!named.ok) return named;
      target = named.value;
      if (!isOpen(target, now)) return fail(alreadyVerified(target.name));
    } else {
      const open = targets.filter((one) => isOpen(one, now));
      const first = open.find((one) => chooseStrategy(method, one.name, 'orders').refusal === undefined) ?? open[0];
      if (first === undefined) return fail(alreadyVerified(view.order.label));
      target = first;
    }
    const choice = chooseStrategy(method, target.name, 'orders');
    if (choice.refusal !== undefined) return fail(choice.refusal);
    return target.row.status === 'active' ? ok({ target, strategy: choice.strategy }) : fail(inactive(target.name));
  }

  /** One entry for each row and method: names that share a row are proved together. */
  function entriesOf(
    targets: readonly Target[],
    asked: { readonly target: Target; readonly strategy: ValidationStrategy },
    now: Instant,
  ) {
    const entries = new Map<string, { readonly target: Target; readonly strategy: ValidationStrategy }>();
    const keyOf = (target: Target, strategy: ValidationStrategy) => `${target.row.id} ${strategy.method}`;
    entries.set(keyOf(asked.target, asked.strategy), asked);
    for (const target of targets) {
      if (!isOpen(target, now) || target.row.status !== 'active') continue;
      const choice = chooseStrategy(asked.strategy.method, target.name, 'orders');
      const strategy = choice.strategy ?? chooseStrategy(WILDCARD_METHOD, target.name, 'orders').strategy;
      if (strategy === undefined) continue;
      const key = keyOf(target, strategy);
      if (!entries.has(key)) entries.set(key, { target, strategy });
    }
    return [...entries.values()];
  }

  return {
    async orderChallenges(ctx, number, domain, method) {
      const found = await orders.get(ctx, 'ssl', number);
      if (!found.ok) return found;
      const view = found.value;
      const refusal = stateRefusal(view);
      if (refusal !== undefined) return fail(refusal);
      const targets = targetsOf(view);
      const now = clock.now();
      const asked = askedTarget(view, targets, domain, method, now);
      if (!asked.ok) return asked;
      // a name that was asked for by itself is answered by itself
      const entries = domain === undefined ? entriesOf(targets, asked.value, now) : [asked.value];
      const rows = await issueChallenges(
        deps,
        ctx,
        entries.map(({ target, strategy }) => ({ domainId: target.row.id, strategy })),
      );
      if (!rows.ok) return rows;
      const viewOf = ({ target, strategy }: (typeof entries)[number]): ChallengeView =>
        challengeView(rows.value.get(target.row.id) ?? target.row, target.name, strategy.method, clock.now());
      return ok({ order: view.order, asked: viewOf(asked.value), pending: entries.map(viewOf) });
    },

    async verifyForOrder(
      ctx: CallContext,
      number: string,
      input: { readonly domain: string; readonly method: ValidationMethod },
      recorder?: AnswerRecorder<VerificationView>,
    ): Outcome<VerificationView> {
      const refused = refuseReadOnly(ctx);
      if (refused !== undefined) return fail(refused);
      const found = await orders.get(ctx, 'ssl', number);
      if (!found.ok) return found;
      const view = found.value;
      const state = stateRefusal(view);
      if (state?.code === 'order.wrongState') return fail(state);
      const target = targetNamed(targetsOf(view), input.domain);
      if (!target.ok) return target;
      const { name, wildcard, row } = target.value;
      const choice = chooseStrategy(input.method, name, 'orders');
      if (choice.refusal !== undefined) return fail(choice.refusal);
      const now = clock.now();
      if (isProven(row, { wildcard }, now)) {
        // handed out before a name above was verified: whoever publishes all challenges and then has them checked one
        // by one gets the answer that is true
        const wasCovered = isVerified(row, now) && row.inheritedFrom !== null && liveChallenge(row, input.method, now);
        if (!wasCovered) return fail(alreadyVerified(name));
        return transact<VerificationView>(
          store,
          async () => ok({ value: { domain: asSeen(row, now), attempt: null }, change: null }),
          recorder,
        );
      }
      if (state !== undefined) return fail(state);
      const verified = await verifier.verify(ctx, row, choice.strategy, 'orders', recorder);
      if (verified.ok) await advanceAsked(view.order.id);
      return verified;
    },
  };
}
