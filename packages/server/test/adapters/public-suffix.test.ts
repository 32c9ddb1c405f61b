import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { publicSuffix } from '../../src/adapters/public-suffix.ts';

const CASES: readonly [name: string, isSuffix: boolean, registrable: string | null][] = [
  ['com', true, null],
  ['example.com', false, 'example.com'],
  ['a.b.example.com', false, 'example.com'],
  ['co.uk', true, null],
  ['shop.example.co.uk', false, 'example.co.uk'],
  ['xn--p1ai', true, null],
  ['www.xn--e1afmkfd.xn--p1ai', false, 'xn--e1afmkfd.xn--p1ai'],
  ['xn--55qx5d.cn', true, null],
  // wildcard rule and its exception
  ['b.ck', true, null],
  ['www.ck', false, 'www.ck'],
  // the private section of the list does not count
  ['github.io', false, 'github.io'],
  ['team.github.io', false, 'github.io'],
  // reserved and unknown top-level domains
  ['test', true, null],
  ['shop.northwind.test', false, 'northwind.test'],
  ['localhost', true, null],
];

test('public suffixes and registrable domains', () => {
  for (const [name, isSuffix, registrable] of CASES) deepEqual(publicSuffix(name), { isSuffix, registrable }, name);
});
