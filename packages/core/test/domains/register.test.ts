import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainError, DomainView } from '@certwright/core';
import type { Result } from '@certwright/pki';
import { fakePerspective } from '../support/network.ts';
import { createWorld, DAY, HOUR, OTHER_ACCOUNT, START, type World } from './world.ts';

const good = <T>(result: Result<T, DomainError>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`);
  return result.value;
};
const code = (result: Result<unknown, DomainError>): string => (result.ok ? 'ok' : result.error.code);

async function add(world: World, name: string, more: { organizationNumber?: string; method?: 'http-url' } = {}) {
  return world.service.add(world.ctx, { name, method: 'dns-txt', skipCaa: false, ...more });
}

/** Publishes the row's DNS value. */
async function publish(world: World, view: Pick<DomainView, 'domain'>): Promise<void> {
  const row = await world.row(view.domain.id);
  const token = row.challenges.find((challenge) => challenge.method === 'dns-txt')?.token ?? '';
  world.primary.resolver.txt(`_emudhra-challenge.${row.name.replace(/^\*\./, '')}`, token);
}

async function addVerified(world: World, name: string): Promise<DomainView['domain']> {
  const view = good(await add(world, name));
  await publish(world, view);
  return good(await world.service.verify(world.ctx, view.domain.publicId)).domain;
}

test('a domain is added, shows its challenge, is verified by DNS and keeps that for 200 days', async (t) => {
  const world = await createWorld(t);
  await world.organization('8130264');
  const view = good(await add(world, ' Shop.NORTHWIND.test. '));
  equal(view.domain.name, 'shop.northwind.test');
  match(view.domain.publicId, /^[\w-]{48}$/);
  equal(view.organization?.number, '8130264');
  deepEqual(
    [view.domain.dcvStatus, view.domain.caaStatus, view.autoVerify],
    ['pending', 'passed', 'noEligibleAncestor'],
  );
  const token = view.challenge?.challenge?.token ?? '';
  match(token, /^emudhra-dcv-[0-9a-f]{32}$/);
  equal(view.challenge?.recordName, '_emudhra-challenge.shop.northwind.test');
  equal(view.challenge?.challenge?.expiresAt, START + 48 * HOUR);
  const { publicId } = view.domain;

  equal(good(await world.service.challenge(world.ctx, publicId)).challenge?.token, token, 'kept');
  equal(code(await world.service.attempt(world.ctx, publicId, 'last')), 'notFound');
  const early = await world.service.verify(world.ctx, publicId);
  ok(!early.ok);
  equal(early.error.code, 'dcv.challengeNotFound');
  deepEqual([early.error.diagnostics?.outcome, early.error.diagnostics?.failureClass], ['failed', 'RECORD_MISSING']);
  deepEqual(early.error.diagnostics?.diagnostics.expected.value, token);
  world.primary.resolver.txt('_certinext-challenge.shop.northwind.test', 'wrong');
  equal(code(await world.service.verify(world.ctx, publicId)), 'dcv.challengeMismatch');
  deepEqual(world.told, []);

  world.primary.resolver.txt('shop.northwind.test', 'v=spf1 -all', token);
  const verified = good(await world.service.verify(world.ctx, publicId));
  equal(verified.attempt?.outcome, 'verified');
  deepEqual(
    [verified.domain.dcvStatus, verified.domain.verifiedBy, verified.domain.verifiedAt],
    ['verified', 'dns-txt', START],
  );
  equal(new Date(verified.domain.validTill ?? 0).toISOString(), '2027-06-12T00:00:00.000Z');
  deepEqual(world.told, [view.domain.id]);

  const asked = world.primary.resolver.asked.length;
  const again = good(await world.service.verify(world.ctx, publicId));
  deepEqual([again.domain.dcvStatus, again.attempt?.id], ['verified', verified.attempt?.id]);
  equal(world.primary.resolver.asked.length, asked, 'nobody is asked again');
  equal(good(await world.service.challenge(world.ctx, publicId)).challenge, undefined, 'method only');

  const attempts = good(await world.service.attempts(world.ctx, publicId, 0, 20));
  deepEqual(
    attempts.rows.map((attempt) => attempt.failureClass),
    [null, 'TOKEN_MISMATCH', 'RECORD_MISSING'],
  );
  equal(good(await world.service.attempt(world.ctx, publicId, 'last')).attempt.id, attempts.rows[0]?.id);
  deepEqual(await world.activities(publicId), [
    'domain.registered',
    'dcv.attempt',
    'dcv.attempt',
    'dcv.attempt',
    'domain.verified',
  ]);
});

test('challenges: new after 48 hours, an expired one is stale, a change of method voids all at once', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const view = good(await add(world, 'northwind.test'));
  const { publicId, id } = view.domain;
  await publish(world, view);
  const first = view.challenge?.challenge?.token;
  world.clock.time += 48 * HOUR;
  const stale = await world.service.verify(world.ctx, publicId);
  ok(!stale.ok);
  deepEqual([stale.error.code, stale.error.diagnostics?.diagnostics.tokenIsStale], ['dcv.challengeExpired', true]);
  const second = good(await world.service.challenge(world.ctx, publicId)).challenge?.token;
  notEqual(second, first);
  equal(code(await world.service.verify(world.ctx, publicId)), 'dcv.challengeMismatch', 'the old value is still there');

  const file = good(await world.service.changeMethod(world.ctx, publicId, 'http-url'));
  equal(file.recordName, null);
  equal(file.url, `http://northwind.test/.well-known/pki-validation/${file.challenge?.fileName}`);
  equal((await world.row(id)).challenges.length, 1);
  const rotated = good(await world.service.changeMethod(world.ctx, publicId, 'http-url'));
  notEqual(rotated.challenge?.token, file.challenge?.token);
  world.primary.http.file(rotated.url ?? '', `${rotated.challenge?.token}\n`);
  equal(good(await world.service.verify(world.ctx, publicId)).domain.verifiedBy, 'http-url');

  const afterwards = good(await world.service.changeMethod(world.ctx, publicId, 'dns-txt'));
  equal(afterwards.domain.dcvStatus, 'verified', 'a change of method keeps the proof');
  ok(afterwards.challenge);
});

