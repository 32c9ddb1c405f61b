import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from '../../bench/load/histogram.ts';

function exactQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
}

test('an empty histogram has only zeros', () => {
  const histogram = new Histogram();
  assert.equal(histogram.count, 0);
  assert.equal(histogram.max, 0);
  assert.equal(histogram.quantile(0.99), 0);
});

test('small values are kept exactly', () => {
  const histogram = new Histogram();
  for (let value = 1; value <= 100; value++) histogram.record(value);
  assert.equal(histogram.quantile(0), 1);
  assert.equal(histogram.quantile(0.5), 50);
  assert.equal(histogram.quantile(0.99), 99);
  assert.equal(histogram.quantile(1), 100);
});

test('values outside the range are moved to its borders', () => {
  const histogram = new Histogram();
  histogram.record(-5);
  histogram.record(2 ** 40);
  assert.equal(histogram.quantile(0), 0);
  assert.equal(histogram.max, 2 ** 31 - 1);
  assert.equal(histogram.quantile(1), 2 ** 31 - 1);
});

test('a quantile is never below the exact one and at most 1/128 above it', () => {
  const micros = fc.oneof(fc.nat({ max: 1_000 }), fc.nat({ max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(
      fc.array(micros, { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const exact = exactQuantile(values, q);
        const found = histogram.quantile(q);
        assert.ok(found >= exact && found <= exact + exact / 128, `${found} for ${exact}`);
        assert.equal(histogram.max, Math.max(...values));
      },
    ),
  );
});
