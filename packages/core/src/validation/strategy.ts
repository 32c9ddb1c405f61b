import type { Perspective } from '../ports/network.ts';
import type { Random } from '../ports/world.ts';
import type { Challenge, PerspectiveFinding, ValidationMethod } from '../records/index.ts';

/** What shall be found: the challenge of a name in ASCII without `*.` (the Authorization Domain Name). */
export interface Expectation {
  readonly name: string;
  readonly challenge: Challenge;
}

/** Where the applicant publishes, or who is asked. */
export interface Artefact {
  /** DNS names at which the value is accepted; the first is the one announced. */
  readonly recordNames: readonly string[];
  readonly url: string | null;
  readonly recipients: readonly string[];
}

interface StrategyTraits {
  readonly method: ValidationMethod;
  readonly offeredFor: readonly ('orders' | 'domains')[];
  /** The proof holds for `*.name` as well. */
  readonly provesWildcards: boolean;
  /** The proof holds for every name below. */
  readonly provesSubdomains: boolean;
  /** Label of the method in a CAA `validationmethods` parameter; `ca-` is ours to assign (RFC 8657 section 4). */
  readonly caaLabel: string;
  /** Draws the random value of a challenge. */
  mint(random: Random): Pick<Challenge, 'token' | 'fileName'>;
  artefact(expectation: Expectation): Artefact;
}

/** Proof that perspectives can look at. */
export interface ObservedStrategy extends StrategyTraits {
  readonly kind: 'observed';
  /** Looks once; never rejects for anything the network does. */
  check(perspective: Perspective, expectation: Expectation): Promise<PerspectiveFinding>;
}

/** Proof that comes in by a mailed link. */
export interface MailedStrategy extends StrategyTraits {
  readonly kind: 'mailed';
}

/** One way of proving control over a domain (TLS BR 3.2.2.4). */
export type ValidationStrategy = ObservedStrategy | MailedStrategy;
