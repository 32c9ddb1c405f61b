import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attribute, fromPem, parseCertificate, toPem } from '@certwright/pki';
import fc from 'fast-check';
import type { CallContext, OrderView, Outcome } from '../../src/api.ts';
import {
  agreement,
  createTestCore,
  csrFor,
  must,
  privateRequest,
  proveDomain,
  refusal,
  sslRequest,
  type TestCore,
} from '../support/core.ts';

async function vettedOrganization(test: TestCore, accountNumber: string): Promise<{ number: string; token: string }> {
  const made = must(
    await test.core.accounts.createOrganization(test.operator, accountNumber, {
      name: 'Northwind Traders Inc',
      street1: '12 Harbor Way',
      street2: '',
      locality: 'Portland',
      stateName: 'Maine',
      stateCode: 'ME',
      postalCode: '04101',
      countryCode: 'US',
      registrationNumber: '20260101',
      jurisdictionCountry: 'US',
      businessCategory: 'Private Organization',
    }),
  );
  const vetted = must(
    await test.core.accounts.vet(test.operator, made.number, {
      decision: 'validated',
      vettedFor: ['ov', 'ev'],
      preVettingToken: true,
      reason: '',
    }),
  );
  return { number: made.number, token: vetted.preVettingToken ?? '' };
}

/** A CSR whose signature is well-formed and wrong. */
async function damaged(commonName: string): Promise<string> {
  const der = fromPem(await csrFor(commonName), 'CERTIFICATE REQUEST');
  assert.ok(der.ok);
  const bytes = Uint8Array.from(der.value);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return toPem('CERTIFICATE REQUEST', bytes);
}

describe('private PKI order', () => {
  it('with CSR is issued in one call and its certificate says what was ordered', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const view = must(
      await test.core.orders.create(
        ctx,
        privateRequest('wiki.corp.internal', {
          additionalHosts: ['wiki', '10.20.0.15'],
          csr: await csrFor('wiki.corp.internal'),
        }),
      ),
    );
    assert.equal(view.phase, 'issued');
    const file = must(await test.core.orders.download(ctx, 'private-pki', view.order.number ?? ''));
    const certificate = parseCertificate(file.der);
    assert.ok(certificate.ok);
    assert.equal(attribute(certificate.value.subject, 'CN'), 'wiki.corp.internal');
    assert.deepEqual(
      certificate.value.sans.map((san) => (san.kind === 'dns' ? san.value : san.kind)),
      ['wiki.corp.internal', 'wiki', 'ip'],
    );
    assert.deepEqual(await test.activities(view.order.number ?? ''), ['order.created']);
    assert.deepEqual(await test.activities(view.certificate?.serial ?? ''), [
      'certificate.prepared',
      'certificate.issued',
      'certificate.downloaded',
    ]);
  });

  it('without CSR waits for it; a wrong one changes nothing', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const view = must(await test.core.orders.create(ctx, privateRequest('wiki.corp.internal')));
    const number = view.order.number ?? '';
    assert.equal(view.phase, 'csr');
    for (const [csr, code] of [
      [await csrFor('other.corp.internal'), 'csr.subjectMismatch'],
      ['-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----', 'csr.malformed'],
      [await damaged('wiki.corp.internal'), 'csr.malformed'],
    ] as const) {
      assert.equal(
        refusal(await test.core.orders.submitCsr(ctx, 'private-pki', number, { csr, attested: false })),
        code,
      );
    }
    assert.equal(must(await test.core.orders.get(ctx, 'private-pki', number)).order.version, view.order.version);
    assert.equal(refusal(await test.core.orders.download(ctx, 'private-pki', number)), 'order.notIssued');
    const issued = must(
      await test.core.orders.submitCsr(ctx, 'private-pki', number, {
        csr: await csrFor('wiki.corp.internal'),
        attested: true,
      }),
    );
    assert.equal(issued.phase, 'issued');
  });

  it('a signer that does not answer leaves the certificate on record, and it is finished later, once', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    test.signer.broken = true;
    const view = must(
      await test.core.orders.create(ctx, privateRequest('wiki.internal', { csr: await csrFor('wiki.internal') })),
    );
    const number = view.order.number ?? '';
    assert.equal(view.phase, 'issuing');
    assert.equal(refusal(await test.core.orders.download(ctx, 'private-pki', number)), 'order.notIssued');
    assert.equal(refusal(await test.core.orders.cancel(ctx, 'private-pki', number, 'no')), 'order.wrongState');
    test.signer.broken = false;
    assert.equal(await test.core.certificates.resumeUnfinished(), 0, 'the lease of the first process still runs');
    test.wallClock.time += 60_000;
    const [first, second] = await Promise.all([
      test.core.certificates.resumeUnfinished(),
      test.core.certificates.resumeUnfinished(),
    ]);
    assert.equal((first ?? 0) + (second ?? 0), 1, 'two that look at once finish it once');
    const after = must(await test.core.orders.get(ctx, 'private-pki', number));
    assert.equal(after.phase, 'issued');
    assert.equal(after.certificate?.serial, view.certificate?.serial, 'the recorded serial number, not another one');
  });

  it('expires by the clock, and a revocation is not for expired ones', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const view = must(
      await test.core.orders.create(ctx, privateRequest('wiki.internal', { csr: await csrFor('wiki.internal') })),
    );
    const number = view.order.number ?? '';
    test.clock.time = (view.certificate?.notAfter ?? 0) + 1;
    assert.equal(must(await test.core.orders.get(ctx, 'private-pki', number)).phase, 'expired');
    assert.equal(
      refusal(await test.core.orders.revoke(ctx, 'private-pki', number, { reason: 'superseded', note: '' })),
      'order.wrongState',
    );
  });
});