test('a challenge that is replaced while it is looked for is void', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const view = good(await add(world, 'northwind.test'));
  await publish(world, view);
  const gate = Promise.withResolvers<void>();
  world.primary.resolver.gate = gate.promise;
  const verifying = world.service.verify(world.ctx, view.domain.publicId);
  // the look has begun once the resolver was asked
  while (!world.primary.resolver.asked.some((question) => question.endsWith('TXT'))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  good(await world.service.changeMethod(world.ctx, view.domain.publicId, 'dns-txt'));
  gate.resolve();
  const outcome = await verifying;
  ok(!outcome.ok);
  equal(outcome.error.code, 'dcv.challengeExpired');
  equal((await world.row(view.domain.id)).dcvStatus, 'pending');
});

test('verifications at the same moment share one look; each leaves its attempt and both succeed', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const view = good(await add(world, 'northwind.test'));
  await publish(world, view);
  world.primary.resolver.asked.length = 0;
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => world.service.verify(world.ctx, view.domain.publicId)),
  );
  deepEqual(
    outcomes.map(code),
    Array.from({ length: 5 }, () => 'ok'),
  );
  equal(world.primary.resolver.asked.filter((question) => question.endsWith('TXT')).length, 4);
  const attempts = good(await world.service.attempts(world.ctx, view.domain.publicId, 0, 20));
  deepEqual([attempts.total, new Set(attempts.rows.map((attempt) => attempt.outcome))], [5, new Set(['verified'])]);
});

test('the same name added at the same moment is one row', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => add(world, 'northwind.test')));
  deepEqual(outcomes.map(code).sort(), ['domain.registered', 'domain.registered', 'domain.registered', 'ok']);
});

test('names that cannot be validated are refused before anybody is asked', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const cases: readonly [string, string][] = [
    ['', 'domain.nameEmpty'],
    ['   ', 'domain.nameEmpty'],
    ['test', 'domain.nameRefused'],
    ['*.test', 'domain.nameRefused'],
    ['localhost', 'domain.nameRefused'],
    ['a..northwind.test', 'domain.nameRefused'],
    ['a_b.northwind.test', 'domain.nameRefused'],
    ['www.*.northwind.test', 'domain.nameRefused'],
    ['192.0.2.1', 'domain.nameRefused'],
    ['north\u0000wind.test', 'domain.nameRefused'],
    [`${'a'.repeat(64)}.test`, 'domain.nameRefused'],
    ['xn--a.test', 'domain.nameRefused'],
    ['shop.northwind.onion', 'domain.nameRefused'],
    ['4.3.2.10.in-addr.arpa', 'domain.nameRefused'],
    ['1.0.0.2.ip6.arpa', 'domain.nameRefused'],
  ];
  for (const [name, expected] of cases) equal(code(await add(world, name)), expected, JSON.stringify(name));
  equal(world.primary.resolver.asked.length, 0);
  equal(good(await add(world, 'bücher.test')).domain.name, 'xn--bcher-kva.test');
});

