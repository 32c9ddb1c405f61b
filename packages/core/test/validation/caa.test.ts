import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreSettings, ValidationMethod } from '@certwright/core';
import fc from 'fast-check';
import { type CaaQuestion, createCaaChecker } from '../../src/validation/caa/checker.ts';
import { parseIssueValue } from '../../src/validation/caa/issue-value.ts';
import { createCaaTree } from '../../src/validation/caa/tree.ts';
import { type FakePerspective, FakeResolver, fakePerspective } from '../support/network.ts';

const ACCOUNT = 'https://ca.test/accounts/1234567890';

function checkerOver(perspectives: readonly [FakePerspective, ...FakePerspective[]], mode: 'real' | 'accept' = 'real') {
  const clock = { time: Date.UTC(2026, 10, 24), now: () => clock.time };
  const settings: Pick<CoreSettings, 'caaIdentities' | 'validationMode'> = {
    caaIdentities: ['ca.test', 'Also.CA.test'],
    validationMode: () => mode,
  };
  // the checker reads these two settings only
  const checker = createCaaChecker({ perspectives, clock, settings: settings as CoreSettings });
  const ask = (name: string, more: Partial<CaaQuestion> = {}) =>
    checker.check({ name, method: null, accountUri: ACCOUNT, ...more });
  return { clock, ask };
}

type Row = readonly [
  title: string,
  records: Readonly<Record<string, readonly string[]>>,
  name: string,
  reason: string,
  method?: ValidationMethod,
];

const ALLOWING = ['noRecords', 'noRestriction', 'authorized'];

