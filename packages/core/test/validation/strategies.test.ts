import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Challenge } from '@certwright/core';
import fc from 'fast-check';
import { dnsTxt } from '../../src/validation/dns-txt.ts';
import { email } from '../../src/validation/email.ts';
import { excerpt } from '../../src/validation/excerpt.ts';
import { httpUrl } from '../../src/validation/http-url.ts';
import { observe } from '../../src/validation/observation.ts';
import { allowedDissent, hasQuorum } from '../../src/validation/quorum.ts';
import { SingleFlight } from '../../src/validation/single-flight.ts';
import { allStrategies, strategyOf } from '../../src/validation/strategies.ts';
import type { ObservedStrategy } from '../../src/validation/strategy.ts';
import { fakePerspective } from '../support/network.ts';

const NAME = 'shop.northwind.test';
const random = { bytes: (length: number) => randomBytes(length) };

const expectationOf = (strategy: ObservedStrategy) => {
  const challenge: Challenge = { method: strategy.method, ...strategy.mint(random), expiresAt: 0 };
  return { name: NAME, challenge };
};

test('values are drawn in the form the contract gives them, with 128 random bits', () => {
  match(dnsTxt.mint(random).token, /^emudhra-dcv-[0-9a-f]{32}$/);
  const file = httpUrl.mint(random);
  match(file.token, /^[0-9a-f]{32}$/);
  match(file.fileName ?? '', /^[0-9a-f]{16}\.txt$/);
  ok(!file.token.startsWith((file.fileName ?? '').slice(0, 16)), 'the request must not give the value away');
  match(email.mint(random).token, /^[0-9a-f]{32}$/);
  notEqual(dnsTxt.mint(random).token, dnsTxt.mint(random).token);
});

test('each method has one strategy; methods that are not built have none', () => {
  deepEqual(
    allStrategies().map((strategy) => [strategy.method, strategy.provesWildcards, strategy.provesSubdomains]),
    [
      ['dns-txt', true, true],
      ['http-url', false, false],
      ['email', false, true],
    ],
  );
  equal(strategyOf('dns-cname'), undefined);
  equal(strategyOf('dns-persist'), undefined);
  equal(new Set(allStrategies().map((strategy) => strategy.caaLabel)).size, 3);
});

test('dns-txt announces one name and accepts four, asked at the same time', async () => {
  const names = [`_emudhra-challenge.${NAME}`, `_certinext-challenge.${NAME}`, `_emsign-validation.${NAME}`, NAME];
  for (const published of names) {
    const perspective = fakePerspective('p');
    const expectation = expectationOf(dnsTxt);
    deepEqual(dnsTxt.artefact(expectation), { recordNames: names, url: null, recipients: [] });
    perspective.resolver.txt(published, 'v=spf1 -all', expectation.challenge.token);
    const finding = await dnsTxt.check(perspective, expectation);
    equal(finding.ok, true, published);
    deepEqual(finding.asked, [published]);
    deepEqual(finding.found, [expectation.challenge.token]);
    equal(perspective.resolver.asked.length, 4);
  }
});

test('dns-txt follows CNAMEs and shows where they led', async () => {
  const perspective = fakePerspective('p');
  const expectation = expectationOf(dnsTxt);
  perspective.resolver
    .cname(`_emudhra-challenge.${NAME}`, 'proof.dns.test')
    .txt('proof.dns.test', expectation.challenge.token);
  const finding = await dnsTxt.check(perspective, expectation);
  deepEqual([finding.ok, finding.asked], [true, [`_emudhra-challenge.${NAME}`, 'proof.dns.test']]);
});

test('dns-txt does not wait for other names once it has found the value', async () => {
  const perspective = fakePerspective('p');
  const expectation = expectationOf(dnsTxt);
  const hanging = new Promise<never>(() => undefined);
  perspective.resolver.txt(`_emudhra-challenge.${NAME}`, expectation.challenge.token);
  const resolver = {
    resolve: (name: string, type: 'TXT') => (name === NAME ? hanging : perspective.resolver.resolve(name, type)),
  };
  const finding = await dnsTxt.check(
    { ...perspective, resolver: resolver as typeof perspective.resolver },
    expectation,
  );
  equal(finding.ok, true);
});