test('methods: e-mail is for orders, wildcards are for DNS, unbuilt ones are refused', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  for (const method of ['email', 'dns-cname', 'dns-persist'] as const) {
    equal(code(await world.service.add(world.ctx, { name: 'a.test', method, skipCaa: false })), 'dcv.methodRefused');
  }
  equal(code(await add(world, '*.northwind.test', { method: 'http-url' })), 'dcv.methodRefused');
  const wildcard = good(await add(world, '*.northwind.test'));
  deepEqual([wildcard.domain.name, wildcard.autoVerify], ['*.northwind.test', 'ineligible']);
  equal(wildcard.challenge?.recordName, '_emudhra-challenge.northwind.test');
  equal(code(await world.service.changeMethod(world.ctx, wildcard.domain.publicId, 'http-url')), 'dcv.methodRefused');
  await publish(world, wildcard);
  equal(good(await world.service.verify(world.ctx, wildcard.domain.publicId)).domain.dcvStatus, 'verified');
});

test('CAA is checked before a domain is taken in', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  world.primary.resolver.caa('northwind.test', ['issue other.test']).failing('flaky.test', 'CAA', 'timeout');
  const refused = await add(world, 'shop.northwind.test');
  ok(!refused.ok);
  equal(refused.error.code, 'caa.precheckFailed');
  match(refused.error.detail, /CAA records at northwind\.test .*add 0 issue "ca\.test"/);
  const { diagnostics } = refused.error;
  deepEqual(
    [diagnostics?.failureClass, diagnostics?.diagnostics.findings[0]?.found],
    ['CAA_FORBIDS', ['0 issue "other.test"']],
  );
  const failing = await add(world, 'flaky.test');
  ok(!failing.ok);
  deepEqual([failing.error.code, failing.error.diagnostics?.failureClass], ['caa.precheckFailed', 'DNS_TIMEOUT']);
  deepEqual(await world.activities('shop.northwind.test'), ['caa.checked']);
  equal(good(await list(world)).total, 0);

  const skipping = { name: 'shop.northwind.test', method: 'dns-txt', skipCaa: true } as const;
  equal(code(await world.service.add(world.ctx, skipping)), 'domain.skipCaaForbidden');
  const settings = { ...world.ctx.caller.settings, maySkipCaa: true };
  const trusted = { ...world.ctx, caller: { ...world.ctx.caller, settings } };
  equal(good(await world.service.add(trusted, skipping)).domain.caaStatus, 'skipped');
});

const list = (world: World, more: Partial<Parameters<World['service']['list']>[1]> = {}) =>
  world.service.list(world.ctx, { exact: false, sortBy: 'createdAt', descending: true, offset: 0, limit: 50, ...more });

test('organizations: needed when there are several, unknown ones are not found', async (t) => {
  const world = await createWorld(t);
  equal(good(await add(world, 'early.test')).domain.organizationId, null, 'an account without organizations');
  const first = await world.organization('1');
  equal(good(await add(world, 'northwind.test')).domain.organizationId, first.id);
  equal(good(await add(world, 'early.test')).domain.organizationId, first.id, 'taken over by its organization');
  equal(code(await add(world, 'early.test')), 'domain.registered');
  await world.organization('2');
  equal(code(await add(world, 'southwind.test')), 'request.invalid');
  equal(code(await add(world, 'southwind.test', { organizationNumber: '3' })), 'notFound');
  await world.organization('4', OTHER_ACCOUNT);
  equal(code(await add(world, 'southwind.test', { organizationNumber: '4' })), 'notFound', 'of another account');
  equal(code(await add(world, 'southwind.test', { organizationNumber: '2' })), 'ok');
});