/** RFC 8659 sections 3 and 4, RFC 8657, and what the examples of both say. */
const MATRIX: readonly Row[] = [
  ['no records at all', {}, 'www.northwind.test', 'noRecords'],
  ['the name itself authorizes', { 'www.northwind.test': ['issue ca.test'] }, 'www.northwind.test', 'authorized'],
  ['the name itself forbids', { 'www.northwind.test': ['issue other.test'] }, 'www.northwind.test', 'notAuthorized'],
  ['a parent authorizes', { 'northwind.test': ['issue ca.test'] }, 'a.b.www.northwind.test', 'authorized'],
  ['a parent forbids', { 'northwind.test': ['issue other.test'] }, 'a.b.www.northwind.test', 'notAuthorized'],
  ['the top-level domain counts', { test: ['issue other.test'] }, 'www.northwind.test', 'notAuthorized'],
  [
    'the nearest set decides: allow below forbid',
    { 'www.northwind.test': ['issue ca.test'], 'northwind.test': ['issue other.test'] },
    'www.northwind.test',
    'authorized',
  ],
  [
    'the nearest set decides: forbid below allow',
    { 'www.northwind.test': ['issue other.test'], 'northwind.test': ['issue ca.test'] },
    'www.northwind.test',
    'notAuthorized',
  ],
  [
    'a set that restricts nothing ends the climb too',
    { 'www.northwind.test': ['iodef mailto:pki@northwind.test'], 'northwind.test': ['issue other.test'] },
    'www.northwind.test',
    'noRestriction',
  ],
  [
    'records of a sibling do not matter',
    { 'mail.northwind.test': ['issue other.test'] },
    'www.northwind.test',
    'noRecords',
  ],
  ['records below do not matter', { 'a.www.northwind.test': ['issue other.test'] }, 'www.northwind.test', 'noRecords'],
  ['issuer in another letter case', { 'northwind.test': ['issue Ca.TEST'] }, 'northwind.test', 'authorized'],
  ['tag in another letter case', { 'northwind.test': ['ISSUE other.test'] }, 'northwind.test', 'notAuthorized'],
  ['second identity', { 'northwind.test': ['issue also.ca.test'] }, 'northwind.test', 'authorized'],
  [
    'a name below an identity is another issuer',
    { 'northwind.test': ['issue x.ca.test'] },
    'northwind.test',
    'notAuthorized',
  ],
  [
    'an identity as prefix is another issuer',
    { 'northwind.test': ['issue ca.test.evil'] },
    'northwind.test',
    'notAuthorized',
  ],
  [
    'one of several issuers',
    { 'northwind.test': ['issue other.test', 'issue ca.test'] },
    'northwind.test',
    'authorized',
  ],
  ['empty issuer forbids', { 'northwind.test': ['issue ;'] }, 'northwind.test', 'notAuthorized'],
  ['empty value forbids', { 'northwind.test': ['issue '] }, 'northwind.test', 'notAuthorized'],
  [
    'empty issuer beside ours changes nothing',
    { 'northwind.test': ['issue ;', 'issue ca.test'] },
    'northwind.test',
    'authorized',
  ],
  ['white space around', { 'northwind.test': ['issue   ca.test  '] }, 'northwind.test', 'authorized'],
  ['unknown parameter', { 'northwind.test': ['issue ca.test; policy=ev'] }, 'northwind.test', 'authorized'],
  ['trailing semicolon', { 'northwind.test': ['issue ca.test;'] }, 'northwind.test', 'authorized'],
  [
    'broken parameter authorizes nobody',
    { 'northwind.test': ['issue ca.test; policy'] },
    'northwind.test',
    'notAuthorized',
  ],
  ['broken issuer name', { 'northwind.test': ['issue ca..test'] }, 'northwind.test', 'notAuthorized'],
  ['issuer with an underscore', { 'northwind.test': ['issue ca_.test'] }, 'northwind.test', 'notAuthorized'],
  ['unknown tag, not critical', { 'northwind.test': ['tbs Unknown'] }, 'northwind.test', 'noRestriction'],
  ['unknown tag, critical', { 'northwind.test': ['!tbs Unknown'] }, 'northwind.test', 'criticalTagUnknown'],
  [
    'unknown critical tag beats an authorization',
    { 'northwind.test': ['issue ca.test', '!tbs Unknown'] },
    'northwind.test',
    'criticalTagUnknown',
  ],
  ['critical issue is understood', { 'northwind.test': ['!issue ca.test'] }, 'northwind.test', 'authorized'],
  [
    'critical issuemail is understood',
    { 'northwind.test': ['!issuemail other.test'] },
    'northwind.test',
    'noRestriction',
  ],
  [
    'critical issuewild restricts no host',
    { 'northwind.test': ['!issuewild other.test'] },
    'northwind.test',
    'noRestriction',
  ],
  [
    'contact and mail tags restrict nothing',
    { 'northwind.test': ['contactemail a@northwind.test', 'issuevmc ;'] },
    'northwind.test',
    'noRestriction',
  ],

  // wildcards
  ['wildcard, no records', {}, '*.northwind.test', 'noRecords'],
  ['wildcard starts at its base', { 'northwind.test': ['issuewild other.test'] }, '*.northwind.test', 'notAuthorized'],
  ['wildcard climbs', { test: ['issuewild other.test'] }, '*.northwind.test', 'notAuthorized'],
  ['wildcard falls back to issue', { 'northwind.test': ['issue other.test'] }, '*.northwind.test', 'notAuthorized'],
  ['wildcard allowed by issue', { 'northwind.test': ['issue ca.test'] }, '*.northwind.test', 'authorized'],
  [
    'issuewild goes before issue: forbids',
    { 'northwind.test': ['issue ca.test', 'issuewild ;'] },
    '*.northwind.test',
    'notAuthorized',
  ],
  [
    'issuewild goes before issue: allows',
    { 'northwind.test': ['issue other.test', 'issuewild ca.test'] },
    '*.northwind.test',
    'authorized',
  ],
  [
    'issuewild does not let hosts pass',
    { 'northwind.test': ['issue other.test', 'issuewild ca.test'] },
    'northwind.test',
    'notAuthorized',
  ],
  [
    'issuewild does not stop hosts',
    { 'northwind.test': ['issue ca.test', 'issuewild other.test'] },
    'www.northwind.test',
    'authorized',
  ],
  [
    'issuewild alone leaves hosts free',
    { 'northwind.test': ['issuewild other.test'] },
    'www.northwind.test',
    'noRestriction',
  ],

  // RFC 8657
  ['our account', { 'northwind.test': [`issue ca.test; accounturi=${ACCOUNT}`] }, 'northwind.test', 'authorized'],
  [
    'another account',
    { 'northwind.test': ['issue ca.test; accounturi=https://ca.test/accounts/9'] },
    'northwind.test',
    'accountNotAuthorized',
  ],
  [
    'account in another letter case is another account',
    { 'northwind.test': [`issue ca.test; accounturi=${ACCOUNT.replace('ca.test', 'CA.test')}`] },
    'northwind.test',
    'accountNotAuthorized',
  ],
  [
    'account given twice fits nobody',
    { 'northwind.test': [`issue ca.test; accounturi=${ACCOUNT}; accounturi=${ACCOUNT}`] },
    'northwind.test',
    'accountNotAuthorized',
  ],
  [
    'another account in one record, ours in the next',
    { 'northwind.test': ['issue ca.test; accounturi=x:y', `issue ca.test; accounturi=${ACCOUNT}`] },
    'northwind.test',
    'authorized',
  ],
  [
    'tag of a parameter in capitals',
    { 'northwind.test': ['issue ca.test; AccountURI=x:y'] },
    'northwind.test',
    'accountNotAuthorized',
  ],
  [
    'method allowed',
    { 'northwind.test': ['issue ca.test; validationmethods=dns-01,ca-dns-txt'] },
    'northwind.test',
    'authorized',
    'dns-txt',
  ],
  [
    'method not allowed',
    { 'northwind.test': ['issue ca.test; validationmethods=ca-dns-txt'] },
    'northwind.test',
    'methodNotAuthorized',
    'http-url',
  ],
  [
    'methods of others only',
    { 'northwind.test': ['issue ca.test; validationmethods=tls-alpn-01'] },
    'northwind.test',
    'methodNotAuthorized',
    'dns-txt',
  ],
  [
    'before any proof, one possible method is enough',
    { 'northwind.test': ['issue ca.test; validationmethods=ca-http-url'] },
    'northwind.test',
    'authorized',
  ],
  [
    'before any proof, none is possible',
    { 'northwind.test': ['issue ca.test; validationmethods=http-01'] },
    'northwind.test',
    'methodNotAuthorized',
  ],
  [
    'a wildcard cannot use a method of hosts',
    { 'northwind.test': ['issue ca.test; validationmethods=ca-http-url'] },
    '*.northwind.test',
    'methodNotAuthorized',
  ],
  [
    'methods given twice fit nobody',
    { 'northwind.test': ['issue ca.test; validationmethods=ca-dns-txt; validationmethods=ca-dns-txt'] },
    'northwind.test',
    'methodNotAuthorized',
    'dns-txt',
  ],
  [
    'empty method list',
    { 'northwind.test': ['issue ca.test; validationmethods='] },
    'northwind.test',
    'methodNotAuthorized',
    'dns-txt',
  ],
  [
    'both parameters must fit',
    { 'northwind.test': [`issue ca.test; accounturi=${ACCOUNT}; validationmethods=ca-email`] },
    'northwind.test',
    'authorized',
    'email',
  ],
];

