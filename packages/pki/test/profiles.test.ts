import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EKU, maxValidityDays, PROFILES, recommendedNotAfter, validityLimit } from '@certwright/pki';
import fc from 'fast-check';
import { profile } from './authority.ts';

const DAY = 86_400_000;

describe('validity of publicly trusted TLS certificates', () => {
  const tls = profile('tls-dv');

  const steps: readonly [date: string, days: number][] = [
    ['2025-11-01T00:00:00Z', 398],
    ['2026-03-14T23:59:59Z', 398],
    ['2026-03-15T00:00:00Z', 200],
    ['2027-03-14T23:59:59Z', 200],
    ['2027-03-15T00:00:00Z', 100],
    ['2029-03-14T23:59:59Z', 100],
    ['2029-03-15T00:00:00Z', 47],
    ['2040-01-01T00:00:00Z', 47],
  ];
  for (const [date, days] of steps) {
    it(`is ${days} days for issuance at ${date}`, () => {
      assert.equal(maxValidityDays(tls, Date.parse(date)), days);
    });
  }

  it('counts the last second as part of the validity', () => {
    const notBefore = Date.parse('2026-06-01T12:00:00Z');
    assert.equal(validityLimit(tls, notBefore), notBefore + 200 * DAY - 1000);
  });

  it('is recommended to end a day before the limit', () => {
    const notBefore = Date.parse('2026-06-01T12:00:00Z');
    assert.equal(recommendedNotAfter(tls, notBefore), notBefore + 199 * DAY - 1000);
    const client = profile('tls-client');
    assert.equal(recommendedNotAfter(client, notBefore), validityLimit(client, notBefore));
  });

  it('cuts a start between two seconds', () => {
    const notBefore = Date.parse('2026-06-01T12:00:00Z');
    assert.equal(validityLimit(tls, notBefore + 999), validityLimit(tls, notBefore));
  });

  it('follows the step in force at issuance although notBefore lies before it', () => {
    const issuedAt = Date.parse('2027-03-15T00:00:10Z');
    const notBefore = issuedAt - tls.backdateSeconds * 1000;
    assert.equal(validityLimit(tls, notBefore), notBefore + 100 * DAY - 1000);
  });

  it('never exceeds the days of the profile, schedule or not', () => {
    const ids = [...PROFILES.keys()];
    fc.assert(
      fc.property(
        fc.constantFrom(...ids),
        fc.date({ min: new Date('2024-01-01'), max: new Date('2045-01-01'), noInvalidDate: true }),
        (id, date) => {
          const chosen = profile(id);
          const seconds = (validityLimit(chosen, date.getTime()) - date.getTime()) / 1000;
          assert.ok(seconds > 0 && seconds < chosen.maxValidityDays * 86_400);
        },
      ),
    );
  });
});

describe('profile table', () => {
  it('has every kind of certificate that Certwright issues', () => {
    const expected = [
      'root',
      'issuing-ca',
      'tls-dv',
      'tls-ov',
      'tls-ev',
      'intranet-server',
      'tls-mutual',
      'igtf-host',
      'tls-client',
      'smime-simple',
      'document-signer-natural-person',
      'document-signer-legal-person',
      'document-signer-legal-entity',
      'ocsp-responder',
      'ra',
    ];
    assert.deepEqual([...PROFILES.keys()], expected);
  });

  for (const [id, entry] of PROFILES) {
    it(`${id} is consistent in itself`, () => {
      const isCa = entry.basicConstraints?.ca === true;
      for (const usages of Object.values(entry.keyUsage)) {
        assert.equal(usages.includes('keyCertSign'), isCa);
        assert.ok(usages.length > 0);
      }
      assert.ok(!entry.keyUsage.ec.includes('keyEncipherment'));
      assert.ok(entry.san.min <= entry.san.max);
      assert.ok(entry.subject.anyOf.flat().every((type) => entry.subject.optional.includes(type)));
      assert.ok(entry.allowedKeys.length > 0);
      if (entry.publicTlsSchedule) assert.deepEqual(entry.extendedKeyUsage, [EKU.serverAuth]);
      assert.equal(entry.ocspNoCheck, entry.kind === 'ocspResponder');
    });
  }
});
