import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { AnswerRecorder, OrderView } from '../../src/api.ts';
import type { IdempotencyRecord } from '../../src/records/index.ts';
import { createTestCore, csrFor, must, privateRequest, refusal, type TestCore } from '../support/core.ts';

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
const scope = sha('account 1 POST /orders key');
const [one, two] = [sha('body one'), sha('body two')];

async function claim(test: TestCore, fingerprint = one): Promise<IdempotencyRecord> {
  const outcome = must(await test.core.idempotency.claim(scope, fingerprint));
  assert.equal(outcome.kind, 'claimed');
  assert.ok(outcome.kind === 'claimed');
  return outcome.claim;
}

const recorder = (claimed: IdempotencyRecord): AnswerRecorder<OrderView> => ({
  claim: claimed,
  render: (view) => ({ status: 201, headers: {}, body: JSON.stringify({ id: view.order.number, phase: view.phase }) }),
});

describe('Idempotency-Key', () => {
  it('is claimed by one of many at once; the others hear that it is in progress', async (t) => {
    const test = await createTestCore(t);
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => test.core.idempotency.claim(scope, one)));
    assert.equal(outcomes.filter((outcome) => outcome.ok).length, 1);
    for (const outcome of outcomes) {
      if (outcome.ok) continue;
      assert.equal(outcome.error.code, 'idempotency.inProgress');
      assert.ok((outcome.error.retryAfterMs ?? 0) > 0);
    }
  });

  it('with another request is refused while it is held and after it was answered', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const claimed = await claim(test);
    assert.equal(refusal(await test.core.idempotency.claim(scope, two)), 'idempotency.keyReused');
    must(await test.core.orders.create(ctx, privateRequest('wiki.internal'), recorder(claimed)));
    assert.equal(refusal(await test.core.idempotency.claim(scope, two)), 'idempotency.keyReused');
  });

  it('gives the stored answer again; it shows the order as it was after the whole call', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const claimed = await claim(test);
    const view = must(
      await test.core.orders.create(
        ctx,
        privateRequest('wiki.internal', { csr: await csrFor('wiki.internal') }),
        recorder(claimed),
      ),
    );
    const again = must(await test.core.idempotency.claim(scope, one));
    assert.ok(again.kind === 'replay');
    assert.deepEqual(JSON.parse(again.answer.body), { id: view.order.number, phase: 'issued' });
  });

  it('keeps the answer of the first commit when the process dies before the certificate is signed', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const claimed = await claim(test);
    test.signer.broken = true;
    const view = must(
      await test.core.orders.create(
        ctx,
        privateRequest('wiki.internal', { csr: await csrFor('wiki.internal') }),
        recorder(claimed),
      ),
    );
    const again = must(await test.core.idempotency.claim(scope, one));
    assert.ok(again.kind === 'replay');
    assert.deepEqual(JSON.parse(again.answer.body), { id: view.order.number, phase: 'issuing' });
  });

  it('is free again after a release', async (t) => {
    const test = await createTestCore(t);
    await test.core.idempotency.release(await claim(test));
    await claim(test, two);
  });

  it('of a dead process can be taken over after a minute, and the dead one can do nothing any more', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const dead = await claim(test);
    test.wallClock.time += 60_001;
    const alive = await claim(test);
    assert.equal(
      refusal(await test.core.orders.create(ctx, privateRequest('late.internal'), recorder(dead))),
      'idempotency.inProgress',
    );
    await test.core.idempotency.release(dead);
    const view = must(await test.core.orders.create(ctx, privateRequest('wiki.internal'), recorder(alive)));
    const orders = must(await test.core.orders.list(test.operator, {}, { limit: 10 }));
    assert.deepEqual(
      orders.rows.map((row) => row.number),
      [view.order.number],
    );
  });

  it('is forgotten after a day', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    must(await test.core.orders.create(ctx, privateRequest('wiki.internal'), recorder(await claim(test))));
    test.wallClock.time += 24 * 3_600_000 + 1;
    await claim(test, two);
  });
});
