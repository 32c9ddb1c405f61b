import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { StoreUnavailableError } from '@certwright/core';
import { type ApiRig, startApi } from '../../support/api-v2.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('conventions of API v2', () => {
  let api: ApiRig;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());

  it('knows every operation of the contract, with the same id', async () => {
    const { json: document } = await api.call('GET', '/v3/api-docs/certinext-v2', { token: null });
    for (const { id, method, template } of api.contract.operations) {
      assert.equal(document.paths[template]?.[method.toLowerCase()]?.operationId, id, `${method} ${template}`);
    }
    const known = new Set(api.contract.operations.map(({ id }) => id));
    for (const item of Object.values<Record<string, { operationId: string }>>(document.paths)) {
      for (const { operationId } of Object.values(item)) assert.ok(known.has(operationId), operationId);
    }
    assert.equal(document.openapi, '3.1.0');
    for (const name of ['SslOrder', 'Problem', 'CreateSslOrderRequest', 'Domain']) {
      assert.ok(name in document.components.schemas, name);
    }
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    for (const [reference, name = ''] of references) assert.ok(name in document.components.schemas, reference);
    const download = document.paths['/api/certinext/v2/ssl-certificates/{orderId}/certificate'].get.responses;
    assert.deepEqual(Object.keys(download['200'].content).sort(), [
      'application/json',
      'application/pkix-cert',
      'application/x-pem-file',
    ]);
    assert.ok('application/problem+json' in download['4XX'].content);
  });

  it('checks in the order of section 3.1', async () => {
    const garbage = { headers: { 'content-type': 'text/plain' }, payload: 'x' };
    assert.equal((await api.call('POST', '/nowhere', { ...garbage, token: null })).status, 404);
    assert.equal((await api.call('DELETE', '/domains', { ...garbage, token: null })).status, 405);
    assert.equal((await api.call('POST', '/domains', { ...garbage, token: null })).status, 401);
    assert.equal((await api.call('POST', '/domains', garbage)).status, 415);
    const key = { 'idempotency-key': 'not a key' };
    assert.equal(
      (await api.call('POST', '/domains', { headers: { ...JSON_TYPE, ...key }, payload: '{' })).json.code,
      'validation-error',
    );
    assert.equal(
      (await api.call('PUT', '/ssl-certificates/1/csr', { headers: key, body: {} })).json.code,
      'idempotency-key-invalid',
    );
    assert.equal((await api.call('PUT', '/ssl-certificates/1/csr', { body: {} })).status, 404);
    assert.equal((await api.call('PUT', '/ssl-certificates/a.b/csr', { body: {} })).status, 404);
  });

  it('answers 401 with a challenge to missing, malformed and unknown tokens', async () => {
    const missing = await api.call('GET', '/auth/me', { token: null });
    assert.equal(missing.headers['www-authenticate'], 'Bearer realm="certinext"');
    for (const authorization of [
      'Bearer',
      'Basic eDp5',
      'Bearer short',
      `Bearer ${'x'.repeat(43)}`,
      `Bearer ${'x'.repeat(2_000)}`,
    ]) {
      const reply = await api.call('GET', '/auth/me', { token: null, headers: { authorization } });
      assert.equal(reply.status, 401, authorization);
      assert.match(String(reply.headers['www-authenticate']), /error="invalid_token"$/);
    }
  });

  it('lists the methods of a path in Allow', async () => {
    assert.equal((await api.call('DELETE', '/domains')).headers.allow, 'GET, HEAD, POST');
    assert.equal((await api.call('PUT', '/auth/me')).headers.allow, 'GET, HEAD');
    assert.equal((await api.call('OPTIONS', '/ssl-certificates')).headers.allow, 'POST');
    assert.equal((await api.call('GET', '/ssl-certificates/1/csr')).headers.allow, 'PUT');
  });

  it('negotiates', async () => {
    const html = await api.call('GET', '/auth/me', { headers: { accept: 'text/html' } });
    assert.equal(html.status, 406);
    const browser = await api.call('GET', '/auth/me', { headers: { accept: 'text/html, */*;q=0.1' } });
    assert.equal(browser.status, 200);
  });

  it('takes an empty body with a JSON content type, on GET too', async () => {
    assert.equal((await api.call('GET', '/auth/me', { headers: JSON_TYPE })).status, 200);
    assert.equal((await api.call('POST', '/domains', { headers: JSON_TYPE, payload: '' })).json.code, 'EMS-1157');
    assert.equal((await api.call('POST', '/domains')).json.code, 'EMS-1157');
  });

  it('refuses bodies that are malformed, too deep or too large', async () => {
    const cases: readonly [string, number][] = [
      ['{', 400],
      ['[]', 400],
      ['"x"', 400],
      [`{"a":${'['.repeat(100_000)}`, 400],
      [JSON.stringify({ csr: 'x'.repeat(2_000_000) }), 413],
    ];
    for (const [payload, status] of cases) {
      const reply = await api.call('POST', '/ssl-certificates', { headers: JSON_TYPE, payload });
      assert.equal(reply.status, status, payload.slice(0, 20));
    }
  });

  it('itemises field errors and stops counting at twenty', async () => {
    const reply = await api.call('POST', '/ssl-certificates', {
      body: { productVariant: 'xx', requestor: { email: 'nobody', phone: '123' }, certificate: { domain: '' } },
    });
    assert.equal(reply.status, 400);
    const fields = new Map(
      reply.json.errors.map((error: { field: string; message: string }) => [error.field, error.message]),
    );
    assert.equal(fields.get('requestor.name'), 'must not be blank');
    assert.equal(fields.get('requestor.email'), 'must be a well-formed email address');
    assert.equal(fields.get('certificate.domain'), 'must not be blank');
    assert.match(String(fields.get('productVariant')), /^must be one of dv, /);
    assert.ok(fields.has('requestor.phone'));
    const many = await api.call('POST', '/ssl-certificates', { body: { tags: Array(500).fill(1) } });
    assert.equal(many.json.errors.length, 20);
  });

  it('refuses NUL and control characters', async () => {
    for (const name of ['a\0b', 'a\nb', 'a\u001bb']) {
      const reply = await api.call('POST', '/ssl-certificates', {
        body: {
          productVariant: 'dv',
          requestor: { name, email: 'a@example.com' },
          certificate: { domain: 'a.example.com' },
        },
      });
      assert.equal(reply.status, 400);
      assert.equal(reply.json.errors[0].field, 'requestor.name');
    }
  });

  it('answers 501 for what it does not offer, after the token', async () => {
    for (const [method, path] of [
      ['POST', '/signature-certificates'],
      ['GET', '/signature-certificates/1'],
      ['POST', '/ssl-certificates/1/reissue'],
      ['GET', '/reports/orders?page=0&size=50'],
      ['GET', '/reports/ledger'],
    ] as const) {
      assert.equal((await api.call(method, path, { token: null })).status, 401);
      assert.equal((await api.call(method, path)).json.code, 'not-implemented');
    }
    const upload = { headers: { 'content-type': 'multipart/form-data; boundary=x' }, payload: '--x--' };
    assert.equal((await api.call('POST', '/signature-certificates/1/documents', upload)).status, 501);
  });

  it('says 503 when the store is gone and 500 without a word when there is a bug', async () => {
    const { authenticate } = api.core.credentials;
    const failWith = (error: Error) => {
      Object.assign(api.core.credentials, { authenticate: () => Promise.reject(error) });
    };
    try {
      failWith(new StoreUnavailableError('connection to 10.0.0.1 lost', { unknown: false }));
      const gone = await api.call('GET', '/auth/me');
      assert.equal(gone.status, 503);
      assert.ok(!gone.text.includes('10.0.0.1'));
      failWith(new Error('secret internals'));
      const bug = await api.call('GET', '/auth/me');
      assert.equal(bug.status, 500);
      assert.ok(!bug.text.includes('internals'));
      assert.equal(api.failures.length, 2);
    } finally {
      Object.assign(api.core.credentials, { authenticate });
    }
  });

  it('shows account, organizations and catalog with flags as text', async () => {
    const groups = await api.call('GET', '/groups');
    assert.equal(groups.json.groups[0].groupNumber, api.account.groupNumber);
    assert.equal(groups.json.groups[0].isDefaultGroup, '1');
    assert.deepEqual((await api.call('GET', '/organizations')).json, { organizations: [] });
    assert.equal((await api.call('GET', '/organizations?groupNumber=1')).status, 404);
    assert.equal((await api.call('GET', '/organizations/1234567')).status, 404);
    const { products } = (await api.call('GET', '/catalog/products')).json;
    const ssl = products.find((category: { categoryID: string }) => category.categoryID === '3');
    const dv = ssl.products.find((product: { productCode: string }) => product.productCode === '842');
    assert.equal(dv.productTypeID, '13');
    assert.equal(typeof dv.subscriptionPrice['1 Year'].cost, 'string');
    assert.deepEqual((await api.call('GET', '/catalog/products/842/custom-fields')).json, { customFields: [] });
    assert.equal((await api.call('GET', '/catalog/products/nothing/custom-fields')).status, 404);
    assert.equal((await api.call('GET', '/catalog/products?groupNumber=1&groupNumber=2')).status, 400);
  });
});