describe('SSL order', () => {
  it('DV: the three requirements in any order lead to one certificate', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    let serial = 0;
    const steps: Record<string, (view: OrderView, domain: string) => Promise<unknown>> = {
      dcv: (view, domain) => proveDomain(test, ctx, view, domain),
      csr: async (view, domain) =>
        must(
          await test.core.orders.submitCsr(ctx, 'ssl', view.order.number ?? '', {
            csr: await csrFor(domain),
            attested: false,
          }),
        ),
      agreement: async (view) =>
        must(await test.core.orders.acceptAgreement(ctx, 'ssl', view.order.number ?? '', agreement)),
    };
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(Object.keys(steps), { minLength: 3 }), async (sequence) => {
        const domain = `shop-${++serial}.northwind.example`;
        const view = must(await test.core.orders.create(ctx, sslRequest(domain)));
        assert.equal(view.phase, 'dcv');
        for (const step of sequence) await steps[step]?.(view, domain);
        const issued = must(await test.core.orders.get(ctx, 'ssl', view.order.number ?? ''));
        assert.equal(issued.phase, 'issued', sequence.join());
        const issuances = (await test.activities(issued.certificate?.serial ?? '')).filter(
          (one) => one === 'certificate.issued',
        );
        assert.equal(issuances.length, 1);
      }),
      { numRuns: 12 },
    );
  });

  it('a verified domain is reused: the next order is issued in one call', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const first = must(await test.core.orders.create(ctx, sslRequest('shop.northwind.example')));
    await proveDomain(test, ctx, first, 'shop.northwind.example');
    const again = must(
      await test.core.orders.create(
        ctx,
        sslRequest('shop.northwind.example', { csr: await csrFor('shop.northwind.example'), agreement }),
      ),
    );
    assert.equal(again.phase, 'issued');
  });

  it('a verification that ran out is asked for again', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const domain = 'shop.northwind.example';
    const view = must(await test.core.orders.create(ctx, sslRequest(domain)));
    await proveDomain(test, ctx, view, domain);
    test.clock.time += 201 * 86_400_000;
    const number = view.order.number ?? '';
    const later = must(
      await test.core.orders.submitCsr(ctx, 'ssl', number, { csr: await csrFor(domain), attested: false }),
    );
    assert.equal(later.phase, 'dcv');
    assert.equal(must(await test.core.orders.acceptAgreement(ctx, 'ssl', number, agreement)).phase, 'dcv');
  });

  it('OV with the pre-vetting token is issued by itself, without it an approver decides', async (t) => {
    const test = await createTestCore(t);
    const { ctx, number: account } = await test.account('one');
    const organization = await vettedOrganization(test, account);
    const place = async (domain: string, preVettingToken: string | undefined) => {
      const view = must(
        await test.core.orders.create(
          ctx,
          sslRequest(domain, {
            variant: 'ov',
            organization: {
              number: organization.number,
              ...(preVettingToken === undefined ? {} : { preVettingToken }),
            },
            csr: await csrFor(domain),
            agreement,
          }),
        ),
      );
      await proveDomain(test, ctx, view, domain);
      return must(await test.core.orders.get(ctx, 'ssl', view.order.number ?? ''));
    };
    const withToken = await place('a.northwind.example', organization.token);
    assert.equal(withToken.phase, 'issued');
    const certificate = parseCertificate(withToken.certificate?.der ?? new Uint8Array());
    assert.ok(certificate.ok);
    assert.equal(attribute(certificate.value.subject, 'O'), 'Northwind Traders Inc');

    assert.equal((await place('b.northwind.example', 'wrong')).phase, 'approval');
    const without = await place('c.northwind.example', undefined);
    assert.equal(without.phase, 'approval');
    const approved = must(await test.core.orders.approve(test.operator, without.order.number ?? ''));
    assert.equal(approved.phase, 'issued');
    assert.equal(
      refusal(await test.core.orders.approve(test.operator, without.order.number ?? '')),
      'order.approvalNotOpen',
    );
  });

  it('OV with an organization that is vetted later goes on by itself; a refused one rejects the order', async (t) => {
    const test = await createTestCore(t);
    const { ctx, number: account } = await test.account('one');
    for (const decision of ['validated', 'rejected'] as const) {
      const organization = must(
        await test.core.accounts.createOrganization(test.operator, account, {
          name: `Northwind ${decision}`,
          street1: '',
          street2: '',
          locality: 'Portland',
          stateName: 'Maine',
          stateCode: 'ME',
          postalCode: '',
          countryCode: 'US',
          registrationNumber: '',
          jurisdictionCountry: '',
          businessCategory: '',
        }),
      );
      const domain = `${decision}.northwind.example`;
      const view = must(
        await test.core.orders.create(
          ctx,
          sslRequest(domain, {
            variant: 'ov',
            organization: { number: organization.number },
            csr: await csrFor(domain),
            agreement,
          }),
        ),
      );
      assert.equal(view.phase, 'organization');
      must(
        await test.core.accounts.vet(test.operator, organization.number, {
          decision,
          vettedFor: ['ov'],
          preVettingToken: false,
          reason: 'x',
        }),
      );
      const after = must(await test.core.orders.get(ctx, 'ssl', view.order.number ?? ''));
      assert.equal(after.phase, decision === 'validated' ? 'dcv' : 'rejected');
    }
  });

  it('OV stops when the organization is refused while the order waits for something else', async (t) => {
    const test = await createTestCore(t);
    const { ctx, number } = await test.account('one');
    const organization = await vettedOrganization(test, number);
    const view = must(
      await test.core.orders.create(
        ctx,
        sslRequest('late.northwind.example', {
          variant: 'ov',
          organization: { number: organization.number, preVettingToken: organization.token },
          csr: await csrFor('late.northwind.example'),
          agreement,
        }),
      ),
    );
    assert.equal(view.phase, 'dcv');
    must(
      await test.core.accounts.vet(test.operator, organization.number, {
        decision: 'rejected',
        vettedFor: [],
        preVettingToken: false,
        reason: 'the register entry was forged',
      }),
    );
    await proveDomain(test, ctx, view, 'late.northwind.example');
    const after = must(await test.core.orders.get(ctx, 'ssl', view.order.number ?? ''));
    assert.equal(after.phase, 'rejected');
    assert.equal(after.certificate, null);
  });

  it('OV needs an organization of the account', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const other = await test.account('two');
    const foreign = await vettedOrganization(test, other.number);
    assert.equal(
      refusal(await test.core.orders.create(ctx, sslRequest('a.example', { variant: 'ov' }))),
      'order.organizationMissing',
    );
    assert.equal(
      refusal(
        await test.core.orders.create(
          ctx,
          sslRequest('a.example', {
            variant: 'ov',
            organization: { number: foreign.number, preVettingToken: foreign.token },
          }),
        ),
      ),
      'order.organizationUnknown',
    );
  });

  it('CAA that forbids refuses the order, and later the issuance, and changes nothing', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    test.network.resolver.caa('closed.example', ['issue ca.other.example']);
    assert.equal(refusal(await test.core.orders.create(ctx, sslRequest('shop.closed.example'))), 'caa.forbids');

    const domain = 'shop.later.example';
    const view = must(await test.core.orders.create(ctx, sslRequest(domain, { csr: await csrFor(domain) })));
    await proveDomain(test, ctx, view, domain);
    test.network.resolver.caa('later.example', ['issue ca.other.example']);
    test.clock.time += 9 * 3_600_000;
    const number = view.order.number ?? '';
    const before = must(await test.core.orders.get(ctx, 'ssl', number));
    assert.equal(refusal(await test.core.orders.acceptAgreement(ctx, 'ssl', number, agreement)), 'caa.forbids');
    const after = must(await test.core.orders.get(ctx, 'ssl', number));
    assert.equal(after.phase, 'agreement');
    assert.equal(after.order.version, before.order.version);
    test.network.resolver.caa('later.example', ['issue ca.test']);
    test.clock.time += 9 * 3_600_000;
    assert.equal(must(await test.core.orders.acceptAgreement(ctx, 'ssl', number, agreement)).phase, 'issued');
  });

  it('CAA that forbids a later step leaves an entry for the auditor', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const csr = await csrFor('caa-late.example');
    const view = must(await test.core.orders.create(ctx, sslRequest('caa-late.example', { csr })));
    await proveDomain(test, ctx, view, 'caa-late.example');
    test.network.resolver.caa('caa-late.example', ['issue other-ca.example']);
    test.clock.time += 86_400_000;
    const number = view.order.number ?? '';
    assert.equal(refusal(await test.core.orders.acceptAgreement(ctx, 'ssl', number, agreement)), 'caa.forbids');
    const page = await test.store.audit.search({ accountId: null, objectId: number }, { limit: 50 });
    const entry = page.rows.find((one) => one.activity === 'order.refused');
    assert.equal(entry?.outcome, 'denied');
    assert.equal(entry?.details.error, 'caa.forbids');
  });

  it('a domain verified between the reading of its row and the commit of the order is not missed', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const first = must(await test.core.orders.create(ctx, sslRequest('race.example')));
    // the second order has read the row and asks for CAA while the first one's verification is committed
    test.clock.time += 86_400_000;
    const { asked } = must(
      await test.core.domains.orderChallenges(ctx, first.order.number ?? '', 'race.example', 'dns-txt'),
    );
    const gate = Promise.withResolvers<void>();
    const before = test.network.resolver.asked.length;
    test.network.resolver.gate = gate.promise;
    const creating = test.core.orders.create(
      ctx,
      sslRequest('race.example', { csr: await csrFor('race.example'), agreement }),
    );
    while (test.network.resolver.asked.length === before) await new Promise(setImmediate);
    test.network.resolver.gate = Promise.resolve();
    test.network.resolver.txt(asked.recordName ?? '', asked.challenge?.token ?? '');
    must(
      await test.core.domains.verifyForOrder(ctx, first.order.number ?? '', {
        domain: 'race.example',
        method: 'dns-txt',
      }),
    );
    gate.resolve();
    const second = must(await creating);
    const now = must(await test.core.orders.get(ctx, 'ssl', second.order.number ?? ''));
    assert.equal(now.phase, 'issued');
  });

  it('a name that very many orders wait for: the asking order goes on at once, the others follow', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const csr = await csrFor('busy.example');
    const views = await Promise.all(
      Array.from({ length: 60 }, () => test.core.orders.create(ctx, sslRequest('busy.example', { csr, agreement }))),
    );
    const numbers = views.map((view) => must(view).order.number ?? '');
    const last = must(views.at(-1) ?? assert.fail());
    await proveDomain(test, ctx, last, 'busy.example');
    const phases = async () =>
      Promise.all(numbers.map(async (number) => must(await test.core.orders.get(ctx, 'ssl', number)).phase));
    const early = await phases();
    assert.equal(early.at(-1), 'issued');
    assert.ok(early.includes('dcv'), 'the request does not wait for all of them');
    test.clock.time += 60_000;
    await test.core.jobs.runDue();
    assert.deepEqual(new Set(await phases()), new Set(['issued']));
  });

  it('takes no unvalidated name: the names are those of the order, not of the CSR', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const domain = 'shop.northwind.example';
    const view = must(
      await test.core.orders.create(
        ctx,
        sslRequest(domain, { additionalDomains: ['more.northwind.example'], csr: await csrFor(domain), agreement }),
      ),
    );
    await proveDomain(test, ctx, view, domain);
    const half = must(await test.core.orders.get(ctx, 'ssl', view.order.number ?? ''));
    assert.equal(half.phase, 'dcv', 'one of two names is not enough');
    await proveDomain(test, ctx, view, 'more.northwind.example');
    const issued = must(await test.core.orders.get(ctx, 'ssl', view.order.number ?? ''));
    assert.equal(issued.phase, 'issued');
  });
});

