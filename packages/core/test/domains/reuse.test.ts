import { deepEqual, equal } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { DomainRecord, ValidationMethod } from '@certwright/core';
import fc from 'fast-check';
import { autoVerifyOf, coveringAncestor, coversSubdomains, mayInherit } from '../../src/domains/inheritance.ts';
import { ancestorsOf } from '../../src/domains/names.ts';
import { asSeen, isProven, isVerified, maxReuseDays, reuseEnd } from '../../src/domains/reuse.ts';
import { newDomain } from '../../src/domains/rows.ts';
import { fakePublicSuffix as publicSuffix } from '../support/network.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 24, 13, 30);
const random = { bytes: (length: number) => randomBytes(length) };

let ids = 0;
function row(name: string, set: Partial<DomainRecord> = {}): DomainRecord {
  ids += 1;
  return {
    ...newDomain(random, { id: ids, accountId: 1, organizationId: 7, name, method: 'dns-txt', createdAt: NOW }),
    ...set,
  };
}

function verified(name: string, by: ValidationMethod, set: Partial<DomainRecord> = {}): DomainRecord {
  return row(name, { dcvStatus: 'verified', verifiedAt: NOW, verifiedBy: by, validTill: reuseEnd(NOW, 200), ...set });
}

test('the reuse window is whole days cut to midnight UTC', () => {
  equal(new Date(reuseEnd(NOW, 200)).toISOString(), '2027-06-12T00:00:00.000Z');
  equal(new Date(reuseEnd(NOW, 30)).toISOString(), '2026-12-24T00:00:00.000Z');
  equal(new Date(reuseEnd(NOW, 398)).toISOString(), '2027-06-12T00:00:00.000Z', 'the schedule caps the setting');
  equal(new Date(reuseEnd(Date.UTC(2026, 10, 24), 200)).toISOString(), '2027-06-12T00:00:00.000Z');
  equal(new Date(reuseEnd(Date.UTC(2027, 2, 15), 200)).toISOString(), '2027-06-23T00:00:00.000Z');
  equal(new Date(reuseEnd(Date.UTC(2029, 2, 15, 23), 200)).toISOString(), '2029-03-25T00:00:00.000Z');
});

test('the schedule of the baseline requirements', () => {
  const days = (text: string) => maxReuseDays(Date.parse(text));
  deepEqual(
    [
      days('2026-11-24T00:00:00Z'),
      days('2027-03-14T23:59:59.999Z'),
      days('2027-03-15T00:00:00Z'),
      days('2029-03-14T23:59:59.999Z'),
      days('2029-03-15T00:00:00Z'),
    ],
    [200, 200, 100, 100, 10],
  );
});

test('property: no proof is used longer than the rules of the day allow', () => {
  const from = Date.UTC(2026, 10, 1);
  const instant = fc.integer({ min: from, max: Date.UTC(2030, 0, 1) });
  fc.assert(
    fc.property(instant, instant, fc.integer({ min: 1, max: 400 }), (verifiedAt, now, days) => {
      const domain = row('northwind.test', {
        dcvStatus: 'verified',
        verifiedAt,
        verifiedBy: 'dns-txt',
        validTill: reuseEnd(verifiedAt, days),
      });
      if (!isVerified(domain, now)) return true;
      return now - verifiedAt < maxReuseDays(now) * DAY && now - verifiedAt < days * DAY;
    }),
  );
});

test('a proof stops to count when it runs out, when a shorter period began, when the domain is inactive', () => {
  const domain = verified('northwind.test', 'dns-txt');
  const till = domain.validTill ?? 0;
  equal(isVerified(domain, NOW), true);
  equal(isVerified(domain, Date.UTC(2027, 2, 14)), true);
  equal(isVerified(domain, Date.UTC(2027, 2, 15)), false, 'older than 100 days when these begin');
  equal(isVerified({ ...domain, status: 'inactive' }, NOW), false);
  equal(isVerified({ ...domain, dcvStatus: 'pending' }, NOW), false);
  const early = { ...domain, verifiedAt: NOW - 10 * DAY, validTill: NOW + DAY };
  equal(isVerified(early, NOW + DAY - 1), true);
  equal(isVerified(early, NOW + DAY), false);
  equal(asSeen(domain, till).dcvStatus, 'pending');
  equal(asSeen(domain, NOW).dcvStatus, 'verified');
  equal(asSeen({ ...domain, dcvStatus: 'rejected' }, till).dcvStatus, 'rejected');
});

