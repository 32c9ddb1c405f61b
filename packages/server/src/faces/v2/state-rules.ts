/** Which call is allowed in which state (contract section 6.3). API v2 insists on an order of calls that the core does not. */
import { type DomainError, domainError, type OrderPhase } from '@certwright/core';
import { STATUS_TABLE } from './status-table.ts';

export type OrderCall = 'dcv' | 'csr' | 'agreement' | 'certificate' | 'cancel' | 'reject' | 'revoke';

type Phase = Exclude<OrderPhase, 'draft'>;
type Verdict = 'ok' | 'EMS-1080' | 'EMS-1165';

/** Columns of the contract's table. */
type Column = 'pO' | 'pV' | 'pC' | 'pD' | 'pG' | 'pA' | 'issued' | 'withdrawn' | 'ended';

const COLUMN: Readonly<Record<Phase, Column>> = {
  organization: 'pO',
  dcv: 'pV',
  csr: 'pC',
  mailbox: 'pD',
  identity: 'pD',
  documents: 'pD',
  agreement: 'pG',
  approval: 'pA',
  issuing: 'pA',
  issued: 'issued',
  // a certificate on hold can still be revoked for good
  onHold: 'issued',
  cancelled: 'withdrawn',
  rejected: 'withdrawn',
  revoked: 'ended',
  expired: 'ended',
};

const columns = (
  pO: Verdict,
  pV: Verdict,
  pC: Verdict,
  pD: Verdict,
  pG: Verdict,
  pA: Verdict,
  issued: Verdict,
  withdrawn: Verdict,
  ended: Verdict,
): Readonly<Record<Column, Verdict>> => ({ pO, pV, pC, pD, pG, pA, issued, withdrawn, ended });

const OPEN = columns('ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'EMS-1165', 'EMS-1165', 'EMS-1165');

const TABLE: Readonly<Record<OrderCall, Readonly<Record<Column, Verdict>>>> = {
  dcv: columns('ok', 'ok', 'EMS-1080', 'EMS-1165', 'EMS-1080', 'EMS-1080', 'EMS-1080', 'EMS-1165', 'EMS-1165'),
  csr: columns('ok', 'ok', 'ok', 'ok', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165'),
  agreement: columns(
    'EMS-1165',
    'EMS-1165',
    'EMS-1165',
    'EMS-1165',
    'ok',
    'EMS-1165',
    'EMS-1165',
    'EMS-1165',
    'EMS-1165',
  ),
  certificate: columns('EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'ok', 'EMS-1165', 'ok'),
  cancel: OPEN,
  reject: OPEN,
  revoke: columns('EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'EMS-1165', 'ok', 'EMS-1165', 'EMS-1165'),
};

/** Suggested polling intervals: while signing, and while somebody has to do something first. */
const SIGNING_RETRY_MS = 1_000;
const PENDING_RETRY_MS = 30_000;

function wrongState(call: OrderCall, phase: Phase): DomainError {
  const { status } = STATUS_TABLE[phase];
  switch (call) {
    case 'csr':
      return domainError('order.wrongState', `Order is ${status}; no CSR can be attached`);
    case 'agreement':
      return domainError('order.wrongState', `Order is ${status}, not pending-agreement`);
    case 'certificate': {
      const waits = COLUMN[phase] !== 'withdrawn';
      return domainError(
        'order.notIssued',
        `No certificate yet, order status is ${status}`,
        waits ? { retryAfterMs: phase === 'issuing' ? SIGNING_RETRY_MS : PENDING_RETRY_MS } : {},
      );
    }
    case 'cancel':
    case 'reject':
      return status === 'issued'
        ? domainError('order.wrongState', `Order is already issued; revoke it instead of cancelling`)
        : domainError('order.wrongState', `Order is ${status}; nothing is left to withdraw`);
    case 'revoke':
      return domainError(
        'order.wrongState',
        phase === 'issuing'
          ? 'Certificate Request still being processed'
          : 'Certificate is not issued or already revoked',
      );
    case 'dcv':
      return domainError('order.wrongState', `Order is ${status}; no domain is verified for it now`);
  }
}

/** Refusal of a call in this phase; undefined when it may go on. */
export function refuseCall(call: OrderCall, phase: OrderPhase): DomainError | undefined {
  if (phase === 'draft') return domainError('order.wrongState', 'The draft has not been placed as an order yet');
  // EMS-1080 is said of a domain, not of an order: the core knows which of them are verified
  return TABLE[call][COLUMN[phase]] === 'EMS-1165' ? wrongState(call, phase) : undefined;
}

/** Verdict of the table itself. */
export const verdictOf = (call: OrderCall, phase: Phase): Verdict => TABLE[call][COLUMN[phase]];
