import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJsonBody } from '../../src/http/json-body.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('JSON bodies', () => {
  it('takes no bytes as an empty object', () => {
    assert.deepEqual(parseJsonBody(new Uint8Array()), { ok: true, value: {} });
  });

  it('refuses what is not JSON without quoting it', () => {
    for (const text of ['{', 'nonsense', '{"secret":"hunter2"', '\u0000', ' ']) {
      const parsed = parseJsonBody(bytes(text));
      assert.ok(!parsed.ok);
      assert.ok(!parsed.error.includes('hunter2'));
    }
  });

  it('refuses what is not UTF-8', () => {
    assert.ok(!parseJsonBody(Uint8Array.of(0x22, 0xc3, 0x28, 0x22)).ok);
  });

  it('bounds the depth, but not by brackets inside text', () => {
    assert.ok(parseJsonBody(bytes('['.repeat(32) + ']'.repeat(32))).ok);
    assert.ok(!parseJsonBody(bytes('['.repeat(33) + ']'.repeat(33))).ok);
    assert.ok(!parseJsonBody(bytes('{"a":'.repeat(200_000))).ok);
    assert.ok(parseJsonBody(bytes(JSON.stringify({ text: `\\"${'['.repeat(100)}`, other: '{{'.repeat(50) }))).ok);
  });

  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const parsed = parseJsonBody(bytes(JSON.stringify(value)));
        assert.ok(parsed.ok);
        assert.equal(JSON.stringify(parsed.value), JSON.stringify(value));
      }),
    );
  });
});
