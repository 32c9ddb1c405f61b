import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ApiRig, startApi } from '../../support/api-v2.ts';
import { csrFor, dvOrder, privateOrder } from '../../support/requests.ts';

describe('Idempotency-Key', () => {
  let api: ApiRig;
  let count = 0;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());

  const key = () => ({ 'idempotency-key': `key-${++count}` });
  const orders = async () =>
    await api.core.orders.list(
      { operator: 'test', origin: { channel: 'test', requestId: '', ip: '', originator: '' } },
      { accountNumber: api.account.number },
      { limit: 200 },
    );
  async function orderCount(): Promise<number> {
    const page = await orders();
    assert.ok(page.ok);
    return page.value.rows.length;
  }

  it('replays the answer and has no second effect', async () => {
    const headers = key();
    const body = privateOrder('replay.internal', { csr: await csrFor('replay.internal') });
    const first = await api.call('POST', '/private-pki-certificates', { headers, body });
    const before = await orderCount();
    // members in another order, blank ones added: the same request once normalised
    const same = { ...Object.fromEntries(Object.entries(body).reverse()), remarks: '', tags: null };
    const second = await api.call('POST', '/private-pki-certificates', { headers, body: same });
    assert.equal(second.status, 201);
    assert.equal(second.text, first.text);
    assert.equal(second.json.status, 'issued');
    assert.equal(second.headers.location, first.headers.location);
    assert.equal(second.headers['idempotency-replayed'], 'true');
    assert.equal(first.headers['idempotency-replayed'], undefined);
    assert.equal(await orderCount(), before);
  });

  it('tells another request under the same key', async () => {
    const headers = key();
    await api.call('POST', '/ssl-certificates', { headers, body: dvOrder('reuse.example.com') });
    const other = await api.call('POST', '/ssl-certificates', { headers, body: dvOrder('reuse2.example.com') });
    assert.equal(other.status, 422);
    assert.equal(other.json.code, 'idempotency-key-reused');
    const product = { ...headers, 'x-product-code': '842' };
    const byHeader = await api.call('POST', '/ssl-certificates', {
      headers: product,
      body: dvOrder('reuse.example.com'),
    });
    assert.equal(byHeader.json.code, 'idempotency-key-reused');
  });

  it('belongs to account, method and path', async () => {
    const headers = key();
    const { token } = await api.newAccount();
    const body = dvOrder('scope.example.com');
    const mine = await api.call('POST', '/ssl-certificates', { headers, body });
    const theirs = await api.call('POST', '/ssl-certificates', { headers, body, token });
    assert.equal(theirs.status, 201);
    assert.notEqual(theirs.json.orderId, mine.json.orderId);
    const elsewhere = await api.call('POST', '/private-pki-certificates', {
      headers,
      body: privateOrder('scope.internal'),
    });
    assert.equal(elsewhere.status, 201);
  });

  it('keeps successes only: a refused call runs again', async () => {
    const headers = key();
    const order = await api.call('POST', '/ssl-certificates', { body: dvOrder('retry.example.com') });
    const path = `/ssl-certificates/${order.json.orderId}`;
    const { json: dcv } = await api.call('GET', `${path}/dcv`);
    const verify = () =>
      api.call('POST', `${path}/dcv/verify`, { headers, body: { domain: 'retry.example.com', method: 'dns-txt' } });
    assert.equal((await verify()).json.code, 'EMS-1160');
    api.txt.set(dcv.dnsHost, [dcv.txtToken]);
    const good = await verify();
    assert.equal(good.json.overallStatus, 'VERIFIED');
    const again = await verify();
    assert.equal(again.text, good.text);
    assert.equal(again.headers['idempotency-replayed'], 'true');
    const invalid = key();
    assert.equal((await api.call('POST', '/ssl-certificates', { headers: invalid, body: {} })).status, 400);
    assert.equal(
      (await api.call('POST', '/ssl-certificates', { headers: invalid, body: dvOrder('retry2.example.com') })).status,
      201,
    );
  });

  it('replays empty answers and calls that had nothing left to do', async () => {
    const headers = key();
    const order = await api.call('POST', '/ssl-certificates', { body: dvOrder('empty.example.com') });
    const cancel = () =>
      api.call('POST', `/ssl-certificates/${order.json.orderId}/cancel`, { headers, body: { reason: 'x' } });
    assert.equal((await cancel()).status, 204);
    const again = await cancel();
    assert.equal(again.status, 204);
    assert.equal(again.headers['idempotency-replayed'], 'true');
    const domain = await api.call('POST', '/domains', { body: { domainName: 'nothing.example.com' } });
    const off = key();
    for (let round = 0; round < 3; round++) {
      const reply = await api.call('POST', `/domains/${domain.json.domainId}/deactivate`, { headers: off });
      assert.equal(reply.json.status, 'INACTIVE');
    }
  });

  it('lets one of many equal requests through at a time', async () => {
    const headers = key();
    const body = dvOrder('race.example.com');
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => api.call('POST', '/ssl-certificates', { headers, body })),
    );
    const ids = new Set<string>();
    for (const reply of replies) {
      if (reply.status === 201) ids.add(reply.json.orderId);
      else {
        assert.equal(reply.json.code, 'idempotency-key-in-progress');
        assert.match(String(reply.headers['retry-after']), /^\d+$/);
      }
    }
    assert.equal(ids.size, 1);
  });

  it('can be demanded by an account for orders', async () => {
    const { token, number } = await api.newAccount();
    const account = await api.store.accounts.byNumber(number);
    assert.ok(account !== undefined);
    const settings = { ...account.settings, requireIdempotencyKey: true, alwaysReturnRepresentation: true };
    const changed = await api.store.write({
      bookkeeping: 'test',
      writes: [{ op: 'update', table: 'account', id: account.id, version: account.version, set: { settings } }],
      invalidate: [{ kind: 'account', accountId: account.id }],
    });
    assert.ok(changed.ok);
    const body = dvOrder('demand.example.com');
    const without = await api.call('POST', '/ssl-certificates', { token, body });
    assert.equal(without.json.code, 'idempotency-key-missing');
    const order = await api.call('POST', '/ssl-certificates', { token, body, headers: key() });
    assert.equal(order.status, 201);
    const cancelled = await api.call('POST', `/ssl-certificates/${order.json.orderId}/cancel`, { token });
    assert.equal(cancelled.status, 200, 'other calls do not need it, and this account always gets the resource');
    assert.equal(cancelled.json.status, 'cancelled');
    assert.equal(cancelled.headers['preference-applied'], undefined);
  });
});
