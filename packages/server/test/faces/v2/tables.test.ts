import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERROR_CODES, type OrderPhase, type Requirement } from '@certwright/core';
import { ERROR_TABLE, type ErrorEntry } from '../../../src/faces/v2/error-table.ts';
import { refusalOf } from '../../../src/faces/v2/problem.ts';
import { type OrderCall, refuseCall, verdictOf } from '../../../src/faces/v2/state-rules.ts';
import { draftStatus, STATUS_TABLE } from '../../../src/faces/v2/status-table.ts';

describe('error table', () => {
  it('has every code of the core and no other', () => {
    assert.deepEqual(Object.keys(ERROR_TABLE).sort(), [...ERROR_CODES].sort());
  });

  it('uses the codes of the contract with their status', () => {
    const conflicts = new Set(['EMS-DOMAIN-002', 'EMS-DOMAIN-101']);
    const entries: readonly ErrorEntry[] = Object.values(ERROR_TABLE);
    for (const { status, slug, ems } of entries) {
      assert.match(slug, /^[a-z]+(-[a-z]+)*$/);
      if (ems !== undefined) assert.equal(status, conflicts.has(ems) ? 409 : 422, ems);
    }
  });

  it('says when to come back wherever it asks for patience', () => {
    const entries: readonly ErrorEntry[] = Object.values(ERROR_TABLE);
    for (const { status, slug, retryAfter } of entries) {
      if (status === 429 || status === 503) assert.ok(retryAfter !== undefined, slug);
    }
  });

  it('rounds waiting times up to whole seconds', () => {
    assert.equal(refusalOf({ code: 'overloaded', detail: '', retryAfterMs: 1 }).retryAfter, 1);
    assert.equal(refusalOf({ code: 'overloaded', detail: '', retryAfterMs: 1_001 }).retryAfter, 2);
  });
});

describe('status words', () => {
  it('follow section 6.2', () => {
    const words = (phase: Exclude<OrderPhase, 'draft'>) => Object.values(STATUS_TABLE[phase]).join(' | ');
    assert.equal(words('dcv'), 'pending-dcv | Order Accepted | Pending for Approver');
    assert.equal(words('organization'), 'pending-organization-verification | Order Accepted | Pending for Approver');
    assert.equal(words('issuing'), 'pending-approval | Order In-Progress | Approved by System');
    assert.equal(words('issued'), 'issued | Order Fulfilled | Certificate Generated');
    assert.equal(words('revoked'), 'revoked | Order Fulfilled | Certificate Revoked');
    assert.equal(words('expired'), 'expired | Order Fulfilled | Certificate Expired');
    assert.equal(words('cancelled'), 'cancelled | Order Cancelled | Rejected due to Order Cancellation');
    assert.equal(words('rejected'), 'rejected | Order Rejected | Rejected');
  });

  it('of a draft are those of the order it would start as', () => {
    const requirements: Requirement[] = [
      { kind: 'dcv', pending: ['a.example'] },
      { kind: 'csr', met: false },
    ];
    assert.equal(draftStatus(requirements), 'pending-dcv');
    assert.equal(draftStatus(requirements.slice(1)), 'pending-csr');
    assert.equal(draftStatus([{ kind: 'approval', mode: 'manual', approved: null }]), 'pending-approval');
  });
});

describe('which call in which state', () => {
  const phases = [
    'organization',
    'dcv',
    'csr',
    'documents',
    'agreement',
    'approval',
    'issued',
    'cancelled',
    'revoked',
  ] as const;
  // rows of section 6.3: o ok, 8 EMS-1080, x EMS-1165
  const rows: Readonly<Record<OrderCall, string>> = {
    dcv: 'oo8x888xx',
    csr: 'ooooxxxxx',
    agreement: 'xxxxoxxxx',
    certificate: 'xxxxxxoxo',
    cancel: 'ooooooxxx',
    reject: 'ooooooxxx',
    revoke: 'xxxxxxoxx',
  };
  const letters = { ok: 'o', 'EMS-1080': '8', 'EMS-1165': 'x' } as const;

  for (const [call, row] of Object.entries(rows)) {
    it(`${call}: ${row}`, () => {
      const actual = phases.map((phase) => letters[verdictOf(call as OrderCall, phase)]).join('');
      assert.equal(actual, row);
      for (const [index, phase] of phases.entries()) {
        assert.equal(refuseCall(call as OrderCall, phase) !== undefined, row[index] === 'x', phase);
      }
    });
  }

  it('treats signing like approval, expiry like revocation, and lets a hold become a revocation', () => {
    for (const call of Object.keys(rows) as OrderCall[]) {
      assert.equal(verdictOf(call, 'issuing'), verdictOf(call, 'approval'));
      assert.equal(verdictOf(call, 'expired'), verdictOf(call, 'revoked'));
      assert.equal(verdictOf(call, 'rejected'), verdictOf(call, 'cancelled'));
    }
    assert.equal(refuseCall('revoke', 'onHold'), undefined);
  });

  it('tells pollers when to come back', () => {
    assert.equal(refuseCall('certificate', 'issuing')?.retryAfterMs, 1_000);
    assert.equal(refuseCall('certificate', 'csr')?.retryAfterMs, 30_000);
    assert.equal(refuseCall('certificate', 'cancelled')?.retryAfterMs, undefined);
    assert.equal(refuseCall('certificate', 'csr')?.code, 'order.notIssued');
  });
});