describe('drafts', () => {
  it('are promoted once, discarded once, and keep their request number', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const draft = must(await test.core.orders.create(ctx, sslRequest('draft.example', { saveAsDraft: true })));
    assert.equal(draft.phase, 'draft');
    assert.equal(draft.order.number, null);
    const { requestNumber } = draft.order;
    const promoted = must(
      await test.core.orders.create(ctx, sslRequest('final.example', { requestId: requestNumber })),
    );
    assert.equal(promoted.order.requestNumber, requestNumber);
    assert.equal(promoted.order.label, 'final.example');
    assert.equal(promoted.phase, 'dcv');
    assert.equal(
      refusal(await test.core.orders.create(ctx, sslRequest('final.example', { requestId: requestNumber }))),
      'order.wrongState',
    );
    assert.equal(refusal(await test.core.orders.cancelDraft(ctx, 'ssl', requestNumber)), 'order.wrongState');

    const second = must(await test.core.orders.create(ctx, sslRequest('draft.example', { saveAsDraft: true })));
    must(await test.core.orders.cancelDraft(ctx, 'ssl', second.order.requestNumber));
    assert.equal(
      refusal(await test.core.orders.cancelDraft(ctx, 'ssl', second.order.requestNumber)),
      'order.wrongState',
    );
    assert.equal(refusal(await test.core.orders.cancelDraft(ctx, 'ssl', '1')), 'notFound');
  });

  it('are saved again under their request number before they are promoted', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const draft = must(await test.core.orders.create(ctx, sslRequest('draft.example', { saveAsDraft: true })));
    const requestId = draft.order.requestNumber;
    for (const years of [2, 3]) {
      must(
        await test.core.orders.create(
          ctx,
          sslRequest('draft.example', {
            saveAsDraft: true,
            requestId,
            subscription: { years, autoRenew: false, renewBeforeDays: 30 },
          }),
        ),
      );
    }
    const promoted = must(await test.core.orders.create(ctx, sslRequest('final.example', { requestId })));
    assert.equal(promoted.order.requestNumber, requestId);
    const view = must(await test.core.orders.get(ctx, 'ssl', promoted.order.number ?? ''));
    assert.equal(view.subscription.years, 1);
  });

  it('a request id that is no draft is the caller’s own value', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const view = must(await test.core.orders.create(ctx, sslRequest('a.example', { requestId: 'ticket-17' })));
    assert.equal(view.order.details.correlation, 'ticket-17');
    assert.notEqual(view.order.requestNumber, 'ticket-17');
  });
});

