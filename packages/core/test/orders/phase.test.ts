import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { firstUnmet, isMet, isPending, phaseOf } from '../../src/orders/phase.ts';
import { withRequirement } from '../../src/orders/requirements.ts';
import type { CertificateState, Lifecycle, OrderPhase, Requirement } from '../../src/records/index.ts';

const now = 1_000_000;
const certificate = (state: CertificateState, notAfter = now + 1) => ({ state, notAfter });

describe('phase of an order', () => {
  const table: readonly [Lifecycle, ReturnType<typeof certificate> | null, OrderPhase][] = [
    ['draft', null, 'draft'],
    ['cancelled', null, 'cancelled'],
    ['rejected', null, 'rejected'],
    ['held', null, 'approval'],
    ['open', null, 'issuing'],
    ['issued', certificate('valid'), 'issued'],
    ['issued', certificate('hold'), 'onHold'],
    ['issued', certificate('revoked'), 'revoked'],
    ['issued', certificate('revoked', now - 1), 'revoked'],
    ['issued', certificate('valid', now), 'expired'],
    ['issued', certificate('hold', now), 'expired'],
  ];
  for (const [lifecycle, held, phase] of table) {
    it(`${lifecycle} with certificate ${held?.state ?? 'none'} is ${phase}`, () => {
      assert.equal(phaseOf({ lifecycle, requirements: [] }, held, now), phase);
    });
  }
});

const requirementArbitrary: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('organization', 'csr', 'documents', 'mailbox', 'identity' as const),
    met: fc.boolean(),
  }) as fc.Arbitrary<Requirement>,
  fc.record({ kind: fc.constant('dcv' as const), pending: fc.array(fc.domain(), { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('agreement' as const),
    accepted: fc.option(fc.record({ name: fc.string(), place: fc.string(), ip: fc.string(), at: fc.nat() })),
  }),
  fc.record({
    kind: fc.constant('approval' as const),
    mode: fc.constantFrom('automatic' as const, 'manual' as const),
    approved: fc.option(fc.record({ by: fc.string(), at: fc.nat() })),
  }),
);

/** The requirement with its evidence in place. */
function met(requirement: Requirement): Requirement {
  switch (requirement.kind) {
    case 'dcv':
      return { kind: 'dcv', pending: [] };
    case 'agreement':
      return { kind: 'agreement', accepted: { name: 'a', place: 'b', ip: '::1', at: 1 } };
    case 'approval':
      return { ...requirement, approved: { by: 'x', at: 1 } };
    default:
      return { kind: requirement.kind, met: true };
  }
}

describe('requirements of an order', () => {
  const orders = fc.uniqueArray(requirementArbitrary, { selector: (one) => one.kind, maxLength: 8 });

  it('an open order is issuing exactly when every requirement is met', () => {
    fc.assert(
      fc.property(orders, (requirements) => {
        const phase = phaseOf({ lifecycle: 'open', requirements }, null, now);
        assert.equal(phase === 'issuing', requirements.every(isMet));
        assert.equal(isPending(phase), phase !== 'issuing');
      }),
    );
  });

  it('evidence may come in any order and the last one leads to issuance', () => {
    fc.assert(
      fc.property(
        orders.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, sequence]) => {
          let requirements: readonly Requirement[] = list;
          for (const next of sequence) {
            const before = firstUnmet(requirements);
            requirements = withRequirement(requirements, met(next));
            const after = firstUnmet(requirements);
            // a gate never closes behind a later one: what was first either stays first or is the one just met
            if (after !== undefined && before !== undefined) {
              const position = (one: Requirement) => list.findIndex((each) => each.kind === one.kind);
              assert.ok(position(after) >= position(before));
            }
          }
          assert.equal(phaseOf({ lifecycle: 'open', requirements }, null, now), 'issuing');
        },
      ),
    );
  });
});
