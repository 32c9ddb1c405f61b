import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pooledRandom } from '../src/compose/world.ts';

test('octets come in the length asked for, also beyond the pool', () => {
  const random = pooledRandom();
  for (const length of [0, 1, 16, 4_095, 4_096, 4_097, 100_000]) assert.equal(random.bytes(length).length, length);
});

test('no octets are handed out twice, across refills of the pool', () => {
  const random = pooledRandom();
  const seen = new Set(Array.from({ length: 5_000 }, () => Buffer.from(random.bytes(12)).toString('hex')));
  assert.equal(seen.size, 5_000);
});

test('what was handed out is the caller’s own', () => {
  const random = pooledRandom();
  const first = random.bytes(16);
  const copy = Buffer.from(first);
  random.bytes(4_000);
  random.bytes(4_000);
  assert.deepEqual(Buffer.from(first), copy);
  assert.ok(copy.some((octet) => octet !== 0));
});