test('dns-txt says why a value was not found', async () => {
  const cases: readonly [string, (p: ReturnType<typeof fakePerspective>) => unknown, string][] = [
    ['nothing', () => undefined, 'RECORD_MISSING'],
    ['another value', (p) => p.resolver.txt(`_emudhra-challenge.${NAME}`, 'old'), 'TOKEN_MISMATCH'],
    ['foreign text at the apex', (p) => p.resolver.txt(NAME, 'v=spf1 -all'), 'RECORD_MISSING'],
    ['an old value at the apex', (p) => p.resolver.txt(NAME, 'emudhra-dcv-00'), 'TOKEN_MISMATCH'],
    ['no such name', (p) => p.resolver.none(NAME, 'TXT', { nxdomain: true }), 'DNS_NXDOMAIN'],
    ['time-out', (p) => p.resolver.failing(`_emudhra-challenge.${NAME}`, 'TXT', 'timeout'), 'DNS_TIMEOUT'],
    ['SERVFAIL', (p) => p.resolver.failing(NAME, 'TXT', 'servfail'), 'DNS_SERVFAIL'],
    ['CNAME loop', (p) => p.resolver.failing(NAME, 'TXT', 'cnameLoop'), 'DNS_ERROR'],
  ];
  for (const [label, arrange, failureClass] of cases) {
    const perspective = fakePerspective('p');
    arrange(perspective);
    const finding = await dnsTxt.check(perspective, expectationOf(dnsTxt));
    deepEqual([finding.ok, finding.failureClass], [false, failureClass], label);
    notEqual(finding.errorMessage, '', label);
    equal(finding.resolver, '192.0.2.53:53', label);
  }
});

test('dns-txt takes the value only whole and in its own letters', async () => {
  const expectation = expectationOf(dnsTxt);
  const { token } = expectation.challenge;
  for (const value of [`${token} `, ` ${token}`, token.toUpperCase(), `${token}0`, token.slice(0, -1), `"${token}"`]) {
    const perspective = fakePerspective('p');
    perspective.resolver.txt(`_emudhra-challenge.${NAME}`, value);
    equal((await dnsTxt.check(perspective, expectation)).failureClass, 'TOKEN_MISMATCH', value);
  }
});

test('what strangers publish is recorded in bounds and without control characters', async () => {
  const perspective = fakePerspective('p');
  const values = Array.from({ length: 100 }, (_, index) => `\u001b[31m${index}\u202e${'x'.repeat(1_000)}`);
  perspective.resolver.txt(`_emudhra-challenge.${NAME}`, ...values);
  const finding = await dnsTxt.check(perspective, expectationOf(dnsTxt));
  equal(finding.found.length, 16);
  for (const text of finding.found) {
    ok(text.length <= 256);
    ok(!/[\p{Cc}\p{Cf}]/u.test(text));
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
      const cut = excerpt(text);
      return cut.length <= 256 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(cut) && cut.isWellFormed();
    }),
  );
});

test('http-url takes a file with exactly the value, one line break allowed', async () => {
  const expectation = expectationOf(httpUrl);
  const { token, fileName } = expectation.challenge;
  const url = `http://${NAME}/.well-known/pki-validation/${fileName}`;
  deepEqual(httpUrl.artefact(expectation), { recordNames: [], url, recipients: [] });
  const bodies: readonly [string | Uint8Array, string | null][] = [
    [token, null],
    [`${token}\n`, null],
    [`${token}\r\n`, null],
    [`${token}\n\n`, 'TOKEN_MISMATCH'],
    [`${token}\r`, 'TOKEN_MISMATCH'],
    [` ${token}`, 'TOKEN_MISMATCH'],
    [`\ufeff${token}`, 'TOKEN_MISMATCH'],
    [`${token} `, 'TOKEN_MISMATCH'],
    [`<html>${token}</html>`, 'TOKEN_MISMATCH'],
    ['', 'TOKEN_MISMATCH'],
    [Uint8Array.of(0xff, 0xfe, 0), 'TOKEN_MISMATCH'],
  ];
  for (const [body, failureClass] of bodies) {
    const perspective = fakePerspective('p');
    perspective.http.file(url, body);
    const finding = await httpUrl.check(perspective, expectation);
    deepEqual([finding.ok, finding.failureClass], [failureClass === null, failureClass], JSON.stringify(body));
    deepEqual(finding.asked, [`${url} at 192.0.2.80`]);
    deepEqual(perspective.http.asked[0]?.limits, { timeoutMs: 15_000, maxBytes: 4_096, maxRedirects: 10 });
  }
});