test('CAA matrix', async (t) => {
  for (const [title, records, name, reason, method] of MATRIX) {
    await t.test(title, async () => {
      const perspective = fakePerspective('p');
      for (const [at, properties] of Object.entries(records)) perspective.resolver.caa(at, properties);
      const verdict = await checkerOver([perspective]).ask(name, method === undefined ? {} : { method });
      equal(verdict.reason, reason);
      equal(verdict.allowed, ALLOWING.includes(reason));
      equal(verdict.found.length > 0, reason !== 'noRecords');
      ok(verdict.findings.every((finding) => finding.ok === verdict.allowed));
    });
  }
});

test('a failed lookup forbids, wherever in the climb it happens', async () => {
  for (const reason of ['timeout', 'servfail', 'refused', 'malformed', 'network', 'cnameLoop'] as const) {
    for (const at of ['www.northwind.test', 'northwind.test', 'test']) {
      const perspective = fakePerspective('p');
      perspective.resolver.failing(at, 'CAA', reason);
      const verdict = await checkerOver([perspective]).ask('www.northwind.test');
      deepEqual([verdict.allowed, verdict.reason, verdict.at], [false, 'lookupFailed', at]);
      equal(verdict.findings[0]?.failureClass, reason === 'timeout' ? 'DNS_TIMEOUT' : 'DNS_SERVFAIL');
    }
  }
});

test('a failure above the records that decide does not matter', async () => {
  const perspective = fakePerspective('p');
  perspective.resolver.caa('northwind.test', ['issue ca.test']).failing('test', 'CAA', 'servfail');
  equal((await checkerOver([perspective]).ask('www.northwind.test')).reason, 'authorized');
});

test('CAA is followed through CNAMEs by the resolver, not up the tree of the target', async () => {
  const perspective = fakePerspective('p');
  perspective.resolver
    .cname('www.northwind.test', 'host.hoster.test')
    .caa('hoster.test', ['issue other.test'])
    .caa('northwind.test', ['issue ca.test']);
  equal((await checkerOver([perspective]).ask('www.northwind.test')).reason, 'authorized');
  perspective.resolver.caa('host.hoster.test', ['issue other.test']);
  equal((await checkerOver([perspective]).ask('www.northwind.test')).reason, 'notAuthorized');
});

