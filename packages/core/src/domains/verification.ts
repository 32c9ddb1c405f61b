/** Looks whether a challenge is met and puts the attempt, and what follows from it, on record. */
import { fail, ok } from '@certwright/pki';
import type { AnswerRecorder, Origin, Outcome, VerificationView } from '../api.ts';
import type { Actor } from '../audit/draft.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { Challenge, DomainRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import type { FailureClass } from '../validation/failure-class.ts';
import { type Observation, observe } from '../validation/observation.ts';
import { SingleFlight } from '../validation/single-flight.ts';
import type { ValidationStrategy } from '../validation/strategy.ts';
import { attemptAudit, attemptError, attemptRecord, type Proof } from './attempts.ts';
import { challengeOf } from './challenges.ts';
import { provedName } from './names.ts';
import { othersOf, prove } from './proof.ts';
import { asSeen, isVerified } from './reuse.ts';
import { type Change, type Decided, transact } from './transact.ts';

export interface DomainHooks {
  /** Rows were verified and committed: orders that wait for them go on, at most `limit` of them now. */
  onVerified(domainIds: readonly number[], origin: Origin, limit?: number): Promise<void>;
}

/** Orders that go on within the request that brought the proof; more of them are left to the job. */
const ORDERS_AT_ONCE = 25;

/** Tries with the rows below in the same write set; after these they are left to the job. */
const ROUNDS_WITH_SPREAD = 3;

export interface Verifier {
  /**
   * Checks the challenge of the method now. A mailed proof that is not confirmed yet is a value with a pending attempt.
   * Errors `dcv.challengeNotFound`, `dcv.challengeMismatch`, `dcv.challengeExpired` with the attempt as diagnostics,
   * `domain.inactive`; in the register also `domain.heldElsewhere`.
   */
  verify(
    actor: Actor,
    domain: DomainRecord,
    strategy: ValidationStrategy,
    use: 'orders' | 'domains',
    recorder?: AnswerRecorder<VerificationView>,
  ): Outcome<VerificationView>;
  /** Puts a good proof on record and tells the orders; `read` gives the row and the proof anew for each try. */
  record<T>(actor: Actor, read: () => Promise<ProofReading<T>>, recorder?: AnswerRecorder<T>): Outcome<T>;
  /** Tells the orders; a failure is logged and left to the job. */
  announce(actor: Actor, domainIds: readonly number[]): Promise<void>;
}

export type ProofReading<T> =
  | { readonly kind: 'refused'; readonly error: DomainError }
  /** On record already, or nothing to prove. */
  | { readonly kind: 'decided'; readonly decided: Decided<T> }
  | {
      readonly kind: 'proof';
      readonly domain: DomainRecord;
      readonly proof: Proof;
      /** Goes into the same write set. */
      readonly also?: Pick<Change, 'writes' | 'audit'>;
      readonly value: (view: VerificationView) => T;
    };

const failed = (failureClass: FailureClass): Observation => ({ outcome: 'failed', failureClass, findings: [] });

export const inactive = (name: string): DomainError =>
  domainError('domain.inactive', `${name} was deactivated; add it again before it is used`);

export const heldElsewhere = (holder: DomainRecord): DomainError =>
  domainError('domain.heldElsewhere', 'Domain is verified under another organization of this account', {
    existingId: holder.publicId,
  });

