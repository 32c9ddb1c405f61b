import type { CallContext, Outcome } from '../api.ts';
import type { Actor } from '../audit/draft.ts';
import type { Write } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { AuditDraft, DomainRecord, ValidationMethod } from '../records/index.ts';

/** What orders need of the domain register. */
export interface DomainRegister {
  /** Finds or makes one row per name (a wildcard shares the row of its base). Error `domain.inactive`, `domain.nameRefused`, … */
  registerForOrder(input: {
    readonly accountId: number;
    readonly organizationId: number | null;
    readonly names: readonly string[];
    readonly ctx: CallContext;
    readonly now: Instant;
  }): Outcome<{
    readonly domains: readonly DomainRecord[];
    readonly writes: readonly Write[];
    readonly audit: readonly AuditDraft[];
  }>;
  /** Whether the row proves control over the name now. */
  isProven(domain: DomainRecord, name: { readonly wildcard: boolean }, now: Instant): boolean;
}

/** Certification Authority Authorization (RFC 8659). */
export interface CaaGate {
  /** Asks for all names, on behalf of the account; the first that forbids decides. Error `caa.forbids`. */
  permit(
    actor: Actor,
    names: readonly { readonly name: string; readonly method: ValidationMethod | null }[],
    accountId: number,
  ): Outcome<{ readonly audit: readonly AuditDraft[] }>;
}
