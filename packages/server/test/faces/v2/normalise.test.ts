import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, claimScope, fingerprint, isIdempotencyKey } from '../../../src/faces/v2/idempotency.ts';
import {
  foldMethod,
  foldReason,
  normalise,
  normaliseQuery,
  reasonOf,
  reasonWord,
} from '../../../src/faces/v2/normalise.ts';

describe('normalisation', () => {
  it('drops blank text and null, also in lists and deep inside', () => {
    const body = { a: '', b: null, c: ' \t', d: ['', 'x', null], e: { f: '', g: 0, h: false }, i: 'text' };
    assert.deepEqual(normalise(body), { ok: true, value: { d: ['x'], e: { g: 0, h: false }, i: 'text' } });
  });

  it('keeps blank text where the operation tells it from an absent member', () => {
    assert.deepEqual(normalise({ reason: '', other: null }, { keepBlank: true }), { ok: true, value: { reason: '' } });
  });

  it('refuses bodies that are no objects', () => {
    for (const body of [[], 'text', 1, null, true]) assert.ok(!normalise(body).ok);
  });

  it('refuses text that cannot be kept, and names the member', () => {
    const bad = normalise({ requestor: { name: 'a\0b' }, tags: ['ok', '\ud800'] });
    assert.ok(!bad.ok);
    assert.deepEqual(
      bad.errors.map(({ field }) => field),
      ['requestor.name', 'tags[1]'],
    );
  });

  it('bounds lists', () => {
    assert.ok(normalise({ tags: Array(1_000).fill('x') }).ok);
    assert.ok(!normalise({ tags: Array(1_001).fill('x') }).ok);
  });

  it('is not led astray by __proto__', () => {
    const result = normalise(JSON.parse('{"__proto__":{"polluted":true},"a":"b"}'));
    assert.deepEqual(result, { ok: true, value: { a: 'b' } });
    assert.equal(Object.getPrototypeOf(result.ok ? result.value : {}), Object.prototype);
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        const once = normalise(body);
        if (!once.ok) return;
        assert.deepEqual(normalise(once.value), once);
      }),
    );
  });

  it('drops blank parameters', () => {
    assert.deepEqual(normaliseQuery({ a: '', b: 'x', c: ['1', '2'] }), { b: 'x', c: ['1', '2'] });
  });

  it('folds the spellings of methods', () => {
    for (const text of ['dns-txt', 'DNS-TXT', 'DNS_TXT', ' Dns_Txt ', '2']) assert.equal(foldMethod(text), 'dns-txt');
    for (const text of ['http-url', 'HTTP_URL', '1']) assert.equal(foldMethod(text), 'http-url');
    assert.equal(foldMethod('Carrier-Pigeon'), 'carrier-pigeon');
  });

  it('folds the spellings of reasons and knows their RFC 5280 names', () => {
    const cases = {
      keyCompromise: 'key-compromise',
      cACompromise: 'ca-compromise',
      caCompromise: 'ca-compromise',
      affiliationChanged: 'affiliation-changed',
      cessationOfOperation: 'cessation-of-operation',
      certificateHold: 'certificate-hold',
      privilegeWithdrawn: 'privilege-withdrawn',
      aACompromise: 'aa-compromise',
      aaCompromise: 'aa-compromise',
      superseded: 'superseded',
      unspecified: 'unspecified',
    } as const;
    for (const [text, word] of Object.entries(cases)) {
      assert.equal(foldReason(text), word);
      const reason = reasonOf(word);
      assert.ok(reason !== undefined);
      assert.equal(reasonWord(reason), word);
    }
    assert.equal(reasonOf(foldReason('removeFromCRL')), undefined);
    assert.equal(reasonOf('constructor'), undefined);
  });
});

describe('idempotency', () => {
  it('takes keys of 1 to 255 visible ASCII characters', () => {
    for (const key of ['a', '!'.repeat(255), '1c3f2a70-6a55-4f0e-9a7b-0d9b3f5f2c11']) assert.ok(isIdempotencyKey(key));
    for (const key of ['', 'a b', 'ä', 'x'.repeat(256), 'a, b', 'a\tb']) assert.ok(!isIdempotencyKey(key));
  });

  it('does not see the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        const reversed = Object.fromEntries(Object.entries(body).reverse());
        assert.equal(canonicalJson(reversed), canonicalJson(body));
        assert.deepEqual(JSON.parse(canonicalJson(body)), JSON.parse(JSON.stringify(body)));
      }),
    );
  });

  it('sees every other difference', () => {
    assert.notEqual(fingerprint({ a: [1, 2] }, ''), fingerprint({ a: [2, 1] }, ''));
    assert.notEqual(fingerprint({ a: '1' }, ''), fingerprint({ a: 1 }, ''));
    assert.notEqual(fingerprint({}, '842'), fingerprint({}, '843'));
    assert.notEqual(claimScope(1, 'POST', '/a', 'bc'), claimScope(1, 'POST', '/ab', 'c'));
    assert.notEqual(claimScope(1, 'POST', '/a', 'k'), claimScope(2, 'POST', '/a', 'k'));
  });
});
