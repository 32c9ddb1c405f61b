import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ApiRig, operator, startApi } from '../../support/api-v2.ts';
import { dvOrder } from '../../support/requests.ts';

const DAY_MS = 86_400_000;

describe('domains', () => {
  let api: ApiRig;
  let organization: string;
  before(async () => {
    api = await startApi();
    const made = await api.core.accounts.createOrganization(operator, api.account.number, {
      name: 'Example Trading Ltd',
      street1: '',
      street2: '',
      locality: 'Portland',
      stateName: 'Maine',
      stateCode: 'ME',
      postalCode: '04101',
      countryCode: 'US',
      registrationNumber: '',
      jurisdictionCountry: '',
      businessCategory: '',
    });
    assert.ok(made.ok);
    organization = made.value.number;
  });
  after(() => api.close());

  const add = (domainName: string, more: object = {}) =>
    api.call('POST', '/domains', { body: { domainName, organizationId: organization, ...more } });

  async function verified(domainName: string): Promise<string> {
    const domain = await add(domainName);
    assert.equal(domain.status, 201, domain.text);
    api.txt.set(`_emudhra-challenge.${domainName}`, [domain.json.dcv.txtToken]);
    const reply = await api.call('POST', `/domains/${domain.json.domainId}/dcv/verify`);
    assert.equal(reply.json.status, 'VERIFIED');
    return domain.json.domainId;
  }

  it('registers, verifies and deactivates', async () => {
    const domain = await add('register.example.com', { dcvMethod: 'DNS-TXT', skipCAA: false });
    assert.equal(domain.status, 201);
    const { domainId } = domain.json;
    assert.match(domainId, /^[A-Za-z0-9_-]{48}$/);
    assert.equal(domain.headers.location, `/api/certinext/v2/domains/${domainId}`);
    assert.equal(domain.json.status, 'ACTIVE');
    assert.equal(domain.json.domainStatus, 'ACTIVE');
    assert.equal(domain.json.organizationName, 'Example Trading Ltd');
    assert.notEqual(domain.json.organizationId, organization);
    assert.equal(domain.json.autoVerify, 'noEligibleAncestor');

    const dcv = await api.call('GET', `/domains/${domainId}/dcv`);
    assert.equal(dcv.json.txtToken, domain.json.dcv.txtToken);
    assert.equal((await api.call('GET', `/domains/${domainId}/dcv/attempts/last`)).status, 404);

    const missing = await api.call('POST', `/domains/${domainId}/dcv/verify`, { body: {} });
    assert.equal(missing.json.code, 'EMS-1160');
    assert.equal(missing.json.diagnostics.domainId, domainId);
    api.txt.set('_emudhra-challenge.register.example.com', [dcv.json.txtToken]);
    const good = await api.call('POST', `/domains/${domainId}/dcv/verify`, {
      headers: { 'content-type': 'application/json' },
      payload: '',
    });
    assert.equal(good.json.overallStatus, 'VERIFIED');
    assert.equal(good.json.verifiedAt, good.json.validatedAt);
    assert.equal((await api.call('POST', `/domains/${domainId}/dcv/verify`)).json.status, 'VERIFIED');
    assert.deepEqual((await api.call('GET', `/domains/${domainId}/dcv`)).json, { method: 'dns-txt' });

    const detail = await api.call('GET', `/domains/${domainId}`);
    assert.match(detail.json.validTill, /T00:00:00Z$/);
    const attempts = await api.call('GET', `/domains/${domainId}/dcv/attempts?limit=1`);
    assert.equal(attempts.json.content.length, 1);
    assert.equal(attempts.json.size, 1);
    assert.ok(attempts.json.totalElements >= 2);
    const last = await api.call('GET', `/domains/${domainId}/dcv/attempts/last`);
    assert.equal(last.json.attemptId, attempts.json.content[0].attemptId);
    const one = await api.call('GET', `/domains/${domainId}/dcv/attempts/${last.json.attemptId}`);
    assert.deepEqual(one.json, last.json);
    for (const id of ['0', '999999999999999', 'nonsense', '-1']) {
      assert.equal((await api.call('GET', `/domains/${domainId}/dcv/attempts/${id}`)).status, 404, id);
    }

    const gone = await api.call('POST', `/domains/${domainId}/deactivate`);
    assert.equal(gone.json.status, 'INACTIVE');
    assert.equal((await api.call('POST', `/domains/${domainId}/deactivate`, { body: {} })).json.status, 'INACTIVE');
    const blocked = await api.call('POST', '/ssl-certificates', { body: dvOrder('register.example.com') });
    assert.equal(blocked.json.code, 'EMS-DOMAIN-003');
    assert.equal((await add('register.example.com')).status, 201, 'adding it again ends the block');
  });

  it('refuses names, methods and duplicates with their codes', async () => {
    const post = (body: unknown) => api.call('POST', '/domains', { body });
    assert.equal((await post({})).json.code, 'EMS-1157');
    assert.equal((await post({ name: '' })).json.code, 'EMS-1157');
    assert.equal((await add('co.uk')).json.code, 'EMS-DOMAIN-003');
    assert.equal((await add('no_host..')).json.code, 'EMS-DOMAIN-003');
    assert.equal((await add('a.example.com', { dcvMethod: 'email' })).json.code, 'EMS-1158');
    assert.equal((await add('a.example.com', { dcvMethod: 'smoke' })).status, 400);
    assert.equal((await add('a.example.com', { skipCAA: true })).status, 403);
    assert.equal((await add('a.example.com', { mode: 'undo' })).status, 400);
    assert.equal((await post({ name: 'alias.example.com' })).status, 201);
    assert.equal((await add('alias.example.com')).json.code, 'EMS-DOMAIN-002');
    api.caa.set('closed.example.com', ['other-ca.example']);
    const caa = await add('closed.example.com');
    assert.equal(caa.json.code, 'EMS-DOMAIN-103');
    assert.equal(caa.json.diagnostics.method, 'CAA_PRECHECK');
    assert.equal(caa.json.diagnostics.nextSteps[0].params.foundCa, 'other-ca.example');
  });

  it('switches the method and voids the old token', async () => {
    const domain = await add('switch.example.com');
    const patch = (body: unknown) => api.call('PATCH', `/domains/${domain.json.domainId}/dcv/method`, { body });
    const http = await patch({ dcvMethod: 'HTTP_URL' });
    assert.equal(http.json.method, 'http-url');
    assert.match(http.json.fileName, /^\.well-known\/pki-validation\/\w+\.txt$/);
    const rotated = await patch({ dcvMethod: 'http-url' });
    assert.notEqual(rotated.json.fileToken, http.json.fileToken);
    assert.equal((await patch({})).json.code, 'EMS-1158');
    assert.equal((await patch({ dcvMethod: 'dns-persist' })).json.code, 'EMS-1158');
    assert.equal((await patch({ dcvMethod: 'smoke' })).status, 400);
    api.files.set(`http://switch.example.com/${rotated.json.fileName}`, `${rotated.json.fileToken}\n`);
    assert.equal((await api.call('POST', `/domains/${domain.json.domainId}/dcv/verify`)).json.status, 'VERIFIED');
  });

  it('pages, filters and sorts', async () => {
    for (let index = 0; index < 5; index++) await add(`page${index}.example.org`);
    const list = async (query: string) => (await api.call('GET', `/domains?${query}`)).json;
    const names = (page: { content: { domainName: string }[] }) => page.content.map((row) => row.domainName);
    const first = await list('search=EXAMPLE.ORG&sortBy=domainName&sortDir=asc&limit=2');
    assert.deepEqual(names(first), ['page0.example.org', 'page1.example.org']);
    assert.deepEqual([first.page, first.size, first.totalElements, first.totalPages], [0, 2, 5, 3]);
    const third = await list('search=example.org&sortBy=domainName&sortDir=asc&limit=2&offset=4&page=0');
    assert.deepEqual(names(third), ['page4.example.org']);
    assert.equal(third.page, 2);
    const older = await list('search=example.org&sortBy=domainName&sortDir=asc&page=1&size=2');
    assert.deepEqual(names(older), ['page2.example.org', 'page3.example.org']);
    assert.equal((await list('limit=5000')).size, 1_000);
    assert.equal((await list('search=page1&exactMatch=true')).totalElements, 0);
    assert.equal((await list('search=page1.example.org&exactMatch=true')).totalElements, 1);
    assert.equal((await list('search=example.org&dcvStatus=VERIFIED,REJECTED')).totalElements, 0);
    assert.equal((await list('search=example.org&domainStatus=ACTIVE&dcvMethod=DNS_TXT')).totalElements, 5);
    assert.equal((await list('search=example.org&toDate=2020-01-01')).totalElements, 0);
    assert.deepEqual(await list('search=nothing-like-this'), {
      content: [],
      page: 0,
      size: 50,
      totalElements: 0,
      totalPages: 0,
    });
    for (const bad of [
      'dcvStatus=EXPIRED',
      'domainStatus=DEACTIVATED',
      'dcvMethod=smoke',
      'limit=0',
      'offset=-1',
      'limit=x',
      'fromDate=yesterday',
      'sortBy=luck',
      'exactMatch=maybe',
    ]) {
      assert.equal((await api.call('GET', `/domains?${bad}`)).status, 400, bad);
    }
  });

  it('renews within the window, and only then', async () => {
    const domainId = await verified('renew.example.com');
    const renew = () => add('renew.example.com', { mode: 'renew' });
    assert.equal((await renew()).json.code, 'domain-not-renewable');
    api.advance(180 * DAY_MS);
    const renewed = await renew();
    assert.equal(renewed.status, 200);
    assert.equal(renewed.json.dcvStatus, 'PENDING');
    assert.deepEqual(renewed.json.dcv, { method: 'dns-txt' });
    assert.match((await api.call('GET', `/domains/${domainId}/dcv`)).json.txtToken, /^emudhra-dcv-/);
    assert.equal((await add('unknown.example.com', { mode: 'renew' })).status, 404);
  });

  it('shows the end of the reuse window', async () => {
    const domainId = await verified('window.example.com');
    api.advance(201 * DAY_MS);
    const { json } = await api.call('GET', `/domains/${domainId}`);
    assert.equal(json.status, 'EXPIRED');
    assert.equal(json.dcvStatus, 'PENDING');
    assert.equal((await api.call('GET', '/domains?search=window.&domainStatus=EXPIRED')).json.totalElements, 1);
  });

  it('keeps accounts apart', async () => {
    const domain = await add('apart.example.com');
    const { token } = await api.newAccount();
    const path = `/domains/${domain.json.domainId}`;
    for (const [method, suffix] of [
      ['GET', ''],
      ['GET', '/dcv'],
      ['PATCH', '/dcv/method'],
      ['POST', '/dcv/verify'],
      ['GET', '/dcv/attempts'],
      ['GET', '/dcv/attempts/last'],
      ['POST', '/deactivate'],
    ] as const) {
      const reply = await api.call(method, path + suffix, { token, ...(method === 'GET' ? {} : { body: {} }) });
      assert.equal(reply.status, 404, `${method} ${suffix}`);
    }
    assert.equal((await api.call('GET', '/domains?search=apart', { token })).json.totalElements, 0);
  });
});
