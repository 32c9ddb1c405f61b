/** Where an order stands, in the words of API v2 (contract sections 6.1 and 6.2). */
import { firstUnmet, type OrderPhase, type OrderView, type Requirement } from '@certwright/core';

export type V2Status =
  | 'pending-organization-verification'
  | 'pending-dcv'
  | 'pending-csr'
  | 'pending-documents'
  | 'pending-agreement'
  | 'pending-approval'
  | 'issued'
  | 'revoked'
  | 'expired'
  | 'cancelled'
  | 'rejected';

export interface StatusWords {
  readonly status: V2Status;
  readonly orderState: string;
  readonly certificateState: string;
}

const pending = (status: V2Status): StatusWords => ({
  status,
  orderState: 'Order Accepted',
  certificateState: 'Pending for Approver',
});
const fulfilled = (status: V2Status, certificateState: string): StatusWords => ({
  status,
  orderState: 'Order Fulfilled',
  certificateState,
});

/** Words of each phase; a draft's status is that of the order it would become (see {@link draftStatus}). */
export const STATUS_TABLE: Readonly<Record<Exclude<OrderPhase, 'draft'>, StatusWords>> = {
  organization: pending('pending-organization-verification'),
  // v2 has no word for a mailbox or an identity check: both are evidence that somebody has to approve or send in
  mailbox: pending('pending-approval'),
  identity: pending('pending-documents'),
  documents: pending('pending-documents'),
  dcv: pending('pending-dcv'),
  csr: pending('pending-csr'),
  agreement: pending('pending-agreement'),
  approval: pending('pending-approval'),
  // `issued` is said only together with the stored certificate
  issuing: {
    status: 'pending-approval',
    orderState: 'Order In-Progress',
    certificateState: 'Approved by System',
  },
  issued: fulfilled('issued', 'Certificate Generated'),
  // on hold is a revocation with the reason certificate-hold
  onHold: fulfilled('revoked', 'Certificate Revoked'),
  revoked: fulfilled('revoked', 'Certificate Revoked'),
  expired: fulfilled('expired', 'Certificate Expired'),
  cancelled: {
    status: 'cancelled',
    orderState: 'Order Cancelled',
    certificateState: 'Rejected due to Order Cancellation',
  },
  rejected: { status: 'rejected', orderState: 'Order Rejected', certificateState: 'Rejected' },
};

const DOWNLOADED = fulfilled('issued', 'Certificate Downloaded');

/** Status that a draft's order would start in. */
export const draftStatus = (requirements: readonly Requirement[]): V2Status =>
  STATUS_TABLE[firstUnmet(requirements)?.kind ?? 'issuing'].status;

/** The words for an order as it stands. */
export function statusWords({
  order,
  phase,
  certificate,
}: Pick<OrderView, 'order' | 'phase' | 'certificate'>): StatusWords {
  if (phase === 'draft') return pending(draftStatus(order.requirements));
  if (phase === 'issued' && certificate !== null && certificate.downloadedAt !== null) return DOWNLOADED;
  return STATUS_TABLE[phase];
}
