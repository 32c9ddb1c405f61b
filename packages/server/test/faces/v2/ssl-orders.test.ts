import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type ApiRig, operator, type Reply, startApi } from '../../support/api-v2.ts';
import { agreement, csrFor, dvOrder, requestor } from '../../support/requests.ts';

const DAY_MS = 86_400_000;

describe('SSL/TLS orders', () => {
  let api: ApiRig;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());

  const place = (body: unknown, headers: Record<string, string> = {}) =>
    api.call('POST', '/ssl-certificates', { body, headers });
  const path = (reply: Reply) => `/ssl-certificates/${reply.json.orderId}`;
  const status = async (reply: Reply): Promise<string> => (await api.call('GET', path(reply))).json.status;

  /** Publishes what the order wants for a name and has it checked. */
  async function prove(order: Reply, domain: string, method = 'dns-txt'): Promise<Reply> {
    const dcv = await api.call('GET', `${path(order)}/dcv?domain=${encodeURIComponent(domain)}&method=${method}`);
    assert.equal(dcv.status, 200, dcv.text);
    if (method === 'http-url') api.files.set(dcv.json.host, dcv.json.fileToken);
    else api.txt.set(dcv.json.dnsHost, [dcv.json.txtToken]);
    return api.call('POST', `${path(order)}/dcv/verify`, { body: { domain, method } });
  }

  async function issued(domain: string, more: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    const order = await place(dvOrder(domain, { csr: await csrFor(domain), agreement, ...more }));
    assert.equal(order.status, 201, order.text);
    await prove(order, domain);
    assert.equal(await status(order), 'issued');
    return order;
  }

  it('goes from order to certificate step by step, and says where it stands', async () => {
    const order = await place(dvOrder('step.example.com', { tags: ['team:web'], remarks: 'Storefront' }));
    assert.equal(order.status, 201);
    assert.equal(order.headers.location, `/api/certinext/v2${path(order)}`);
    assert.equal(order.json.resolvedProductCode, '842');
    assert.equal(order.json.additionalDomains, undefined);
    assert.equal(await status(order), 'pending-dcv');

    const early = await api.call('POST', `${path(order)}/agreement`, { body: { agreement } });
    assert.equal(early.json.code, 'EMS-1165');
    const notYet = await api.call('GET', `${path(order)}/certificate`);
    assert.equal(notYet.status, 422);
    assert.equal(notYet.json.type, 'https://api.certinext.io/errors/order-not-issued');
    assert.equal(notYet.headers['retry-after'], '30');

    await api.call('GET', `${path(order)}/dcv`);
    const missing = await api.call('POST', `${path(order)}/dcv/verify`, {
      body: { domain: 'step.example.com', method: 'DNS_TXT' },
    });
    assert.equal(missing.json.code, 'EMS-1160');
    assert.equal(missing.json.diagnostics.failureClass, 'RECORD_MISSING');
    assert.equal(missing.json.diagnostics.domainName, 'step.example.com');
    assert.equal(missing.json.diagnostics.nextSteps[0].key, 'dcv.nextStep.txt.recordMissing');
    assert.match(missing.json.diagnostics.nextSteps[0].params.recordValue, /^emudhra-dcv-[0-9a-f]{32}$/);

    api.txt.set('_emudhra-challenge.step.example.com', ['emudhra-dcv-00000000000000000000000000000000']);
    const wrong = await api.call('POST', `${path(order)}/dcv/verify`, {
      body: { domain: 'step.example.com', method: 'dns-txt' },
    });
    assert.equal(wrong.json.code, 'EMS-1161');

    const verified = await prove(order, 'step.example.com');
    assert.equal(verified.status, 200);
    assert.equal(verified.json.overallStatus, 'VERIFIED');
    assert.equal(verified.json.diagnostics.consensus.totalPerspectivesQueried, 1);
    assert.equal(verified.json.diagnostics.consensus.agreed, true);
    assert.equal(await status(order), 'pending-csr');
    assert.equal((await api.call('GET', `${path(order)}/dcv`)).json.code, 'EMS-1080');

    const csr = await api.call('PUT', `${path(order)}/csr`, {
      body: { csr: await csrFor('STEP.example.com'), attested: false },
    });
    assert.equal(csr.status, 204);
    assert.equal(csr.text, '');
    assert.equal(await status(order), 'pending-agreement');
    assert.equal((await api.call('PUT', `${path(order)}/csr`, { body: { csr: 'x' } })).json.code, 'EMS-1165');

    const accepted = await api.call('POST', `${path(order)}/agreement`, {
      body: { agreement: { ...agreement, signerIp: '203.0.113.9' } },
    });
    assert.equal(accepted.status, 204);
    const track = await api.call('GET', path(order));
    assert.equal(track.json.status, 'issued');
    assert.equal(track.json.certificateState, 'Certificate Generated');
    assert.deepEqual(track.json.tags, ['team:web']);
    assert.equal(track.json.subscriberAgreement.signedPlace, 'Portland');
    assert.equal(track.json.verifications.domain.domains[0].dcvStatus, 'VERIFIED');
    assert.ok(track.json.expiresAt > track.json.issuedAt);

    await api.call('GET', `${path(order)}/certificate`);
    assert.equal((await api.call('GET', path(order))).json.certificateState, 'Certificate Downloaded');
    assert.equal((await api.call('POST', `${path(order)}/cancel`, { body: { reason: 'late' } })).json.code, 'EMS-1165');
  });

  it('serves the certificate in every format', async () => {
    const order = await issued('formats.example.com');
    const get = (query: string, accept?: string) =>
      api.call('GET', `${path(order)}/certificate${query}`, accept === undefined ? {} : { headers: { accept } });
    const json = await get('');
    assert.equal(json.headers['content-type'], 'application/json;charset=UTF-8');
    const leaf = new X509Certificate(json.json.certificatePem);
    assert.equal(json.json.serialNumber, leaf.serialNumber);
    assert.match(json.json.serialNumber, /^[0-9A-F]+$/);
    assert.equal(json.json.subject, 'CN=formats.example.com');
    assert.equal(Date.parse(json.json.notAfter), leaf.validToDate.getTime());
    const chain = json.json.chainPem.map((pem: string) => new X509Certificate(pem));
    assert.equal(chain.length, 2);
    assert.ok(leaf.checkIssued(chain[0]) && leaf.verify(chain[0].publicKey));
    assert.ok(chain[0].checkIssued(chain[1]) && chain[1].checkIssued(chain[1]));

    for (const reply of [
      await get('?format=der'),
      await get('?format=pkcs7'),
      await get('', 'application/pkix-cert'),
    ]) {
      assert.equal(reply.headers['content-type'], 'application/pkix-cert');
      assert.deepEqual(reply.bytes, leaf.raw);
    }
    for (const reply of [await get('?format=pem', 'application/json'), await get('', 'application/x-pem-file')]) {
      assert.equal(reply.headers['content-type'], 'application/x-pem-file');
      assert.equal(reply.text, json.json.certificatePem + json.json.chainPem[0]);
    }
    assert.equal((await get('?format=json', 'text/plain')).status, 200);
    for (const accept of ['application/pkcs7-mime', 'application/x-pkcs7-certificates', 'text/plain']) {
      assert.equal((await get('', accept)).status, 406);
    }
    assert.equal((await get('?format=p12')).status, 400);
    assert.equal((await api.call('HEAD', `${path(order)}/certificate`, { unchecked: true })).status, 200);
  });

  it('shows all proofs of a domain at once, each domain that waits, and the method asked for', async () => {
    const order = await place(
      dvOrder('many.example.org', {
        certificate: { domain: 'many.example.org', additionalDomains: ['other.example.net'], autoSecureWww: true },
      }),
    );
    assert.equal(order.json.resolvedProductCode, '844');
    assert.deepEqual(order.json.additionalDomains, ['other.example.net']);
    const dcv = await api.call('GET', `${path(order)}/dcv`);
    assert.equal(dcv.json.domain, 'many.example.org');
    assert.equal(dcv.json.token, dcv.json.txtToken);
    assert.equal(dcv.json.tokenExpiryDate, dcv.json.tokenExpiry.replace('T', ' ').replace('Z', ''));
    assert.deepEqual(Object.keys(dcv.json.methods).sort(), ['dns-txt', 'http-url']);
    assert.deepEqual(dcv.json.challenges.map((one: { domain: string }) => one.domain).sort(), [
      'many.example.org',
      'other.example.net',
      'www.many.example.org',
    ]);

    const http = await api.call('GET', `${path(order)}/dcv?domain=OTHER.example.net&method=HTTP_URL`);
    assert.equal(http.json.method, 'http-url');
    assert.equal(http.json.token, http.json.fileToken);
    assert.equal(http.json.host, `http://other.example.net/.well-known/pki-validation/${http.json.fileName}`);
    assert.equal(http.json.challenges.length, 1);
    assert.equal((await prove(order, 'other.example.net', 'http-url')).json.method, 'http-url');

    const again = await api.call('POST', `${path(order)}/dcv/verify`, {
      body: { domain: 'other.example.net', method: 'http-url' },
    });
    assert.equal(again.json.code, 'EMS-1080');
    assert.equal(await status(order), 'pending-dcv');
    await prove(order, 'many.example.org');
    assert.equal(await status(order), 'pending-csr', 'a name below a verified one is covered');
  });

  it('refuses challenges that make no sense', async () => {
    const order = await place(dvOrder('sense.example.com'));
    const get = (query: string) => api.call('GET', `${path(order)}/dcv?${query}`);
    assert.equal((await get('method=telepathy')).status, 400);
    assert.equal((await get('method=dns-persist')).json.code, 'EMS-1158');
    assert.equal((await get('domain=elsewhere.example.com')).json.code, 'domain-not-on-order');
    const verify = (body: unknown) => api.call('POST', `${path(order)}/dcv/verify`, { body });
    assert.equal((await verify({ method: 'dns-txt' })).json.code, 'EMS-1157');
    assert.equal((await verify({ domain: '', method: 'dns-txt' })).json.code, 'EMS-1157');
    assert.equal((await verify({ domain: 'sense.example.com', method: '' })).json.code, 'EMS-1158');
    assert.equal((await verify({ domain: 'sense.example.com', method: 'telepathy' })).status, 400);
    const wildcard = await place(dvOrder('*.wild.example.com', { certificate: { domain: '*.wild.example.com' } }));
    assert.equal(wildcard.json.resolvedProductCode, '843');
    const byHttp = await api.call('GET', `${path(wildcard)}/dcv?method=http-url`);
    assert.equal(byHttp.json.code, 'EMS-1158');
    assert.equal((await prove(wildcard, '*.wild.example.com')).status, 200);
  });

  it('refuses an expired token and hands out a new one', async () => {
    const order = await place(dvOrder('late.example.com'));
    const first = await api.call('GET', `${path(order)}/dcv`);
    api.txt.set(first.json.dnsHost, [first.json.txtToken]);
    api.advance(3 * DAY_MS);
    const stale = await api.call('POST', `${path(order)}/dcv/verify`, {
      body: { domain: 'late.example.com', method: 'dns-txt' },
    });
    assert.equal(stale.json.code, 'EMS-1161');
    assert.equal(stale.json.diagnostics.tokenIsStale, true);
    const second = await api.call('GET', `${path(order)}/dcv`);
    assert.notEqual(second.json.txtToken, first.json.txtToken);
  });

  it('takes proof by mail: the page behind the link', async () => {
    const order = await place(dvOrder('mail.example.com'));
    const dcv = await api.call('GET', `${path(order)}/dcv?method=email`);
    assert.equal(dcv.json.token, '');
    assert.ok(dcv.json.emailAddresses.includes('hostmaster@mail.example.com'));
    await api.core.jobs.runDue();
    const mail = api.mails.find(({ to }) => to === 'hostmaster@mail.example.com');
    assert.ok(mail !== undefined);
    const link = new URL(/https:\/\/\S+/.exec(mail.text)?.[0] ?? '');
    assert.match(link.pathname, /^\/validation\/mail\/[\w-]+$/);

    const waiting = await api.call('POST', `${path(order)}/dcv/verify`, {
      body: { domain: 'mail.example.com', method: 'email' },
    });
    assert.equal(waiting.json.overallStatus, 'PENDING');

    const page = await api.app.inject({ method: 'GET', url: link.pathname });
    assert.equal(page.statusCode, 200);
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'/);
    assert.equal(page.headers['referrer-policy'], 'no-referrer');
    assert.match(page.body, /<button type="submit">/);
    assert.match(page.body, /mail\.example\.com/);
    assert.equal(await status(order), 'pending-dcv', 'looking changes nothing');

    const pressed = await api.app.inject({
      method: 'POST',
      url: link.pathname,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: '',
    });
    assert.equal(pressed.statusCode, 200);
    assert.match(pressed.body, /Confirmed/);
    assert.equal(await status(order), 'pending-csr');
    assert.equal((await api.app.inject({ method: 'GET', url: link.pathname })).statusCode, 200);
    for (const url of ['/validation/mail/x', `/validation/mail/${'A'.repeat(24)}`, '/validation/mail/%3Cscript%3E']) {
      assert.equal((await api.app.inject({ method: 'GET', url })).statusCode, 404);
      assert.equal((await api.app.inject({ method: 'POST', url })).statusCode, 404);
    }
    const put = await api.app.inject({ method: 'PUT', url: link.pathname });
    assert.equal(put.statusCode, 405);
    assert.equal(put.headers.allow, 'GET, HEAD, POST');
  });

  it('refuses orders with the codes of section 3.3', async () => {
    const csr = await csrFor('codes.example.com');
    const name = { domain: 'codes.example.com', autoSecureWww: false };
    const cases: readonly (readonly [string, unknown, Record<string, string>, string])[] = [
      ['unknown product', dvOrder('codes.example.com'), { 'x-product-code': '9999' }, 'EMS-915'],
      ['product of another shape', dvOrder('codes.example.com'), { 'x-product-code': '843' }, 'EMS-915'],
      ['product of another level', dvOrder('codes.example.com'), { 'x-product-code': '846' }, 'EMS-915'],
      ['long variant, other shape', dvOrder('codes.example.com', { productVariant: 'dv-wildcard' }), {}, 'EMS-915'],
      ['UCC without names', dvOrder('codes.example.com', { productVariant: 'dv-ucc' }), {}, 'EMS-917'],
      [
        'EV wildcard',
        dvOrder('*.codes.example.com', { productVariant: 'ev', certificate: { domain: '*.codes.example.com' } }),
        {},
        'EMS-917',
      ],
      [
        'wildcard with www',
        dvOrder('x', { certificate: { domain: '*.codes.example.com', autoSecureWww: true } }),
        {},
        'EMS-917',
      ],
      ['OV without organization', dvOrder('codes.example.com', { productVariant: 'ov' }), {}, 'EMS-1180'],
      [
        'OV with a blank number',
        dvOrder('codes.example.com', { productVariant: 'ov', organization: { organizationNumber: '' } }),
        {},
        'EMS-1180',
      ],
      [
        'unknown organization',
        dvOrder('codes.example.com', { productVariant: 'ov', organization: { organizationNumber: '1' } }),
        {},
        'EMS-1180',
      ],
      [
        'agreement refused',
        dvOrder('codes.example.com', { agreement: { ...agreement, accepted: false } }),
        {},
        'EMS-920',
      ],
      [
        'agreement without place',
        dvOrder('codes.example.com', { agreement: { ...agreement, signerPlace: ' ' } }),
        {},
        'EMS-920',
      ],
      ['no CSR at all', dvOrder('codes.example.com', { csr: 'nonsense' }), {}, 'EMS-921'],
      [
        'key that is not certified',
        dvOrder('codes.example.com', { csr: await csrFor('codes.example.com', 'ec-p521') }),
        {},
        'EMS-921',
      ],
      ['CSR of another name', dvOrder('other.example.com', { csr }), {}, 'EMS-922'],
      ['public suffix', dvOrder('co.uk'), {}, 'EMS-DOMAIN-003'],
      ['no host name', dvOrder('under_score..example'), {}, 'EMS-DOMAIN-003'],
      ['term', dvOrder('codes.example.com', { subscription: { renewBeforeDays: 9_999 } }), {}, 'EMS-919'],
    ];
    for (const [what, body, headers, code] of cases) {
      const reply = await place(body, headers);
      assert.equal(reply.json.code, code, `${what}: ${reply.text}`);
      assert.equal(reply.status, 422);
    }
    for (const body of [
      {},
      { ...dvOrder('a.example.com'), productVariant: 'xv' },
      { ...dvOrder('a.example.com'), requestor: { name: '', email: 'a@example.com' } },
      dvOrder('a.example.com', { subscription: { validityYears: 4 } }),
      dvOrder('a.example.com', {
        certificate: {
          ...name,
          additionalDomains: Array.from({ length: 1_000 }, (_, index) => `n${index}.example.com`),
        },
      }),
      dvOrder('a.example.com', { emailNotifications: 'sometimes' }),
    ]) {
      assert.equal((await place(body)).status, 400, JSON.stringify(body).slice(0, 120));
    }
  });

  it('asks CAA at order time', async () => {
    api.caa.set('forbidden.example.com', ['other-ca.example']);
    const reply = await place(dvOrder('forbidden.example.com'));
    assert.equal(reply.json.code, 'EMS-DOMAIN-001');
    api.caa.set('allowed.example.com', ['other-ca.example', 'ca.test']);
    assert.equal((await place(dvOrder('below.allowed.example.com'))).status, 201);
  });

  it('takes what older and stranger clients send', async () => {
    const reply = await place({
      ...dvOrder('client.example.com'),
      emailNotifications: ['a@example.com'],
      signerIp: '203.0.113.1',
      requestId: 'my-own-reference',
      recipientEmails: [''],
      remarks: '',
      requestor: { ...requestor, phone: '', designation: '' },
      delegation: { name: '', email: '' },
      certificate: { domain: 'client.example.com', additionalDomains: [''], autoSecureWww: false },
    });
    assert.equal(reply.status, 201, reply.text);
    assert.notEqual(reply.json.requestId, 'my-own-reference');
    const off = await place(dvOrder('client.example.com', { emailNotifications: '0' }));
    assert.equal(off.status, 201);
  });

  it('saves, promotes and discards drafts', async () => {
    const draft = await place(dvOrder('draft.example.com', { saveAsDraft: true }));
    assert.equal(draft.status, 201);
    assert.equal(draft.json.orderId, undefined);
    assert.equal(draft.json.draft, true);
    assert.equal(draft.json.status, 'pending-dcv');
    assert.equal(draft.headers.location, undefined);
    const { requestId } = draft.json;
    const order = await place(dvOrder('draft.example.com', { requestId, saveAsDraft: false }));
    assert.equal(order.json.requestId, requestId);
    assert.ok(order.json.orderId);
    const discard = (id: string) =>
      api.call('POST', `/ssl-certificates/requests/${id}/cancel`, { body: { reason: 'x' } });
    assert.equal((await discard(requestId)).json.code, 'EMS-1165');
    const other = await place(dvOrder('draft.example.com', { saveAsDraft: true }));
    assert.equal(
      (await api.call('POST', `/private-pki-certificates/requests/${other.json.requestId}/cancel`)).status,
      404,
    );
    assert.equal((await discard(other.json.requestId)).status, 204);
    assert.equal((await discard(other.json.requestId)).json.code, 'EMS-1165');
    assert.equal((await discard('1234567890')).status, 404);
  });

  it('cancels and rejects, with or without a body', async () => {
    const cancel = async (options: Parameters<ApiRig['call']>[2], word = 'cancel') => {
      const order = await place(dvOrder('cancel.example.com'));
      const reply = await api.call('POST', `${path(order)}/${word}`, options);
      return { reply, state: await status(order) };
    };
    assert.equal((await cancel({ body: { reason: 'Project stopped' } })).state, 'cancelled');
    assert.equal((await cancel({ headers: { 'content-type': 'application/json' }, payload: '' })).state, 'cancelled');
    assert.equal((await cancel({})).reply.status, 204);
    assert.equal((await cancel({ body: {} })).reply.status, 204);
    const blank = await cancel({ body: { reason: ' ' } });
    assert.equal(blank.reply.json.code, 'EMS-984');
    assert.equal(blank.state, 'pending-dcv');
    assert.equal((await cancel({ body: { reason: 'no' } }, 'reject')).state, 'rejected');
    assert.equal((await cancel({ body: { reason: '' } }, 'reject')).reply.json.code, 'EMS-964');
  });

  it('revokes with every spelling of a reason', async () => {
    const revoke = (order: Reply, body?: unknown) =>
      api.call('POST', `${path(order)}/revoke`, body === undefined ? {} : { body });
    const order = await issued('revoke.example.com');
    for (const reason of ['ca-compromise', 'certificateHold', 'aa-compromise']) {
      const refused = await revoke(order, { reason });
      assert.equal(refused.json.code, 'EMS-969', reason);
      assert.match(refused.json.detail, /^\[EMS-969\] Invalid Revoke Reason ID/);
    }
    assert.equal((await revoke(order, { reason: 'boredom' })).status, 400);
    assert.equal((await revoke(order, { reason: 'keyCompromise', note: 'Lost; found.' })).status, 204);
    const track = await api.call('GET', path(order));
    assert.equal(track.json.status, 'revoked');
    assert.equal(track.json.revocation.reason, 'key-compromise');
    assert.equal((await revoke(order)).json.code, 'EMS-1165');
    assert.equal((await api.call('GET', `${path(order)}/certificate`)).status, 200, 'served until retention ends');
    assert.equal((await revoke(await issued('revoke2.example.com'))).status, 204);
  });

  it('gives the resource in place of 204 to those who prefer it', async () => {
    const headers = { prefer: 'respond-async, return=representation' };
    const order = await place(dvOrder('prefer.example.com'));
    const csr = await csrFor('prefer.example.com');
    const submitted = await api.call('PUT', `${path(order)}/csr`, { headers, body: { csr } });
    assert.equal(submitted.status, 200);
    assert.equal(submitted.headers['preference-applied'], 'return=representation');
    assert.equal(submitted.json.csrSubmitted, true);
    const cancelled = await api.call('POST', `${path(order)}/cancel`, { headers });
    assert.equal(cancelled.json.status, 'cancelled');
    const certificate = await issued('prefer2.example.com');
    const revoked = await api.call('POST', `${path(certificate)}/revoke`, { headers, body: { reason: 'superseded' } });
    assert.equal(revoked.json.reason, 'superseded');
  });

  it('says expired when the certificate is, and reuses the proof no longer', async () => {
    const order = await issued('expire.example.com');
    api.advance(201 * DAY_MS);
    const { token } = api.account;
    const track = await api.call('GET', path(order), { token });
    assert.equal(track.json.status, 'expired');
    assert.equal(track.json.certificateState, 'Certificate Expired');
    assert.equal((await api.call('POST', `${path(order)}/revoke`)).json.code, 'EMS-1165');
    assert.equal((await place(dvOrder('expire.example.com'))).json.status, 'pending-dcv');
  });

  it('is 404 for another family, another account and nobody', async () => {
    const order = await place(dvOrder('tenant.example.com'));
    const stranger = await api.newAccount();
    const { orderId } = order.json;
    assert.equal((await api.call('GET', `/private-pki-certificates/${orderId}`)).status, 404);
    for (const [method, suffix, body] of [
      ['GET', '', undefined],
      ['GET', '/dcv', undefined],
      ['POST', '/dcv/verify', { domain: 'tenant.example.com', method: 'dns-txt' }],
      ['PUT', '/csr', { csr: 'x' }],
      ['POST', '/agreement', { agreement }],
      ['GET', '/certificate', undefined],
      ['POST', '/cancel', {}],
      ['POST', '/reject', {}],
      ['POST', '/revoke', {}],
    ] as const) {
      const reply = await api.call(method, `/ssl-certificates/${orderId}${suffix}`, { token: stranger.token, body });
      assert.equal(reply.status, 404, `${method} ${suffix}`);
    }
    assert.equal(await status(order), 'pending-dcv');
  });

  it('issues OV orders of a vetted organization, by token or by approval', async () => {
    const made = await api.core.accounts.createOrganization(operator, api.account.number, {
      name: 'Example Trading Ltd',
      street1: '1 High Street',
      street2: '',
      locality: 'Portland',
      stateName: 'Maine',
      stateCode: 'ME',
      postalCode: '04101',
      countryCode: 'US',
      registrationNumber: '12345',
      jurisdictionCountry: 'US',
      businessCategory: 'Private Organization',
    });
    assert.ok(made.ok);
    const { number } = made.value;
    const ov = async (domain: string, organization: object) =>
      place(dvOrder(domain, { productVariant: 'ov', organization, csr: await csrFor(domain), agreement }));
    const waiting = await ov('ov.example.com', { organizationNumber: number });
    assert.equal(waiting.json.status, 'pending-organization-verification');
    const vetted = await api.core.accounts.vet(operator, number, {
      decision: 'validated',
      vettedFor: ['ov', 'ev'],
      preVettingToken: true,
      reason: '',
    });
    assert.ok(vetted.ok && vetted.value.preVettingToken !== null);
    await prove(waiting, 'ov.example.com');
    assert.equal(await status(waiting), 'pending-approval');
    assert.ok((await api.core.orders.approve(operator, waiting.json.orderId)).ok);
    const track = await api.call('GET', path(waiting));
    assert.equal(track.json.status, 'issued');
    assert.equal(track.json.verifications.organization.status, 'VERIFIED');

    const organization = { organizationNumber: number, preVetted: true, preVettingToken: vetted.value.preVettingToken };
    const byToken = await ov('ov.example.com', organization);
    assert.equal(byToken.json.status, 'issued');
    const { json } = await api.call('GET', `${path(byToken)}/certificate`);
    assert.match(json.subject, /O=Example Trading Ltd/);

    const detail = await api.call('GET', `/organizations/${number}`);
    assert.equal(detail.json.validationStatusId, '1');
    assert.equal(detail.json.validationFor, '2');
    assert.equal(detail.json.businessCategoryId, '1');
    assert.equal((await api.call('GET', '/organizations')).json.organizations[0].isPreVettingOrg, '1');
    assert.equal((await api.call('GET', '/groups')).json.groups[0].organizationDetails[0].organizationNumber, number);
  });
});