describe('whose order it is', () => {
  it('another account, another family and a read-only user get nothing', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const other = await test.account('two');
    const view = must(await test.core.orders.create(ctx, privateRequest('wiki.internal')));
    const number = view.order.number ?? '';
    const auditor: CallContext = { ...ctx, caller: { ...ctx.caller, role: 'auditor' } };
    const otherGroup: CallContext = { ...ctx, caller: { ...ctx.caller, groupId: view.order.groupId + 1 } };
    const csr = await csrFor('wiki.internal');
    const calls: Record<string, (who: CallContext) => Outcome<unknown>> = {
      get: (who) => test.core.orders.get(who, 'private-pki', number),
      csr: (who) => test.core.orders.submitCsr(who, 'private-pki', number, { csr, attested: false }),
      cancel: (who) => test.core.orders.cancel(who, 'private-pki', number, 'x'),
      reject: (who) => test.core.orders.reject(who, 'private-pki', number, 'x'),
      revoke: (who) => test.core.orders.revoke(who, 'private-pki', number, { reason: 'superseded', note: '' }),
      download: (who) => test.core.orders.download(who, 'private-pki', number),
    };
    for (const [name, call] of Object.entries(calls)) {
      assert.equal(refusal(await call(other.ctx)), 'notFound', name);
      assert.equal(refusal(await call(otherGroup)), 'notFound', name);
      if (name !== 'get' && name !== 'download') assert.equal(refusal(await call(auditor)), 'permission.denied', name);
    }
    assert.equal(refusal(await test.core.orders.get(ctx, 'ssl', number)), 'notFound');
    assert.equal(must(await test.core.orders.get(auditor, 'private-pki', number)).phase, 'csr');
  });
});