test('answers are kept for their TTL, eight hours at most; failures and empty TTLs are not', async () => {
  const perspective = fakePerspective('p');
  const { resolver } = perspective;
  resolver.caa('northwind.test', ['issue ca.test'], 600).caa('longlived.test', ['issue ca.test'], 1_000_000);
  const { clock, ask } = checkerOver([perspective]);
  const lookups = (name: string) => resolver.asked.filter((question) => question === `${name} CAA`).length;

  await ask('northwind.test');
  await ask('northwind.test');
  equal(lookups('northwind.test'), 1);
  clock.time += 599_000;
  resolver.caa('northwind.test', ['issue other.test'], 600);
  equal((await ask('northwind.test')).allowed, true);
  clock.time += 1_000;
  equal((await ask('northwind.test')).allowed, false, 'asked again when the TTL is over');

  await ask('longlived.test');
  clock.time += 8 * 3_600_000 - 1;
  await ask('longlived.test');
  equal(lookups('longlived.test'), 1);
  clock.time += 1;
  await ask('longlived.test');
  equal(lookups('longlived.test'), 2);

  clock.time -= 86_400_000;
  await ask('longlived.test');
  equal(lookups('longlived.test'), 3, 'a clock set back makes kept answers void');

  resolver.failing('flaky.test', 'CAA', 'servfail');
  equal((await ask('flaky.test')).allowed, false);
  resolver.caa('flaky.test', ['issue ca.test']);
  equal((await ask('flaky.test')).allowed, true);
  await ask('uncached.test');
  await ask('uncached.test');
  equal(lookups('uncached.test'), 2, 'a TTL of 0 is used once');
});

test('names that share ancestors at the same moment share their lookups', async () => {
  const perspective = fakePerspective('p');
  perspective.resolver.none('northwind.test', 'CAA', { ttl: 60 }).none('test', 'CAA', { ttl: 60 });
  const { ask } = checkerOver([perspective]);
  await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`host${index}.northwind.test`)));
  const count = (name: string) => perspective.resolver.asked.filter((question) => question === `${name} CAA`).length;
  deepEqual([count('northwind.test'), count('test'), count('host7.northwind.test')], [1, 1, 1]);
});

test('names with very many labels are refused without asking much', async () => {
  const resolver = new FakeResolver();
  const tree = createCaaTree(resolver, { now: () => 0 });
  const set = await tree.find(`${'a.'.repeat(60)}northwind.test`);
  deepEqual([set.kind, resolver.asked.length], ['failure', 0]);
  equal((await tree.find(`${'a.'.repeat(30)}northwind.test`)).kind, 'none');
});

test('perspectives corroborate: one of two to five others may see something else', async () => {
  const make = (count: number, dissenting: readonly number[]) => {
    const [first, ...others] = Array.from({ length: count }, (_, index) => {
      const perspective = fakePerspective(`p${index}`);
      perspective.resolver.caa('northwind.test', [dissenting.includes(index) ? 'issue other.test' : 'issue ca.test']);
      return perspective;
    });
    ok(first);
    return checkerOver([first, ...others]);
  };
  const cases: readonly [count: number, dissenting: readonly number[], allowed: boolean][] = [
    [1, [], true],
    [2, [1], false],
    [3, [1], true],
    [3, [0], false],
    [3, [1, 2], false],
    [6, [5], true],
    [6, [4, 5], false],
    [7, [5, 6], true],
  ];
  for (const [count, dissenting, allowed] of cases) {
    const verdict = await make(count, dissenting).ask('northwind.test');
    equal(verdict.allowed, allowed, `${count} perspectives, ${dissenting} dissent`);
    equal(verdict.findings.length, count);
    equal(verdict.reason, allowed ? 'authorized' : 'notAuthorized');
  }
});

test('mode accept asks nobody', async () => {
  const perspective = fakePerspective('p');
  perspective.resolver.caa('northwind.test', ['issue other.test']);
  const verdict = await checkerOver([perspective], 'accept').ask('northwind.test');
  deepEqual([verdict.allowed, verdict.reason, perspective.resolver.asked.length], [true, 'notChecked', 0]);
});

test('issue values: the parser keeps what the grammar allows and refuses the rest', () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const value = fc.stringMatching(/^[!-:<-~]{0,12}$/);
  const space = fc.constantFrom('', ' ', '\t ');
  const parameter = fc.tuple(label, space, space, value);
  fc.assert(
    fc.property(
      fc.array(label, { minLength: 1, maxLength: 4 }),
      fc.array(parameter, { maxLength: 4 }),
      space,
      (labels, parameters, gap) => {
        const text = `${gap}${labels.join('.')}${gap}${parameters.map(([tag, a, b, text]) => `;${gap}${tag}${a}=${b}${text}${gap}`).join('')}`;
        deepEqual(parseIssueValue(text), {
          issuer: labels.join('.'),
          parameters: parameters.map(([tag, , , text]) => ({ tag, value: text })),
        });
      },
    ),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const parsed = parseIssueValue(text);
      return parsed === undefined || /^([a-z0-9.-]*)$/.test(parsed.issuer);
    }),
  );
  for (const text of [
    'ca.test;;a=b',
    'ca.test; a b',
    'ca test',
    '.ca.test',
    'ca.test.',
    'ca.test; a=b c',
    `${'a'.repeat(5_000)}`,
  ]) {
    equal(parseIssueValue(text), undefined, text.slice(0, 20));
  }
});
