import type { DomainService } from '../api.ts';
import type { CoreDependencies } from '../settings.ts';
import { type CaaChecker, createCaaChecker } from '../validation/caa/checker.ts';
import { createDomainAdmission } from './add.ts';
import { createDomainJobs, type DomainJobs } from './jobs.ts';
import { createMailApproval } from './mail-approval.ts';
import { createOrderChallenges, type OrdersToValidate } from './order-challenges.ts';
import { createDomainRegistry } from './registry.ts';
import { createVerifier, type DomainHooks } from './verification.ts';

export interface DomainServiceHooks extends DomainHooks {
  readonly orders: OrdersToValidate;
}

export interface DomainServiceInternals extends DomainService {
  /** Handlers for the job runner. */
  readonly jobs: DomainJobs;
}

/**
 * Domains and their validation. `caa` is the checker of the whole core, so that answers are asked for once; without it
 * the service makes its own.
 */
export function createDomainService(
  deps: CoreDependencies,
  hooks: DomainServiceHooks,
  caa: CaaChecker = createCaaChecker(deps),
): DomainServiceInternals {
  const verifier = createVerifier(deps, hooks);
  return {
    ...createDomainAdmission(deps, caa),
    ...createDomainRegistry(deps, verifier),
    ...createOrderChallenges(deps, hooks.orders, verifier),
    ...createMailApproval(deps, verifier),
    jobs: createDomainJobs(deps, hooks, verifier),
  };
}
