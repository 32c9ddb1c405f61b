/**
 * Where an order stands. This is the one place that combines lifecycle, unmet requirements and certificate state;
 * each face maps the resulting phase to its own words.
 */
import type { Instant } from '../ports/world.ts';
import type { CertificateRecord, OrderPhase, OrderRecord, Requirement } from '../records/index.ts';
import { unreachable } from '../util.ts';

export function isMet(requirement: Requirement): boolean {
  switch (requirement.kind) {
    case 'dcv':
      return requirement.pending.length === 0;
    case 'agreement':
      return requirement.accepted !== null;
    case 'approval':
      return requirement.mode === 'automatic' || requirement.approved !== null;
    case 'organization':
    case 'mailbox':
    case 'identity':
    case 'documents':
    case 'csr':
      return requirement.met;
    default:
      return unreachable(requirement);
  }
}

/** The first gate that is still open, in the order of the product. */
export function firstUnmet(requirements: readonly Requirement[]): Requirement | undefined {
  return requirements.find((requirement) => !isMet(requirement));
}

/** Phase of an order; `certificate` is its certificate as far as one is on record. */
export function phaseOf(
  order: Pick<OrderRecord, 'lifecycle' | 'requirements'>,
  certificate: Pick<CertificateRecord, 'state' | 'notAfter'> | null,
  now: Instant,
): OrderPhase {
  switch (order.lifecycle) {
    case 'draft':
    case 'cancelled':
    case 'rejected':
      return order.lifecycle;
    case 'held':
      return 'approval';
    case 'open':
      return firstUnmet(order.requirements)?.kind ?? 'issuing';
    case 'issued':
      if (certificate?.state === 'revoked') return 'revoked';
      if (certificate !== null && certificate.notAfter <= now) return 'expired';
      return certificate?.state === 'hold' ? 'onHold' : 'issued';
    default:
      return unreachable(order.lifecycle);
  }
}

/** Whether the order still waits for something, so that it can be changed or withdrawn. */
export function isPending(phase: OrderPhase): boolean {
  switch (phase) {
    case 'organization':
    case 'mailbox':
    case 'identity':
    case 'documents':
    case 'dcv':
    case 'csr':
    case 'agreement':
    case 'approval':
      return true;
    default:
      return false;
  }
}
