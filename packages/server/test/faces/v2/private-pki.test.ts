import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type ApiRig, startApi } from '../../support/api-v2.ts';
import { csrFor, dvOrder, privateOrder } from '../../support/requests.ts';

const PATH = '/private-pki-certificates';

describe('Private PKI orders', () => {
  let api: ApiRig;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());

  it('issues in one call when the CSR comes along', async () => {
    const csr = await csrFor('wiki.corp.internal');
    const order = await api.call('POST', PATH, {
      body: privateOrder('wiki.corp.internal', {
        additionalHosts: ['wiki', '10.20.0.15', 'fd00::1'],
        caProfileId: '310',
        masterProductId: '8',
        csr,
      }),
    });
    assert.equal(order.status, 201, order.text);
    assert.equal(order.json.status, 'issued');
    assert.equal(order.json.resolvedProductCode, '950');
    assert.deepEqual(order.json.additionalHosts, ['wiki', '10.20.0.15', 'fd00::1']);
    const track = await api.call('GET', `${PATH}/${order.json.orderId}`);
    assert.equal(track.json.status, 'issued');
    assert.equal(track.json.verifications, undefined);
    const { json } = await api.call('GET', `${PATH}/${order.json.orderId}/certificate`);
    const { subjectAltName } = new X509Certificate(json.certificatePem);
    assert.equal(
      subjectAltName,
      'DNS:wiki.corp.internal, DNS:wiki, IP Address:10.20.0.15, IP Address:FD00:0:0:0:0:0:0:1',
    );
  });

  it('waits for the CSR, then issues', async () => {
    const order = await api.call('POST', PATH, { body: privateOrder('later.corp.internal', { additionalHosts: [] }) });
    assert.equal(order.json.status, 'pending-csr');
    const path = `${PATH}/${order.json.orderId}`;
    const csr = (text: string) => api.call('PUT', `${path}/csr`, { body: { csr: text, attested: false } });
    assert.equal((await csr('nonsense')).json.code, 'EMS-921');
    assert.equal((await csr(await csrFor('other.corp.internal'))).json.code, 'EMS-922');
    assert.equal((await api.call('PUT', `${path}/csr`, { body: {} })).json.errors[0].field, 'csr');
    assert.equal((await csr(await csrFor('later.corp.internal'))).status, 204);
    assert.equal((await api.call('GET', path)).json.status, 'issued');
    assert.equal((await csr(await csrFor('later.corp.internal'))).json.code, 'EMS-1165');
  });

  it('has no path for DCV, agreement or reissue', async () => {
    const order = await api.call('POST', PATH, { body: privateOrder('paths.corp.internal') });
    for (const suffix of ['dcv', 'dcv/verify', 'agreement', 'reissue', 'reject']) {
      assert.equal((await api.call('POST', `${PATH}/${order.json.orderId}/${suffix}`, { body: {} })).status, 404);
    }
    assert.equal((await api.call('GET', `/ssl-certificates/${order.json.orderId}`)).status, 404);
  });

  it('refuses hosts, variants and products that do not fit', async () => {
    const refused = await api.call('POST', PATH, {
      body: privateOrder('not a host', { additionalHosts: ['also not'] }),
    });
    assert.equal(refused.json.code, 'EMS-917');
    assert.deepEqual(
      refused.json.errors.map(({ field }: { field: string }) => field),
      ['hostname', 'additionalHosts[0]'],
    );
    assert.equal(
      (await api.call('POST', PATH, { body: privateOrder('a.internal', { variant: 'vpn' }) })).json.code,
      'EMS-915',
    );
    assert.equal((await api.call('POST', PATH, { body: privateOrder('a.internal', { variant: 'x' }) })).status, 400);
    const headers = { 'x-product-code': '842' };
    assert.equal((await api.call('POST', PATH, { headers, body: privateOrder('a.internal') })).json.code, 'EMS-915');
    assert.equal((await api.call('POST', PATH, { body: dvOrder('a.example.com') })).status, 400);
  });

  it('cancels without a reason and puts certificates on hold', async () => {
    const pending = await api.call('POST', PATH, { body: privateOrder('cancel.corp.internal') });
    assert.equal(
      (await api.call('POST', `${PATH}/${pending.json.orderId}/cancel`, { body: { reason: '' } })).status,
      204,
    );
    const csr = await csrFor('hold.corp.internal');
    const order = await api.call('POST', PATH, { body: privateOrder('hold.corp.internal', { csr }) });
    const path = `${PATH}/${order.json.orderId}`;
    const revoke = (reason: string) => api.call('POST', `${path}/revoke`, { body: { reason } });
    assert.equal((await revoke('certificateHold')).status, 204);
    const held = await api.call('GET', path);
    assert.equal(held.json.status, 'revoked');
    assert.equal(held.json.revocation.reason, 'certificate-hold');
    assert.equal((await revoke('certificate-hold')).json.code, 'EMS-1165');
    assert.equal((await revoke('aACompromise')).status, 204);
    assert.equal((await api.call('GET', path)).json.revocation.reason, 'aa-compromise');
    assert.equal((await revoke('superseded')).json.code, 'EMS-1165');
  });
});