test('a wildcard takes a proof of its own name by DNS', () => {
  const wildcard = { wildcard: true };
  const plain = { wildcard: false };
  const cases: readonly [DomainRecord, boolean, boolean][] = [
    [verified('northwind.test', 'dns-txt'), true, true],
    [verified('northwind.test', 'http-url'), true, false],
    [verified('northwind.test', 'email'), true, false],
    [verified('shop.northwind.test', 'dns-txt', { inheritedFrom: 1 }), true, false],
    [row('northwind.test'), false, false],
  ];
  for (const [domain, host, any] of cases) {
    deepEqual([isProven(domain, plain, NOW), isProven(domain, wildcard, NOW)], [host, any], domain.verifiedBy ?? '');
  }
});

test('ancestors: nearest first, up to the registrable domain', () => {
  deepEqual(ancestorsOf('a.b.northwind.test', publicSuffix), ['b.northwind.test', 'northwind.test']);
  deepEqual(ancestorsOf('northwind.test', publicSuffix), []);
  deepEqual(ancestorsOf('test', publicSuffix), []);
  deepEqual(ancestorsOf('*.northwind.test', publicSuffix), []);
  const deep = ancestorsOf(`${'a.'.repeat(60)}northwind.test`, publicSuffix);
  deepEqual([deep.length, deep.at(-1)], [10, 'northwind.test']);
});

test('which proofs reach names below', () => {
  const cases: readonly [DomainRecord, boolean][] = [
    [verified('northwind.test', 'dns-txt'), true],
    [verified('northwind.test', 'email'), true],
    [verified('northwind.test', 'http-url'), false],
    [verified('*.northwind.test', 'dns-txt'), false],
    [verified('b.northwind.test', 'dns-txt', { inheritedFrom: 1 }), false],
    [verified('northwind.test', 'dns-txt', { status: 'inactive' }), false],
    [row('northwind.test'), false],
  ];
  for (const [domain, covers] of cases) equal(coversSubdomains(domain, NOW), covers, domain.name);
  equal(mayInherit(row('a.northwind.test')), true);
  equal(mayInherit(row('a.northwind.test', { method: 'http-url' })), false);
  equal(mayInherit(row('*.a.northwind.test')), false);
});

test('a name is covered by the nearest proof in its own organization', () => {
  const top = verified('northwind.test', 'dns-txt');
  const middle = verified('b.northwind.test', 'dns-txt');
  const foreign = verified('northwind.test', 'dns-txt', { organizationId: 8 });
  const byName = (...rows: DomainRecord[]) => new Map(rows.map((one) => [one.name, [one]]));
  const find = (name: string, organization: number | null | 'any', ...rows: DomainRecord[]) =>
    coveringAncestor(name, organization, byName(...rows), publicSuffix, NOW)?.id;

  equal(find('a.b.northwind.test', 7, top, middle), middle.id);
  equal(find('a.b.northwind.test', 7, top, { ...middle, inheritedFrom: top.id }), top.id);
  equal(find('a.northwind.test', 7, foreign), undefined);
  equal(find('a.northwind.test', 'any', foreign), foreign.id);
  equal(find('a.northwind.test', null, top), undefined);
  equal(find('northwind.test', 7, top), undefined, 'a name does not cover itself');
  equal(find('notnorthwind.test', 7, top), undefined);

  const related = byName(top);
  const auto = (domain: DomainRecord) => autoVerifyOf(domain, related, publicSuffix, NOW);
  equal(auto(row('a.northwind.test')), 'scheduled');
  equal(auto(row('a.northwind.test', { method: 'http-url' })), 'ineligible');
  equal(auto(row('*.northwind.test')), 'ineligible');
  equal(auto(row('a.northwind.test', { organizationId: 8 })), 'noEligibleAncestor');
  equal(auto(row('southwind.test')), 'noEligibleAncestor');
});