test('http-url says why a file was not taken', async () => {
  const expectation = expectationOf(httpUrl);
  const url = httpUrl.artefact(expectation).url ?? '';
  const { token } = expectation.challenge;
  const hops = [{ url, address: '192.0.2.80' }];
  const cases: readonly [string, (p: ReturnType<typeof fakePerspective>) => unknown, string][] = [
    ['not there', () => undefined, 'HTTP_4XX'],
    ['server error', (p) => p.http.file(url, token, { status: 503 }), 'HTTP_5XX'],
    ['success without content', (p) => p.http.file(url, token, { status: 204 }), 'HTTP_STATUS'],
    ['too long', (p) => p.http.file(url, token, { truncated: true }), 'HTTP_TOO_LARGE'],
    [
      'private address',
      (p) => p.http.outcome(url, { kind: 'refused', reason: 'addressForbidden', detail: '127.0.0.1', hops: [] }),
      'ADDRESS_FORBIDDEN',
    ],
    [
      'redirect to another scheme',
      (p) => p.http.outcome(url, { kind: 'refused', reason: 'redirectForbidden', detail: 'ftp', hops }),
      'REDIRECT_FORBIDDEN',
    ],
    ['slow', (p) => p.http.outcome(url, { kind: 'failure', reason: 'timeout', detail: 'slow', hops }), 'HTTP_TIMEOUT'],
    ['no address', (p) => p.http.outcome(url, { kind: 'failure', reason: 'dns', detail: 'none', hops }), 'DNS_ERROR'],
  ];
  for (const [label, arrange, failureClass] of cases) {
    const perspective = fakePerspective('p');
    arrange(perspective);
    const finding = await httpUrl.check(perspective, expectation);
    deepEqual([finding.ok, finding.failureClass], [false, failureClass], label);
    ok(finding.asked[0]?.startsWith(url), label);
  }
});

test('email asks the five constructed addresses', () => {
  const challenge: Challenge = { method: 'email', ...email.mint(random), expiresAt: 0 };
  deepEqual(email.artefact({ name: 'northwind.test', challenge }).recipients, [
    'admin@northwind.test',
    'administrator@northwind.test',
    'webmaster@northwind.test',
    'hostmaster@northwind.test',
    'postmaster@northwind.test',
  ]);
});

test('quorum: the primary must agree, and all but a few of the others', () => {
  deepEqual([0, 1, 2, 3, 4, 5, 6, 9].map(allowedDissent), [0, 0, 1, 1, 1, 1, 2, 2]);
  const findings = (pattern: string) => [...pattern].map((mark) => ({ ok: mark === '+' }));
  const cases: readonly [string, boolean][] = [
    ['+', true],
    ['-', false],
    ['++', true],
    ['+-', false],
    ['-+', false],
    ['+++', true],
    ['++-', true],
    ['+--', false],
    ['-+++++', false],
    ['+----+', false],
    ['++++-', true],
    ['+++++-', true],
    ['++++--', false],
    ['+++++--', true],
    ['++++---', false],
    ['', false],
  ];
  for (const [pattern, agreed] of cases) equal(hasQuorum(findings(pattern)), agreed, pattern);
});

test('an observation keeps every finding and names the reason that decided', async () => {
  const expectation = expectationOf(dnsTxt);
  const publish = (p: ReturnType<typeof fakePerspective>) =>
    p.resolver.txt(`_emudhra-challenge.${NAME}`, expectation.challenge.token);
  const perspectives = ['a', 'b', 'c', 'd'].map(fakePerspective);
  const [primary, second, third, fourth] = perspectives;
  ok(primary && second && third && fourth);

  deepEqual((await observe(perspectives, dnsTxt, expectation)).failureClass, 'RECORD_MISSING');
  publish(primary);
  publish(second);
  const split = await observe(perspectives, dnsTxt, expectation);
  deepEqual([split.outcome, split.failureClass, split.findings.length], ['failed', 'QUORUM_NOT_MET', 4]);
  publish(third);
  const agreed = await observe(perspectives, dnsTxt, expectation);
  deepEqual([agreed.outcome, agreed.failureClass], ['verified', null]);
  deepEqual(
    agreed.findings.map((finding) => [finding.perspective, finding.region, finding.ok]),
    [
      ['a', 'region-a', true],
      ['b', 'region-b', true],
      ['c', 'region-c', true],
      ['d', 'region-d', false],
    ],
  );
});

test('single flight: the same label shares a result, another one waits, a failure frees the key', async () => {
  const flights = new SingleFlight<string>();
  const events: string[] = [];
  const first = Promise.withResolvers<void>();
  const task = (label: string, until?: Promise<void>) => async () => {
    events.push(`start ${label}`);
    await until;
    events.push(`end ${label}`);
    return label;
  };
  const a = flights.run(1, 'a', task('a', first.promise));
  const shared = flights.run(1, 'a', task('never'));
  const b = flights.run(1, 'b', task('b'));
  const other = flights.run(2, 'c', task('c'));
  equal(await other, 'c');
  deepEqual(events, ['start a', 'start c', 'end c']);
  first.resolve();
  deepEqual(await Promise.all([a, shared, b]), ['a', 'a', 'b']);
  deepEqual(events.slice(3), ['end a', 'start b', 'end b']);

  const failing = flights.run(3, 'x', async () => {
    throw new Error('broken');
  });
  const next = flights.run(3, 'y', task('y'));
  equal(await failing.catch((error: Error) => error.message), 'broken');
  equal(await next, 'y');
});