test('one name in two organizations: the first proof wins, the other row is rejected until it ends', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  await world.organization('2');
  const mine = good(await add(world, 'northwind.test', { organizationNumber: '1' }));
  const theirs = good(await add(world, 'northwind.test', { organizationNumber: '2' }));
  const again = await add(world, 'northwind.test', { organizationNumber: '1' });
  ok(!again.ok);
  deepEqual([again.error.code, again.error.existingId], ['domain.registered', mine.domain.publicId]);

  await publish(world, mine);
  good(await world.service.verify(world.ctx, mine.domain.publicId));
  equal((await world.row(theirs.domain.id)).dcvStatus, 'rejected');
  for (const call of [
    () => world.service.verify(world.ctx, theirs.domain.publicId),
    () => world.service.challenge(world.ctx, theirs.domain.publicId),
    () => world.service.changeMethod(world.ctx, theirs.domain.publicId, 'dns-txt'),
  ]) {
    const refused = await call();
    ok(!refused.ok);
    deepEqual([refused.error.code, refused.error.existingId], ['domain.heldElsewhere', mine.domain.publicId]);
  }
  await world.organization('3');
  equal(code(await add(world, 'northwind.test', { organizationNumber: '3' })), 'domain.heldElsewhere');

  good(await world.service.deactivate(world.ctx, mine.domain.publicId));
  const freed = good(await world.service.challenge(world.ctx, theirs.domain.publicId));
  deepEqual([freed.domain.dcvStatus, freed.challenge?.method], ['pending', 'dns-txt']);
  await publish(world, theirs);
  equal(good(await world.service.verify(world.ctx, theirs.domain.publicId)).domain.dcvStatus, 'verified');
});

test('a verified name covers new and pending names below it, in its organization and by DNS only', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const pending = good(await add(world, 'old.northwind.test'));
  const byFile = good(await add(world, 'file.northwind.test', { method: 'http-url' }));
  const top = await addVerified(world, 'northwind.test');
  deepEqual(world.told, [top.id, pending.domain.id]);
  const old = await world.row(pending.domain.id);
  deepEqual([old.dcvStatus, old.inheritedFrom, old.validTill], ['verified', top.id, top.validTill]);
  equal((await world.row(byFile.domain.id)).dcvStatus, 'pending');

  const fresh = good(await add(world, 'a.b.northwind.test'));
  deepEqual([fresh.autoVerify, fresh.domain.dcvStatus], ['scheduled', 'pending']);
  equal(good(await add(world, 'other.northwind.test', { method: 'http-url' })).autoVerify, 'ineligible');
  equal(good(await add(world, '*.northwind.test')).autoVerify, 'ineligible');
  equal(good(await add(world, 'southwind.test')).autoVerify, 'noEligibleAncestor');
  world.clock.time += 1_999;
  await world.runJobs();
  equal((await world.row(fresh.domain.id)).dcvStatus, 'pending');
  world.clock.time += 1;
  await world.runJobs();
  equal((await world.row(fresh.domain.id)).dcvStatus, 'verified');
  ok(world.told.includes(fresh.domain.id));

  const inherited = good(await world.service.get(world.ctx, fresh.domain.publicId));
  deepEqual([inherited.autoVerify, inherited.challenge?.challenge], ['scheduled', undefined]);
});

test('a proof by file covers nothing below', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const below = good(await add(world, 'www.northwind.test'));
  const top = good(await add(world, 'northwind.test', { method: 'http-url' }));
  world.primary.http.file(top.challenge?.url ?? '', top.challenge?.challenge?.token ?? '');
  good(await world.service.verify(world.ctx, top.domain.publicId));
  equal((await world.row(below.domain.id)).dcvStatus, 'pending');
  equal(good(await add(world, 'shop.northwind.test')).autoVerify, 'noEligibleAncestor');
});

