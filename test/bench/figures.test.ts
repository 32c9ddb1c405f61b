import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Figure, formatFigures, median, reached } from '../../bench/support/figures.ts';

const figure: Figure = {
  row: 'ocsp',
  what: 'GET',
  value: 21_345.6,
  unit: 'req/s',
  goal: { kind: 'atLeast', value: 20_000 },
  peer: null,
  note: '',
};

test('a goal is reached from its value on, a limit only below it', () => {
  assert.equal(reached({ value: 20_000, goal: { kind: 'atLeast', value: 20_000 } }), true);
  assert.equal(reached({ value: 19_999, goal: { kind: 'atLeast', value: 20_000 } }), false);
  assert.equal(reached({ value: 30, goal: { kind: 'below', value: 30 } }), false);
  assert.equal(reached({ value: 29.9, goal: { kind: 'below', value: 30 } }), true);
  assert.equal(reached({ value: 1, goal: null }), null);
});

test('the median ignores outliers', () => {
  assert.equal(median([7]), 7);
  assert.equal(median([9, 1, 2]), 2);
  assert.equal(median([1, 100, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

test('the table names figure, target, peer, ratio and verdict', () => {
  const lines = formatFigures([
    figure,
    { ...figure, what: 'sign', value: 3, peer: { name: 'peer', value: 4 } },
    { ...figure, what: 'p99', value: 12.34, unit: 'ms', goal: { kind: 'below', value: 60 }, note: 'quiet' },
  ]).split('\n');
  assert.equal(lines.length, 4);
  assert.match(lines[1] ?? '', /ocsp +GET +21,346\/s +≥ 20,000\/s +ok$/);
  assert.match(lines[2] ?? '', /peer 4\/s +0\.75 +MISSED$/);
  assert.match(lines[3] ?? '', /12\.3 ms +< 60 ms +ok +quiet$/);
});