export function createVerifier(deps: CoreDependencies, hooks: DomainHooks): Verifier {
  const { store, clock, settings, perspectives, log } = deps;
  const flights = new SingleFlight<Observation>();

  async function look(
    domain: DomainRecord,
    strategy: ValidationStrategy,
    challenge: Challenge | undefined,
  ): Promise<Observation> {
    if (challenge !== undefined && challenge.expiresAt <= clock.now()) return failed('TOKEN_EXPIRED');
    if (settings.validationMode() === 'accept') {
      const findings = perspectives.map(({ name, region }) => ({
        perspective: name,
        region,
        resolver: '',
        ok: true,
        failureClass: null,
        asked: [],
        found: [],
        errorMessage: 'validation mode accept: nothing was asked',
      }));
      return { outcome: 'verified', failureClass: null, findings };
    }
    if (challenge === undefined) return failed('RECORD_MISSING');
    if (strategy.kind === 'mailed') {
      const approvals = await store.domains.mailApprovalsOf(domain.id);
      return approvals.some((mail) => mail.challengeToken === challenge.token && mail.approvedAt !== null)
        ? { outcome: 'verified', failureClass: null, findings: [] }
        : { outcome: 'pending', failureClass: 'MAIL_NOT_CONFIRMED', findings: [] };
    }
    return flights.run(domain.id, `${strategy.method} ${challenge.token}`, () =>
      observe(perspectives, strategy, { name: provedName(domain.name), challenge }),
    );
  }

  async function recordFailure(actor: Actor, domain: DomainRecord, proof: Proof): Promise<DomainError> {
    const attempt = attemptRecord(await store.nextId(), domain, proof, clock.now());
    const outcome = await store.write({
      writes: [{ op: 'insert', table: 'attempt', row: attempt }],
      audit: [attemptAudit(actor, domain, attempt)],
    });
    if (!outcome.ok) throw new Error(`an attempt could not be recorded: ${outcome.error.kind}`);
    return attemptError(domain, attempt);
  }

  /** An attempt that changes nothing about the row. */
  async function noted(actor: Actor, domain: DomainRecord, proof: Proof): Promise<Decided<VerificationView>> {
    const now = clock.now();
    const attempt = attemptRecord(await store.nextId(), domain, proof, now);
    return {
      value: { domain: asSeen(domain, now), attempt },
      change: {
        writes: [{ op: 'insert', table: 'attempt', row: attempt }],
        audit: [attemptAudit(actor, domain, attempt)],
      },
    };
  }

  async function record<T>(
    actor: Actor,
    read: () => Promise<ProofReading<T>>,
    recorder?: AnswerRecorder<T>,
  ): Outcome<T> {
    let verified: readonly number[] = [];
    const outcome = await transact<T>(
      store,
      async (round) => {
        verified = [];
        const reading = await read();
        if (reading.kind === 'refused') return fail(reading.error);
        if (reading.kind === 'decided') return ok(reading.decided);
        const { domain, proof, also } = reading;
        const proven = await prove(deps, actor, domain, proof, { withSpread: round < ROUNDS_WITH_SPREAD });
        verified = proven.domainIds;
        const { change } = proven;
        return ok({
          value: reading.value({ domain: proven.domain, attempt: proven.attempt }),
          change: also
            ? { ...change, writes: [...change.writes, ...also.writes], audit: [...change.audit, ...also.audit] }
            : change,
        });
      },
      recorder,
    );
    if (outcome.ok && verified.length > 0) await announce(actor, verified);
    return outcome;
  }

  async function announce(actor: Actor, domainIds: readonly number[]): Promise<void> {
    try {
      await hooks.onVerified(domainIds, actor.origin, ORDERS_AT_ONCE);
    } catch (error) {
      log.error('domain.announceFailed', { domainIds: domainIds.slice(0, 20) }, error);
    }
  }

  async function holderOf(domain: DomainRecord): Promise<DomainRecord | undefined> {
    const now = clock.now();
    return (await othersOf(store, domain)).find((row) => isVerified(row, now));
  }

  return {
    record,
    announce,

    async verify(actor, domain, strategy, use, recorder) {
      if (domain.status !== 'active') return fail(inactive(domain.name));
      const holder = use === 'domains' ? await holderOf(domain) : undefined;
      if (holder !== undefined) return fail(heldElsewhere(holder));

      const challenge = challengeOf(domain, strategy.method);
      const observation = await look(domain, strategy, challenge);
      const proof: Proof = { strategy, challenge, observation };
      if (observation.outcome === 'failed') return fail(await recordFailure(actor, domain, proof));
      if (observation.outcome === 'pending') {
        return transact(store, async () => ok(await noted(actor, domain, proof)), recorder);
      }
      const read = async (): Promise<ProofReading<VerificationView>> => {
        const current = await store.domains.byId(domain.id);
        if (current === undefined || current.status !== 'active') {
          return { kind: 'refused', error: inactive(domain.name) };
        }
        const rival = use === 'domains' ? await holderOf(current) : undefined;
        if (rival !== undefined) return { kind: 'refused', error: heldElsewhere(rival) };
        if (challengeOf(current, strategy.method)?.token === challenge?.token) {
          return { kind: 'proof', domain: current, proof, value: (view) => view };
        }
        // a request that shared the look was faster
        if (isVerified(current, clock.now()) && current.verifiedBy === strategy.method) {
          return { kind: 'decided', decided: await noted(actor, current, proof) };
        }
        // what was found is the value of a challenge that was replaced meanwhile
        const stale = { ...proof, observation: { ...observation, ...failed('TOKEN_EXPIRED') } };
        return { kind: 'refused', error: await recordFailure(actor, current, stale) };
      };
      return record(actor, read, recorder);
    },
  };
}
