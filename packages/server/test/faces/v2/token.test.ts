import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type ApiRig, type Reply, startApi } from '../../support/api-v2.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('POST /oauth/token', () => {
  let api: ApiRig;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());

  const form = (members: Record<string, string> | string, headers: Record<string, string> = {}): Promise<Reply> =>
    api.call('POST', '/oauth/token', {
      token: null,
      headers: { ...FORM, ...headers },
      payload: typeof members === 'string' ? members : new URLSearchParams(members).toString(),
    });
  const json = (body: unknown): Promise<Reply> => api.call('POST', '/oauth/token', { token: null, body });
  const basic = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(user)}:${encodeURIComponent(password)}`).toString('base64')}`,
  });
  const client = () => ({ client_id: api.account.number, client_secret: api.account.clientSecret });

  async function assertWorks(reply: Reply, authType: 'oauth2' | 'legacy'): Promise<void> {
    assert.equal(reply.status, 200, reply.text);
    assert.match(reply.json.access_token, /^[A-Za-z0-9_-]{43}$/);
    assert.match(reply.json.refresh_token, /^[0-9a-f]{32}$/);
    assert.equal(reply.json.expires_in, 3600);
    assert.equal(reply.json.tokenDetails.accessToken, reply.json.access_token);
    const me = await api.call('GET', '/auth/me', { token: reply.json.access_token });
    assert.deepEqual(me.json, { accountNumber: api.account.number, authType });
  }

  function signedKey(overrides: Record<string, string> = {}) {
    const ts = overrides.ts ?? new Date(Date.now() + 5.5 * 3_600_000).toISOString().replace(/\.\d+Z$/, '+05:30');
    const txn = overrides.txn ?? String(Math.floor(Math.random() * 9e15) + 1e15);
    const authKey = createHash('sha256').update(`${api.account.accessKey}${ts}${txn}`).digest('hex');
    return {
      grant_type: 'client_credentials',
      accountNumber: api.account.number,
      authKey,
      ver: '1.0',
      ts,
      txn,
      ...overrides,
    };
  }

  it('takes client credentials in the body, scope ignored', async () => {
    await assertWorks(await form({ grant_type: 'client_credentials', scope: 'all', ...client() }), 'oauth2');
  });

  it('takes client credentials by Basic, also beside equal ones in the body', async () => {
    const headers = basic(api.account.number, api.account.clientSecret);
    await assertWorks(await form({ grant_type: 'client_credentials' }, headers), 'oauth2');
    await assertWorks(await form({ grant_type: 'client_credentials', ...client() }, headers), 'oauth2');
    const differing = await form({ grant_type: 'client_credentials', ...client(), client_id: '1' }, headers);
    assert.equal(differing.status, 400);
    assert.equal(differing.json.error, 'invalid_request');
  });

  it('takes a signed key, each txn once', async () => {
    const request = signedKey();
    await assertWorks(await json(request), 'legacy');
    const replayed = await json(request);
    assert.equal(replayed.status, 401);
    assert.equal(replayed.json.error, 'invalid_client');
  });

  it('refuses signed keys that are stale, wrong or unreadable', async () => {
    const account = await api.newAccount();
    const stale = new Date(Date.now() - 6 * 60_000).toISOString();
    assert.equal((await json(signedKey({ ts: stale }))).status, 401);
    assert.equal((await json(signedKey({ authKey: 'a'.repeat(64) }))).json.error, 'invalid_client');
    assert.equal((await json({ ...signedKey(), accountNumber: account.number })).status, 401);
    for (const bad of [{ ts: 'yesterday' }, { authKey: 'short' }, { txn: '' }]) {
      const reply = await json(signedKey(bad));
      assert.equal(reply.status, 400, JSON.stringify(bad));
      assert.equal(reply.json.error, 'invalid_request');
    }
  });

  it('takes appCode and accessKey', async () => {
    await assertWorks(await json({ appCode: api.account.number, accessKey: api.account.accessKey }), 'legacy');
  });

  it('rotates by refresh, and a spent refresh token ends the family', async () => {
    const first = await form({ grant_type: 'client_credentials', ...client() });
    const second = await form({ grant_type: 'refresh_token', refresh_token: first.json.refresh_token, ...client() });
    await assertWorks(second, 'oauth2');
    assert.equal((await api.call('GET', '/auth/me', { token: first.json.access_token })).status, 401);
    const reused = await form({ grant_type: 'refresh_token', refresh_token: first.json.refresh_token, ...client() });
    assert.equal(reused.status, 400);
    assert.equal(reused.json.error, 'invalid_grant');
    assert.equal((await api.call('GET', '/auth/me', { token: second.json.access_token })).status, 401);
  });

  it('names what is missing or wrong as RFC 6749 does', async () => {
    const cases: readonly [Record<string, string>, number, string][] = [
      [client(), 400, 'invalid_request'],
      [{ grant_type: 'client_credentials' }, 400, 'invalid_request'],
      [{ grant_type: 'client_credentials', client_id: api.account.number, client_secret: '' }, 400, 'invalid_request'],
      [{ grant_type: 'password', ...client() }, 400, 'unsupported_grant_type'],
      [{ grant_type: 'refresh_token', ...client() }, 400, 'invalid_request'],
      [{ grant_type: 'refresh_token', refresh_token: 'x', ...client() }, 400, 'invalid_grant'],
      [{ grant_type: 'client_credentials', client_id: '1', client_secret: 'x' }, 401, 'invalid_client'],
      [
        { grant_type: 'client_credentials', ...client(), client_secret: api.account.accessKey },
        403,
        'unauthorized_client',
      ],
    ];
    for (const [members, status, error] of cases) {
      const reply = await form(members);
      assert.equal(reply.status, status, JSON.stringify(members));
      assert.equal(reply.json.error, error);
      assert.equal(reply.headers['content-type'], 'application/json;charset=UTF-8');
      if (status === 401) assert.equal(reply.headers['www-authenticate'], 'Basic realm="certinext"');
    }
  });

  it('refuses bodies that cannot be read', async () => {
    assert.equal(
      (await form('grant_type=client_credentials&grant_type=client_credentials')).json.error,
      'invalid_request',
    );
    for (const payload of ['{', '[]', '"x"', '{"grant_type":"client_credentials"}']) {
      const headers = { 'content-type': 'application/json' };
      const reply = await api.call('POST', '/oauth/token', { token: null, headers, payload });
      assert.equal(reply.status, 400, payload);
      assert.equal(reply.json.error, 'invalid_request');
    }
    const text = await api.call('POST', '/oauth/token', {
      token: null,
      headers: { 'content-type': 'text/xml' },
      payload: 'x',
    });
    assert.equal(text.status, 415);
    const large = await form({ grant_type: 'x'.repeat(20_000) });
    assert.equal(large.status, 413);
  });

  it('refuses Basic headers that are none, or hide a NUL', async () => {
    for (const authorization of [
      'Bearer x',
      'Basic',
      'Basic ???',
      `Basic ${btoa('no-colon')}`,
      `Basic ${btoa('1%00:x')}`,
    ]) {
      const reply = await form({ grant_type: 'client_credentials' }, { authorization });
      assert.equal(reply.status, 401, authorization);
      assert.equal(reply.json.error, 'invalid_client');
    }
  });

  it('answers other methods with 405', async () => {
    const reply = await api.call('GET', '/oauth/token', { token: null });
    assert.equal(reply.status, 405);
    assert.equal(reply.headers.allow, 'POST');
  });

  it('closes the door after many failures, and says for how long', async () => {
    const { number } = await api.newAccount();
    let reply = await form({ grant_type: 'client_credentials', client_id: number, client_secret: 'wrong' });
    for (let attempt = 0; attempt < 20 && reply.status !== 429; attempt++) {
      reply = await form({ grant_type: 'client_credentials', client_id: number, client_secret: 'wrong' });
    }
    assert.equal(reply.status, 429);
    assert.equal(reply.json.code, 'rate-limited');
  });
});
