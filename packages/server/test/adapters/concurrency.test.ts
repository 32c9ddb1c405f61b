import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createConcurrencyLimiter } from '../../src/adapters/concurrency.ts';

describe('concurrency limiter', () => {
  it('runs so many at once, lets so many wait in order, refuses the rest', async () => {
    const limiter = createConcurrencyLimiter(2, 2);
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const started: number[] = [];
    const results = gates.map(({ promise }, i) =>
      limiter.run(async () => {
        started.push(i);
        await promise;
        if (i === 1) throw new Error('broken');
        return i;
      }),
    );
    assert.equal(
      limiter.run(async () => 4),
      undefined,
    );
    assert.deepEqual(started, [0, 1]);
    const failed = assert.rejects(Promise.resolve(results[1]), /broken/);
    gates[1]?.resolve();
    await failed;
    await new Promise(setImmediate);
    assert.deepEqual(started, [0, 1, 2]);
    gates[0]?.resolve();
    gates[2]?.resolve();
    gates[3]?.resolve();
    assert.deepEqual(await Promise.all([results[0], results[2], results[3]]), [0, 2, 3]);
    assert.equal(await limiter.run(async () => 5), 5);
  });
});
