import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { ChallengeView, DomainError, OrderPhase, ValidationMethod } from '@certwright/core';
import { type Result, ok as value } from '@certwright/pki';
import { systemContext } from '../../src/audit/draft.ts';
import { isProven } from '../../src/domains/reuse.ts';
import { createCaaChecker } from '../../src/validation/caa/checker.ts';
import { createCaaGate } from '../../src/validation/caa/gate.ts';
import { ACCOUNT, createWorld, DAY, HOUR, OTHER_ACCOUNT, START, type World } from './world.ts';

const ORDER = '1000000001';

const good = <T>(result: Result<T, DomainError>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`);
  return result.value;
};
const code = (result: Result<unknown, DomainError>): string => (result.ok ? 'ok' : result.error.code);

const challenges = async (world: World, domain?: string, method: ValidationMethod = 'dns-txt', number = ORDER) =>
  world.service.orderChallenges(world.ctx, number, domain, method);
const verify = (world: World, domain: string, method: ValidationMethod = 'dns-txt', number = ORDER) =>
  world.service.verifyForOrder(world.ctx, number, { domain, method });

function publish(world: World, view: ChallengeView): void {
  world.primary.resolver.txt(view.recordName ?? '', view.challenge?.token ?? '');
}

test('an order registers its names under the organization, once, a wildcard with its base', async (t) => {
  const world = await createWorld(t);
  const organization = await world.organization('1');
  const rows = await world.order(ORDER, ['northwind.test', '*.northwind.test', 'www.northwind.test']);
  deepEqual(
    rows.map((row) => [row.name, row.organizationId, row.dcvStatus]),
    [
      ['northwind.test', organization.id, 'pending'],
      ['northwind.test', organization.id, 'pending'],
      ['www.northwind.test', organization.id, 'pending'],
    ],
  );
  equal(rows[0]?.id, rows[1]?.id);
  const again = await world.order('1000000002', ['northwind.test']);
  equal(again[0]?.id, rows[0]?.id);
});

test('the order endpoint and the domain endpoint show the same challenge', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const [row] = await world.order(ORDER, ['northwind.test']);
  const { asked, pending } = good(await challenges(world));
  match(asked.challenge?.token ?? '', /^emudhra-dcv-/);
  equal(asked.recordName, '_emudhra-challenge.northwind.test');
  deepEqual(pending, [asked]);
  const own = good(await world.service.challenge(world.ctx, row?.publicId ?? ''));
  equal(own.challenge?.token, asked.challenge?.token);
  equal(good(await challenges(world)).asked.challenge?.token, asked.challenge?.token, 'kept');
});

test('by default every name that needs a proof gets one; a name asked for is answered alone', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  await world.order(ORDER, ['northwind.test', 'southwind.test', '*.northwind.test', '*.eastwind.test']);
  const all = good(await challenges(world));
  deepEqual(
    all.pending.map((view) => [view.name, view.method]),
    [
      ['northwind.test', 'dns-txt'],
      ['southwind.test', 'dns-txt'],
      ['*.eastwind.test', 'dns-txt'],
    ],
    'a wildcard and its base are proved together',
  );
  const one = good(await challenges(world, 'SOUTHWIND.test'));
  deepEqual(
    one.pending.map((view) => view.name),
    ['southwind.test'],
  );
  const files = good(await challenges(world, undefined, 'http-url'));
  deepEqual(
    files.pending.map((view) => [view.name, view.method]),
    [
      ['northwind.test', 'http-url'],
      ['southwind.test', 'http-url'],
      ['*.northwind.test', 'dns-txt'],
      ['*.eastwind.test', 'dns-txt'],
    ],
    'wildcards are proved by DNS whatever was asked for',
  );
  equal(code(await challenges(world, '*.eastwind.test', 'http-url')), 'dcv.methodRefused');
  equal(code(await challenges(world, '*.eastwind.test', 'email')), 'dcv.methodRefused');
  equal(code(await challenges(world, 'westwind.test')), 'dcv.nameNotOnOrder');
  equal(code(await challenges(world, 'not a name')), 'dcv.nameNotOnOrder');
  equal(code(await challenges(world, ' ')), 'domain.nameEmpty');
  equal(good(await challenges(world, 'eastwind.test')).asked.name, '*.eastwind.test', 'the base of a wildcard will do');
});

test('a method other than the row’s own is fine, each keeps one live challenge', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const [row] = await world.order(ORDER, ['northwind.test']);
  const dns = good(await challenges(world)).asked;
  const file = good(await challenges(world, 'northwind.test', 'http-url')).asked;
  equal(good(await challenges(world)).asked.challenge?.token, dns.challenge?.token);
  world.primary.http.file(file.url ?? '', file.challenge?.token ?? '');
  const done = good(await verify(world, 'northwind.test', 'http-url'));
  deepEqual([done.domain.verifiedBy, done.domain.method, done.domain.challenges], ['http-url', 'dns-txt', []]);
  deepEqual(world.told, [row?.id]);
  equal(code(await verify(world, 'northwind.test', 'http-url')), 'dcv.alreadyVerified');
  equal(code(await challenges(world, 'northwind.test')), 'dcv.alreadyVerified');
  equal(code(await challenges(world)), 'dcv.alreadyVerified');
  for (const method of ['dns-cname', 'dns-persist'] as const) {
    equal(code(await verify(world, 'northwind.test', method)), 'dcv.methodRefused');
  }
});

test('a wildcard needs a proof by DNS even where its base is proved by file', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const [row] = await world.order(ORDER, ['northwind.test', '*.northwind.test']);
  const file = good(await challenges(world, 'northwind.test', 'http-url')).asked;
  world.primary.http.file(file.url ?? '', file.challenge?.token ?? '');
  good(await verify(world, 'northwind.test', 'http-url'));
  equal(code(await verify(world, '*.northwind.test', 'http-url')), 'dcv.methodRefused');
  const open = good(await challenges(world));
  deepEqual(
    open.pending.map((view) => view.name),
    ['*.northwind.test'],
  );
  equal(open.asked.domain.dcvStatus, 'verified', 'the base stays proved meanwhile');
  publish(world, open.asked);
  good(await verify(world, '*.northwind.test'));
  const proven = await world.row(row?.id ?? 0);
  equal(isProven(proven, { wildcard: true }, START), true);
});

test('names below a proved name are proved at once; the client that checks them anyway gets the truth', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  await world.order(ORDER, ['northwind.test', 'www.northwind.test', 'shop.northwind.test']);
  const { pending } = good(await challenges(world));
  deepEqual(pending.length, 3);
  for (const view of pending) publish(world, view);
  good(await verify(world, 'northwind.test'));
  equal(world.told.length, 3);
  world.setPhase(ORDER, 'csr');
  const asked = world.primary.resolver.asked.length;
  const covered = good(await verify(world, 'www.northwind.test'));
  deepEqual([covered.domain.dcvStatus, covered.attempt], ['verified', null]);
  equal(world.primary.resolver.asked.length, asked);
  equal(code(await verify(world, 'northwind.test')), 'dcv.alreadyVerified');

  const later = await world.order('1000000002', ['api.northwind.test', '*.api.northwind.test', 'a.b.northwind.test']);
  deepEqual(
    later.map((row) => row.dcvStatus),
    ['verified', 'verified', 'verified'],
  );
  const wildcard = good(await challenges(world, undefined, 'dns-txt', '1000000002'));
  deepEqual(
    wildcard.pending.map((view) => view.name),
    ['*.api.northwind.test'],
    'a wildcard takes a proof of its own',
  );
});

test('a name is registered where it inherits, and a new row inherits in the same commit', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const second = await world.organization('2');
  const added = good(
    await world.service.add(world.ctx, {
      name: 'northwind.test',
      method: 'dns-txt',
      skipCaa: false,
      organizationNumber: '2',
    }),
  );
  world.settings.mode = 'accept';
  good(await world.service.verify(world.ctx, added.domain.publicId));
  const [row] = await world.order(ORDER, ['www.northwind.test']);
  deepEqual([row?.organizationId, row?.dcvStatus, row?.version], [second.id, 'verified', 1]);
  const [other] = await world.order('1000000002', ['southwind.test']);
  equal(other?.organizationId, null, 'which of two organizations is unknown');
  const [held] = await world.order('1000000003', ['northwind.test'], second.id + 1_000);
  equal(held?.id, added.domain.id, 'a proof serves every order of the account');
});

test('orders are refused for inactive names and for names that nobody can hold', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const [row] = await world.order(ORDER, ['northwind.test']);
  good(await world.service.deactivate(world.ctx, row?.publicId ?? ''));
  const place = (...names: string[]) =>
    world.register.registerForOrder({ accountId: ACCOUNT, organizationId: null, names, ctx: world.ctx, now: START });
  equal(code(await place('northwind.test')), 'domain.inactive');
  equal(code(await place('southwind.test', '*.northwind.test')), 'domain.inactive');
  equal(code(await place('*.test')), 'domain.nameRefused');
  equal(code(await challenges(world)), 'domain.inactive');
  equal(code(await verify(world, 'northwind.test')), 'domain.inactive');
});

test('what an order’s state allows', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  await world.order(ORDER, ['northwind.test']);
  const cases: readonly [OrderPhase, string, string][] = [
    ['organization', 'ok', 'dcv.challengeNotFound'],
    ['dcv', 'ok', 'dcv.challengeNotFound'],
    ['issued', 'dcv.alreadyVerified', 'dcv.alreadyVerified'],
    ['issuing', 'dcv.alreadyVerified', 'dcv.alreadyVerified'],
    ['onHold', 'dcv.alreadyVerified', 'dcv.alreadyVerified'],
    ['cancelled', 'order.wrongState', 'order.wrongState'],
    ['rejected', 'order.wrongState', 'order.wrongState'],
    ['revoked', 'order.wrongState', 'order.wrongState'],
    ['expired', 'order.wrongState', 'order.wrongState'],
  ];
  for (const [phase, reading, verifying] of cases) {
    world.setPhase(ORDER, phase);
    equal(code(await challenges(world)), reading, phase);
    equal(code(await verify(world, 'northwind.test')), verifying, phase);
  }
  const { service } = world;
  const stranger = world.context('administrator', OTHER_ACCOUNT);
  equal(code(await service.orderChallenges(stranger, ORDER, undefined, 'dns-txt')), 'notFound');
  const auditor = world.context('auditor');
  equal(
    code(await service.verifyForOrder(auditor, ORDER, { domain: 'northwind.test', method: 'dns-txt' })),
    'permission.denied',
  );
  world.setPhase(ORDER, 'dcv');
  const read = good(await service.orderChallenges(auditor, ORDER, undefined, 'email'));
  deepEqual([read.asked.challenge, await world.runJobs()], [undefined, 0], 'a reader starts nothing');
});

test('verify before any challenge, and with an expired one', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  await world.order(ORDER, ['northwind.test']);
  const none = await verify(world, 'northwind.test');
  ok(!none.ok);
  match(none.error.detail, /no challenge/);
  const { asked } = good(await challenges(world));
  publish(world, asked);
  world.clock.time += 48 * HOUR;
  const stale = await verify(world, 'northwind.test');
  ok(!stale.ok);
  deepEqual([stale.error.code, stale.error.diagnostics?.diagnostics.tokenIsStale], ['dcv.challengeExpired', true]);
  notEqual(good(await challenges(world)).asked.challenge?.token, asked.challenge?.token);
});

test('a proof that has run out is needed again, at any gate', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  world.settings.mode = 'accept';
  const [row] = await world.order(ORDER, ['northwind.test']);
  good(await verify(world, 'northwind.test'));
  world.setPhase(ORDER, 'agreement');
  equal(code(await challenges(world)), 'dcv.alreadyVerified');
  world.clock.time += 201 * DAY;
  const view = good(await challenges(world)).asked;
  equal(view.domain.dcvStatus, 'pending');
  good(await verify(world, 'northwind.test'));
  equal(isProven(await world.row(row?.id ?? 0), { wildcard: false }, world.clock.time), true);
});

const linkOf = (text: string): string => /^https:\/\/ca\.test:8440\/validation\/mail\/(\S+)$/m.exec(text)?.[1] ?? '';

test('e-mail: five mailboxes, one mail a minute each, a link that works once', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const [row] = await world.order(ORDER, ['northwind.test']);
  const { asked } = good(await challenges(world, undefined, 'email'));
  equal(asked.recipients.length, 5);
  const { sent } = world.deps.mailer;
  equal(sent.length, 0, 'sent by a job');
  equal(await world.runJobs(), 5);
  deepEqual(sent.map((mail) => mail.to).sort(), [...asked.recipients].sort());
  good(await challenges(world, undefined, 'email'));
  world.clock.time += 59_999;
  good(await challenges(world, undefined, 'email'));
  equal(await world.runJobs(), 0, 'not again within a minute');
  world.clock.time += 1;
  const concurrent = await Promise.all([1, 2, 3].map(() => challenges(world, undefined, 'email')));
  deepEqual(concurrent.map(code), ['ok', 'ok', 'ok']);
  equal(await world.runJobs(), 5, 'requests at the same moment send one mail each recipient');

  const tokens = sent.map((mail) => linkOf(mail.text));
  equal(new Set(tokens).size, 10, 'each mail has a value of its own');
  ok(tokens.every((token) => /^[\w-]{24}$/.test(token)));
  for (const mail of sent) {
    match(mail.text, /Account 1000001/);
    ok(!mail.text.includes(asked.challenge?.token ?? '?'), 'the challenge itself is not mailed');
  }

  const waiting = good(await verify(world, 'northwind.test', 'email'));
  deepEqual(
    [waiting.attempt?.outcome, waiting.attempt?.failureClass, waiting.domain.dcvStatus],
    ['pending', 'MAIL_NOT_CONFIRMED', 'pending'],
  );
  const token = tokens[0] ?? '';
  const origin = { channel: 'mail', requestId: 'm', ip: '198.51.100.7', originator: '' };
  const page = good(await world.service.mailApproval(token));
  deepEqual(page, {
    domainName: 'northwind.test',
    accountName: 'Account 1000001',
    recipient: sent[0]?.to,
    approved: false,
  });
  equal((await world.row(row?.id ?? 0)).dcvStatus, 'pending', 'looking changes nothing');
  deepEqual(world.told, []);
  equal(good(await world.service.approveByMail(origin, token)).domainName, 'northwind.test');
  const proven = await world.row(row?.id ?? 0);
  deepEqual([proven.dcvStatus, proven.verifiedBy], ['verified', 'email']);
  deepEqual(world.told, [row?.id]);
  equal(good(await world.service.mailApproval(token)).approved, true);
  good(await world.service.approveByMail(origin, token));
  deepEqual(world.told, [row?.id], 'pressing again has no effect');
  equal(code(await world.service.approveByMail(origin, tokens[1] ?? '')), 'notFound', 'the challenge is spent');
  equal(code(await verify(world, 'northwind.test', 'email')), 'dcv.alreadyVerified');
  const activities = await world.activities(proven.publicId);
  ok(activities.includes('dcv.mailApproved'));
});

test('e-mail: links of other challenges, expired ones and forged ones are unknown', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  const [row] = await world.order(ORDER, ['northwind.test']);
  good(await challenges(world, undefined, 'email'));
  await world.runJobs();
  const token = linkOf(world.deps.mailer.sent[0]?.text ?? '');
  const origin = { channel: 'mail', requestId: 'm', ip: '198.51.100.7', originator: '' };
  for (const forged of [
    '',
    'x',
    `${token}x`,
    token.slice(1),
    'A'.repeat(24),
    '../../etc/passwd',
    '\u0000'.repeat(24),
  ]) {
    equal(code(await world.service.mailApproval(forged)), 'notFound');
    equal(code(await world.service.approveByMail(origin, forged)), 'notFound');
  }
  good(await world.service.changeMethod(world.ctx, row?.publicId ?? '', 'dns-txt'));
  equal(code(await world.service.approveByMail(origin, token)), 'notFound', 'its challenge was voided');

  good(await challenges(world, undefined, 'email'));
  world.clock.time += 60_000;
  good(await challenges(world, undefined, 'email'));
  await world.runJobs();
  const fresh = linkOf(world.deps.mailer.sent.at(-1)?.text ?? '');
  equal(code(await world.service.mailApproval(fresh)), 'ok');
  world.clock.time += 48 * HOUR;
  equal(code(await world.service.approveByMail(origin, fresh)), 'notFound');
  deepEqual(world.told, []);
});

test('e-mail: a mail that cannot be sent comes later, with a link that works', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  await world.order(ORDER, ['northwind.test']);
  good(await challenges(world, undefined, 'email'));
  world.deps.mailer.isDown = true;
  await world.runJobs();
  equal(world.deps.mailer.sent.length, 0);
  world.deps.mailer.isDown = false;
  world.clock.time += 5_000;
  equal(await world.runJobs(), 5);
  const trail = await world.deps.store.audit.search({ accountId: null, objectType: 'domain' }, { limit: 200 });
  const count = (activity: string) => trail.rows.filter((entry) => entry.activity === activity).length;
  equal(count('notification.failed'), 5);
  equal(count('notification.sent'), 5);
  const token = linkOf(world.deps.mailer.sent[4]?.text ?? '');
  equal(code(await world.service.mailApproval(token)), 'ok');
});

test('e-mail: mails for one challenge have an end', async (t) => {
  const world = await createWorld(t);
  await world.organization('1');
  await world.order(ORDER, ['northwind.test']);
  for (let minute = 0; minute < 20; minute++) {
    good(await challenges(world, undefined, 'email'));
    await world.runJobs();
    world.clock.time += 60_000;
  }
  equal(world.deps.mailer.sent.length, 12 * 5);
});

test('the gate before issuance: all names, on behalf of the account, with one audit entry', async (t) => {
  const world = await createWorld(t);
  const gate = createCaaGate(world.deps, createCaaChecker(world.deps));
  const uri = `https://ca.test:8440/accounts/${ACCOUNT}`;
  world.primary.resolver
    .caa('northwind.test', [`issue ca.test; accounturi=${uri}; validationmethods=ca-dns-txt`])
    .caa('southwind.test', ['issue other.test']);
  const names = [
    { name: '*.northwind.test', method: 'dns-txt' },
    { name: 'eastwind.test', method: 'http-url' },
  ] as const;
  for (const actor of [world.ctx, systemContext('orders')]) {
    const permitted = good(await gate.permit(actor, names, ACCOUNT));
    deepEqual(
      permitted.audit.map((entry) => [entry.activity, entry.objectId, entry.accountId]),
      [['caa.checked', '*.northwind.test', ACCOUNT]],
    );
  }
  equal(code(await gate.permit(systemContext('orders'), names, OTHER_ACCOUNT)), 'caa.forbids');
  equal(code(await gate.permit(world.ctx, [{ name: 'northwind.test', method: 'http-url' }], ACCOUNT)), 'caa.forbids');
  const many = Array.from({ length: 40 }, (_, index) => ({ name: `h${index}.eastwind.test`, method: null }));
  const refused = await gate.permit(world.ctx, [...many, { name: 'a.southwind.test', method: null }], ACCOUNT);
  ok(!refused.ok);
  deepEqual([refused.error.code, refused.error.diagnostics?.failureClass], ['caa.forbids', 'CAA_FORBIDS']);
  deepEqual(await gate.permit(world.ctx, [], ACCOUNT), value({ audit: [] }));
});