test('renewal: only in its window, only of independent proofs; children go along', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const renew = (name: string) => world.service.renew(world.ctx, { name, method: 'dns-txt' });
  equal(code(await renew('northwind.test')), 'notFound');
  const unproven = good(await add(world, 'southwind.test'));
  equal(code(await renew('southwind.test')), 'domain.notRenewable');
  good(await world.service.deactivate(world.ctx, unproven.domain.publicId));
  equal(code(await renew('southwind.test')), 'domain.inactive');

  const top = await addVerified(world, 'northwind.test');
  const child = good(await add(world, 'www.northwind.test'));
  world.clock.time += 2_000;
  await world.runJobs();
  equal((await world.row(child.domain.id)).dcvStatus, 'verified');
  equal(code(await renew('www.northwind.test')), 'domain.inherited');
  equal(code(await renew('northwind.test')), 'domain.notRenewable');

  world.clock.time = (top.validTill ?? 0) - 30 * DAY;
  // the shorter period of 2027 has ended the use of the proof by then
  const seen = good(await world.service.get(world.ctx, top.publicId)).domain;
  equal(seen.dcvStatus, 'pending');
  const renewed = good(await renew('northwind.test'));
  deepEqual([renewed.domain.dcvStatus, renewed.domain.validTill], ['pending', null]);
  deepEqual(
    [(await world.row(child.domain.id)).dcvStatus, (await world.row(child.domain.id)).inheritedFrom],
    ['pending', top.id],
  );
  await publish(world, renewed);
  const verified = good(await world.service.verify(world.ctx, top.publicId)).domain;
  const again = await world.row(child.domain.id);
  deepEqual([again.dcvStatus, again.validTill], ['verified', verified.validTill]);
  equal(new Date(again.validTill ?? 0).toISOString(), '2027-08-21T00:00:00.000Z', '100 days by then');
});

test('renewal inside the window before the end', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  world.clock.time = Date.UTC(2027, 3, 1);
  const top = await addVerified(world, 'northwind.test');
  const renew = () => world.service.renew(world.ctx, { name: 'northwind.test', method: 'http-url' });
  world.clock.time = (top.validTill ?? 0) - 30 * DAY - 1;
  equal(code(await renew()), 'domain.notRenewable');
  world.clock.time += 1;
  const renewed = good(await renew());
  deepEqual([renewed.domain.method, renewed.challenge?.method], ['http-url', 'http-url']);
});

test('a parent proved by file after its renewal lets its children go', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const child = good(await add(world, 'www.northwind.test'));
  const top = await addVerified(world, 'northwind.test');
  world.clock.time = top.validTill ?? 0;
  const renewed = good(await world.service.renew(world.ctx, { name: 'northwind.test', method: 'http-url' }));
  world.primary.http.file(renewed.challenge?.url ?? '', renewed.challenge?.challenge?.token ?? '');
  good(await world.service.verify(world.ctx, top.publicId));
  const row = await world.row(child.domain.id);
  deepEqual([row.dcvStatus, row.inheritedFrom], ['pending', null]);
});

test('deactivation stops all use of a domain until it is added again', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const domain = await addVerified(world, 'northwind.test');
  const done = good(await world.service.deactivate(world.ctx, domain.publicId)).domain;
  deepEqual([done.status, done.deactivatedAt], ['inactive', START]);
  world.clock.time += HOUR;
  equal(good(await world.service.deactivate(world.ctx, domain.publicId)).domain.deactivatedAt, START, 'repeatable');
  equal(code(await world.service.challenge(world.ctx, domain.publicId)), 'domain.inactive');
  equal(code(await world.service.verify(world.ctx, domain.publicId)), 'domain.inactive');
  equal(code(await world.service.changeMethod(world.ctx, domain.publicId, 'dns-txt')), 'domain.inactive');
  const back = good(await add(world, 'northwind.test')).domain;
  deepEqual([back.publicId, back.status, back.dcvStatus, back.validTill], [domain.publicId, 'active', 'pending', null]);
});

test('tenants and roles', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const view = good(await add(world, 'northwind.test'));
  const { publicId } = view.domain;
  const stranger = world.context('administrator', OTHER_ACCOUNT);
  const auditor = world.context('auditor');
  const { service } = world;
  for (const call of [
    () => service.get(stranger, publicId),
    () => service.challenge(stranger, publicId),
    () => service.verify(stranger, publicId),
    () => service.changeMethod(stranger, publicId, 'dns-txt'),
    () => service.attempts(stranger, publicId, 0, 10),
    () => service.attempt(stranger, publicId, 'last'),
    () => service.deactivate(stranger, publicId),
  ]) {
    equal(code(await call()), 'notFound');
  }
  for (const call of [
    () => service.add(auditor, { name: 'southwind.test', method: 'dns-txt', skipCaa: false }),
    () => service.renew(auditor, { name: 'northwind.test', method: 'dns-txt' }),
    () => service.verify(auditor, publicId),
    () => service.changeMethod(auditor, publicId, 'dns-txt'),
    () => service.deactivate(auditor, publicId),
  ]) {
    equal(code(await call()), 'permission.denied');
  }
  world.clock.time += 49 * HOUR;
  const read = good(await service.challenge(auditor, publicId));
  equal(read.challenge, undefined, 'a reader makes no challenge');
  equal(good(await service.get(auditor, publicId)).domain.publicId, publicId);
});