describe('many at once', () => {
  it('the same last step by many callers issues one certificate', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const domain = 'shop.northwind.example';
    const view = must(await test.core.orders.create(ctx, sslRequest(domain, { csr: await csrFor(domain) })));
    await proveDomain(test, ctx, view, domain);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        test.core.orders.acceptAgreement(ctx, 'ssl', view.order.number ?? '', agreement),
      ),
    );
    assert.equal(outcomes.filter((one) => one.ok).length, 1);
    for (const one of outcomes) if (!one.ok) assert.equal(one.error.code, 'order.wrongState');
    assert.equal(
      (
        await test.core.certificates.search(
          test.operator,
          { accountId: ctx.caller.accountId, now: test.clock.now() },
          { limit: 10 },
        )
      ).ok,
      true,
    );
    const found = must(
      await test.core.certificates.search(
        test.operator,
        { accountId: ctx.caller.accountId, now: test.clock.now() },
        { limit: 10 },
      ),
    );
    assert.equal(found.rows.length, 1);
  });

  it('revoking and downloading at once ends revoked', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const view = must(
      await test.core.orders.create(ctx, privateRequest('wiki.internal', { csr: await csrFor('wiki.internal') })),
    );
    const number = view.order.number ?? '';
    await Promise.all([
      test.core.orders.download(ctx, 'private-pki', number),
      test.core.orders.revoke(ctx, 'private-pki', number, { reason: 'keyCompromise', note: 'lost' }),
      test.core.orders.download(ctx, 'private-pki', number),
    ]);
    const after = must(await test.core.orders.get(ctx, 'private-pki', number));
    assert.equal(after.phase, 'revoked');
    assert.equal(after.certificate?.revocationReason, 'keyCompromise');
    assert.equal(
      refusal(await test.core.orders.revoke(ctx, 'private-pki', number, { reason: 'superseded', note: '' })),
      'order.wrongState',
    );
  });

  it('SSL refuses reasons that are not for subscribers', async (t) => {
    const test = await createTestCore(t);
    const { ctx } = await test.account('one');
    const domain = 'shop.northwind.example';
    const view = must(await test.core.orders.create(ctx, sslRequest(domain, { csr: await csrFor(domain), agreement })));
    await proveDomain(test, ctx, view, domain);
    const number = view.order.number ?? '';
    for (const reason of ['cACompromise', 'certificateHold', 'aACompromise'] as const) {
      assert.equal(
        refusal(await test.core.orders.revoke(ctx, 'ssl', number, { reason, note: '' })),
        'revocation.reasonRefused',
      );
    }
    assert.equal(
      must(await test.core.orders.revoke(ctx, 'ssl', number, { reason: 'unspecified', note: '' })).phase,
      'revoked',
    );
  });
});
