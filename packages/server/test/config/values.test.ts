import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hostForUrl,
  isNetwork,
  networkMatcher,
  parseBaseUrl,
  parseDuration,
  parseListenAddress,
} from '../../src/config/values.ts';

test('durations are ISO 8601 of fixed units', () => {
  const table: readonly (readonly [string, number | undefined])[] = [
    ['P7D', 604_800_000],
    ['P1W', 604_800_000],
    ['PT30S', 30_000],
    ['P1DT12H30M5S', 131_405_000],
    ['PT0S', 0],
    ['P', undefined],
    ['PT', undefined],
    ['P1DT', undefined],
    ['P1M', undefined],
    ['P1Y', undefined],
    ['7D', undefined],
    ['P-1D', undefined],
    ['P1.5D', undefined],
    ['', undefined],
  ];
  for (const [text, ms] of table) assert.equal(parseDuration(text), ms, text);
});

test('listen addresses', () => {
  assert.deepEqual(parseListenAddress('127.0.0.1:8440'), { host: '127.0.0.1', port: 8440 });
  assert.deepEqual(parseListenAddress(':8440'), { host: '::', port: 8440 });
  assert.deepEqual(parseListenAddress('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(parseListenAddress('ca.example:443'), { host: 'ca.example', port: 443 });
  for (const text of ['8440', '127.0.0.1', '[zz]:1', '127.0.0.1:65536', '::1:8440', 'a b:1', '127.0.0.1:']) {
    assert.equal(parseListenAddress(text), undefined, text);
  }
});

test('base URLs lose their trailing slash and take neither query nor credentials', () => {
  assert.equal(parseBaseUrl('https://ca.example/', ['https']), 'https://ca.example');
  assert.equal(parseBaseUrl('https://ca.example:8440/base/', ['https']), 'https://ca.example:8440/base');
  for (const text of [
    'http://ca.example',
    'https://u:p@ca.example',
    'https://ca.example/?a',
    'ca.example',
    'https://',
  ]) {
    assert.equal(parseBaseUrl(text, ['https']), undefined, text);
  }
});

test('networks match addresses, mapped ones too', () => {
  const matches = networkMatcher(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1', '192.0.2.7'])
    assert.ok(matches(address), address);
  for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.8', 'unix', '']) assert.ok(!matches(address), address);
  assert.ok(isNetwork('10.0.0.0/8') && isNetwork('::1'));
  for (const text of ['10.0.0.0/33', '10.0.0/8', 'ca.example', '10.0.0.0/8/8', '10.0.0.0/'])
    assert.ok(!isNetwork(text), text);
});

test('hosts of local URLs', () => {
  assert.equal(hostForUrl('::'), 'localhost');
  assert.equal(hostForUrl('127.0.0.1'), 'localhost');
  assert.equal(hostForUrl('2001:db8::1'), '[2001:db8::1]');
  assert.equal(hostForUrl('192.0.2.1'), '192.0.2.1');
});