test('lists: filters, organizations by number or id, groups', async (t) => {
  const world = await createWorld(t);
  const first = await world.organization('1');
  await world.organization('2');
  good(await add(world, 'northwind.test', { organizationNumber: '1' }));
  good(await add(world, 'southwind.test', { organizationNumber: '2' }));
  const names = async (more: Parameters<typeof list>[1]) =>
    good(await list(world, more)).rows.map((view) => view.domain.name);
  deepEqual(await names({ sortBy: 'name', descending: false }), ['northwind.test', 'southwind.test']);
  deepEqual(await names({ search: 'NORTH' }), ['northwind.test']);
  deepEqual(await names({ search: 'north', exact: true }), []);
  deepEqual(await names({ organization: '1' }), ['northwind.test']);
  deepEqual(await names({ organization: first.publicId }), ['northwind.test']);
  deepEqual(await names({ organization: 'nobody' }), []);
  equal(code(await list(world, { groupNumber: '0' })), 'notFound');
  const [view] = good(await list(world, { search: 'north' })).rows;
  deepEqual([view?.organization?.number, view?.challenge], ['1', null]);
});

test('mode accept meets every challenge without asking anybody', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  world.settings.mode = 'accept';
  const view = good(await add(world, 'northwind.test'));
  equal(good(await world.service.verify(world.ctx, view.domain.publicId)).domain.dcvStatus, 'verified');
  equal(world.primary.resolver.asked.length, 0);
  equal(view.domain.caaStatus, 'unchecked');
});

test('perspectives that disagree are on record, one by one', async (t) => {
  const perspectives = ['primary', 'east', 'west'].map(fakePerspective);
  const world = await createWorld(t, perspectives);
  await world.organization('1');
  const view = good(await add(world, 'northwind.test'));
  await publish(world, view);
  const split = await world.service.verify(world.ctx, view.domain.publicId);
  ok(!split.ok);
  equal(split.error.diagnostics?.failureClass, 'QUORUM_NOT_MET');
  deepEqual(
    split.error.diagnostics?.diagnostics.findings.map((finding) => finding.ok),
    [true, false, false],
  );
  const east = perspectives[1];
  ok(east);
  east.resolver.txt('northwind.test', view.challenge?.challenge?.token ?? '');
  equal(code(await world.service.verify(world.ctx, view.domain.publicId)), 'ok');
});

test('more rows below than one write set takes are brought into line by the job', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  world.settings.mode = 'accept';
  const names = Array.from({ length: 230 }, (_, index) => `host${index}.northwind.test`);
  const rows = await world.order('1000000001', names);
  world.settings.mode = 'real';
  await addVerified(world, 'northwind.test');
  const verified = async () => {
    const states = await world.deps.store.domains.byIds(rows.map((row) => row.id));
    return states.filter((row) => row.dcvStatus === 'verified').length;
  };
  equal(await verified(), 200);
  world.clock.time += 5_000;
  await world.runJobs();
  equal(await verified(), 230);
  deepEqual(new Set(world.told).size, 231);
});

test('the answer of a repeated request is stored with its effect', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const claim = {
    id: await world.deps.store.nextId(),
    scope: 'scope',
    fingerprint: 'print',
    answer: null,
    leaseUntil: START + 60_000,
    expiresAt: START + DAY,
    version: 1,
  };
  await world.deps.store.write({
    bookkeeping: 'test',
    writes: [{ op: 'insert', table: 'idempotency', row: claim }],
  });
  const input = { name: 'northwind.test', method: 'dns-txt', skipCaa: false } as const;
  const render = (view: DomainView) => ({ status: 201, headers: {}, body: view.domain.publicId });
  const view = good(await world.service.add(world.ctx, input, { claim, render }));
  equal((await world.deps.store.idempotency.byScope('scope'))?.answer?.body, view.domain.publicId);
  // a claim that somebody else took over meanwhile: no effect
  const other = await world.service.add(world.ctx, { ...input, name: 'southwind.test' }, { claim, render });
  equal(code(other), 'idempotency.inProgress');
  equal(good(await list(world)).total, 1);
});
