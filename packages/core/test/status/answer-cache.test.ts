import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AnswerCache, type PrecomputedAnswer } from '../../src/status/answer-cache.ts';

const NOW = Date.UTC(2026, 0, 1);

function answerOf(text: string, from = NOW, until = NOW + 1_000): PrecomputedAnswer {
  return { answer: { body: Buffer.from(text), cache: null }, from, until };
}

const textOf = (answer: { readonly body: Uint8Array } | undefined): string | undefined =>
  answer && Buffer.from(answer.body).toString();

function ask(cache: AnswerCache, certificate: string, text: string, now = NOW) {
  return cache.answer(certificate, 'id', `request ${certificate}`, now, async () => answerOf(text, now, now + 1_000));
}

describe('cache of precomputed answers', () => {
  it('finds an answer by the bytes of the request once it was made', async () => {
    const cache = new AnswerCache(10);
    assert.equal(cache.lookUp('request 1:aa', NOW), undefined);
    assert.equal(textOf(await ask(cache, '1:aa', 'good')), 'good');
    assert.equal(textOf(cache.lookUp('request 1:aa', NOW)), 'good');
  });

  it('finds it for another wrapping of the same CertID without making it anew', async () => {
    const cache = new AnswerCache(10);
    await ask(cache, '1:aa', 'good');
    const again = await cache.answer('1:aa', 'id', 'other wrapping', NOW, () => assert.fail('made again'));
    assert.equal(textOf(again), 'good');
    assert.equal(textOf(cache.lookUp('other wrapping', NOW)), 'good');
  });

  it('gives nothing out of its time, neither later nor after the clock was put back', async () => {
    const cache = new AnswerCache(10);
    await ask(cache, '1:aa', 'good');
    assert.equal(cache.lookUp('request 1:aa', NOW + 1_000), undefined);
    assert.equal(cache.lookUp('request 1:aa', NOW - 1), undefined);
    assert.equal(textOf(await ask(cache, '1:aa', 'earlier', NOW - 5_000)), 'earlier');
  });

  it('makes an answer once for all who ask meanwhile', async () => {
    const cache = new AnswerCache(10);
    const { promise, resolve } = Promise.withResolvers<PrecomputedAnswer>();
    let made = 0;
    const make = () => {
      made++;
      return promise;
    };
    const asked = [1, 2, 3].map((n) => cache.answer('1:aa', 'id', `request ${n}`, NOW, make));
    resolve(answerOf('good'));
    assert.deepEqual((await Promise.all(asked)).map(textOf), ['good', 'good', 'good']);
    assert.equal(made, 1);
  });

  it('does not keep an answer whose certificate was forgotten while it was made', async () => {
    const cache = new AnswerCache(10);
    const { promise, resolve } = Promise.withResolvers<PrecomputedAnswer>();
    const before = cache.answer('1:aa', 'id', 'request 1:aa', NOW, () => promise);
    cache.forget('1:aa');
    const after = ask(cache, '1:aa', 'revoked');
    resolve(answerOf('good'));
    assert.equal(textOf(await before), 'good');
    assert.equal(textOf(await after), 'revoked');
    assert.equal(textOf(cache.lookUp('request 1:aa', NOW)), 'revoked');
  });

  it('keeps nothing about certificates that do not exist, nor after a failure', async () => {
    const cache = new AnswerCache(10);
    assert.equal(await cache.answer('1:aa', 'id', 'r', NOW, async () => undefined), undefined);
    await assert.rejects(cache.answer('1:aa', 'id', 'r', NOW, async () => assert.fail('no key')));
    assert.equal(cache.size, 0);
    assert.equal(textOf(await cache.answer('1:aa', 'id', 'r', NOW, async () => answerOf('good'))), 'good');
  });

  it('forgets by prefix', async () => {
    const cache = new AnswerCache(10);
    for (const certificate of ['1:aa', '1:bb', '12:aa']) await ask(cache, certificate, certificate);
    cache.forgetAll('1:');
    assert.equal(cache.lookUp('request 1:aa', NOW), undefined);
    assert.equal(cache.lookUp('request 1:bb', NOW), undefined);
    assert.equal(textOf(cache.lookUp('request 12:aa', NOW)), '12:aa');
    cache.forgetAll();
    assert.equal(cache.size, 0);
  });

  it('drops first what nobody asked for', async () => {
    const cache = new AnswerCache(3);
    for (const certificate of ['a', 'b', 'c', 'd']) await ask(cache, certificate, certificate);
    // everything was new and is now marked as old; only b is asked for again
    assert.equal(cache.size, 3);
    cache.lookUp('request b', NOW);
    await ask(cache, 'e', 'e');
    assert.equal(textOf(cache.lookUp('request b', NOW)), 'b');
    assert.equal(cache.size, 3);
  });

  it('never gives out what was forgotten, whatever happens in between, and stays within its bound', async () => {
    const operation = fc.record({
      kind: fc.constantFrom('ask', 'revoke', 'finish', 'clear'),
      certificate: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const cache = new AnswerCache(3);
        const version = new Map<string, number>();
        let waiting: (() => void)[] = [];
        const asked: Promise<void>[] = [];
        for (const { kind, certificate } of operations) {
          const now = version.get(certificate) ?? 0;
          if (kind === 'revoke') {
            version.set(certificate, now + 1);
            cache.forget(certificate);
          } else if (kind === 'clear') cache.forgetAll();
          else if (kind === 'finish') {
            for (const finish of waiting) finish();
            waiting = [];
            // what is being made goes on before the next step
            await new Promise(setImmediate);
          } else {
            const kept = textOf(cache.lookUp(certificate, NOW));
            if (kept !== undefined) assert.equal(kept, String(now));
            const answer = cache.answer(certificate, 'id', certificate, NOW, () => {
              const { promise, resolve } = Promise.withResolvers<PrecomputedAnswer>();
              waiting.push(() => resolve(answerOf(String(now))));
              return promise;
            });
            asked.push(answer.then((given) => assert.equal(textOf(given), String(now))));
          }
          assert.ok(cache.size <= 3);
        }
        for (const finish of waiting) finish();
        await Promise.all(asked);
      }),
      { numRuns: 200 },
    );
  });
});
