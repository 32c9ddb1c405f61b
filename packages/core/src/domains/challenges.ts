import type { DomainError } from '../errors.ts';
import { domainError } from '../errors.ts';
import type { Instant, Random } from '../ports/world.ts';
import type { Challenge, DomainRecord, ValidationMethod } from '../records/index.ts';
import { strategyOf } from '../validation/strategies.ts';
import type { ValidationStrategy } from '../validation/strategy.ts';
import { isWildcardName } from './names.ts';

/** Contract v2 section 8.4; far below the 30 days of the TLS BR. */
const LIFETIME_MS = 48 * 3_600_000;

/** The challenge of a method, expired or not; at most one is kept for each. */
export const challengeOf = (domain: DomainRecord, method: ValidationMethod): Challenge | undefined =>
  domain.challenges.find((challenge) => challenge.method === method);

/** The challenge of a method that can still be met. */
export function liveChallenge(domain: DomainRecord, method: ValidationMethod, now: Instant): Challenge | undefined {
  const challenge = challengeOf(domain, method);
  return challenge !== undefined && challenge.expiresAt > now ? challenge : undefined;
}

export const newChallenge = (strategy: ValidationStrategy, random: Random, now: Instant): Challenge => ({
  method: strategy.method,
  ...strategy.mint(random),
  expiresAt: now + LIFETIME_MS,
});

/** The list with this challenge in place of its method's old one. */
export const withChallenge = (challenges: readonly Challenge[], challenge: Challenge): Challenge[] => [
  ...challenges.filter((one) => one.method !== challenge.method),
  challenge,
];

export type MethodChoice =
  | { readonly strategy: ValidationStrategy; readonly refusal?: undefined }
  | { readonly strategy?: undefined; readonly refusal: DomainError };

/** The strategy for proving `name` by `method`. Error `dcv.methodRefused`. */
export function chooseStrategy(method: ValidationMethod, name: string, use: 'orders' | 'domains'): MethodChoice {
  const strategy = strategyOf(method);
  if (strategy === undefined || !strategy.offeredFor.includes(use)) {
    return { refusal: domainError('dcv.methodRefused', `Validation method ${method} is not offered here`) };
  }
  if (isWildcardName(name) && !strategy.provesWildcards) {
    return { refusal: domainError('dcv.methodRefused', `A wildcard cannot be validated by ${method}; use dns-txt`) };
  }
  return { strategy };
}
