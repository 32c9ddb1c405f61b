import type { CallContext, OperatorContext, Origin } from '../api.ts';
import type { Instant } from '../ports/world.ts';
import type { AuditDraft, AuditOutcome } from '../records/index.ts';

/** Work that no caller asked for: jobs, renewals, recovery. */
export interface SystemContext {
  readonly system: string;
  readonly origin: Origin;
}

export type Actor = CallContext | OperatorContext | SystemContext;

export function systemContext(name: string): SystemContext {
  return { system: name, origin: { channel: 'job', requestId: '', ip: '', originator: 'Certwright' } };
}

function actorName(actor: Actor): string {
  if ('caller' in actor) return `credential:${actor.caller.credentialId}`;
  if ('operator' in actor) return `operator:${actor.operator}`;
  return `system:${actor.system}`;
}

export interface AuditFacts {
  readonly activity: string;
  readonly objectType: string;
  readonly objectId: string | number;
  /** Default: the caller's account. */
  readonly accountId?: number | null;
  readonly outcome?: AuditOutcome;
  /** Never secrets, keys or personal data beyond what the object itself holds. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** One audit entry (contract platform section 8); the store adds lane, sequence and hashes. */
export function auditEntry(actor: Actor, at: Instant, facts: AuditFacts): AuditDraft {
  return {
    at,
    accountId: facts.accountId !== undefined ? facts.accountId : 'caller' in actor ? actor.caller.accountId : null,
    actor: actorName(actor),
    channel: actor.origin.channel,
    activity: facts.activity,
    objectType: facts.objectType,
    objectId: String(facts.objectId),
    outcome: facts.outcome ?? 'success',
    requestId: actor.origin.requestId,
    ip: actor.origin.ip,
    details: facts.details ?? {},
  };
}
