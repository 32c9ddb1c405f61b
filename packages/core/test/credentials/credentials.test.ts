import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { createTestCore, must, origin, refusal, type TestAccount, type TestCore } from '../support/core.ts';

const signed = (account: TestAccount, ts: string, txn: string) =>
  createHash('sha256')
    .update(account.accessKey + ts + txn)
    .digest('hex');

function proof(test: TestCore, account: TestAccount, txn: string, at = test.wallClock.now()) {
  const ts = new Date(at).toISOString();
  return { accountNumber: account.number, authKey: signed(account, ts, txn), ts, signedAt: at, txn };
}

describe('tokens', () => {
  it('are given for client secret, access key and signed key, and say which way it was', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const { credentials } = test.core;
    const pairs = [
      ['oauth2', must(await credentials.tokenByClientSecret(origin, account.number, account.oauthSecret))],
      ['legacy', must(await credentials.tokenByAccessKey(origin, account.number, account.accessKey))],
      ['legacy', must(await credentials.tokenBySignedKey(origin, proof(test, account, '1234567890123456')))],
    ] as const;
    for (const [authType, pair] of pairs) {
      assert.match(pair.accessToken, /^[A-Za-z0-9_-]{43}$/);
      assert.match(pair.refreshToken, /^[0-9a-f]{32}$/);
      const caller = must(await credentials.authenticate(pair.accessToken));
      assert.equal(caller.accountNumber, account.number);
      assert.equal(caller.tokenAuthType, authType);
    }
  });

  it('are refused to wrong keys, wrong modes, unknown accounts', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const { credentials } = test.core;
    assert.equal(
      refusal(await credentials.tokenByClientSecret(origin, account.number, 'f'.repeat(32))),
      'credential.invalid',
    );
    assert.equal(
      refusal(await credentials.tokenByClientSecret(origin, '9999999999', account.oauthSecret)),
      'credential.invalid',
    );
    assert.equal(
      refusal(await credentials.tokenByClientSecret(origin, account.number, account.accessKey)),
      'credential.wrongMode',
    );
    assert.equal(
      refusal(await credentials.tokenByAccessKey(origin, account.number, account.oauthSecret)),
      'credential.wrongMode',
    );
  });

  it('a signed key is taken once, within five minutes, and only with the right key', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const { credentials } = test.core;
    const good = proof(test, account, '1111111111111111');
    must(await credentials.tokenBySignedKey(origin, good));
    assert.equal(refusal(await credentials.tokenBySignedKey(origin, good)), 'credential.invalid');
    for (const away of [-301_000, 301_000]) {
      const stale = proof(test, account, `${2_000_000_000_000_000 + away}`, test.wallClock.now() + away);
      assert.equal(refusal(await credentials.tokenBySignedKey(origin, stale)), 'credential.invalid');
    }
    const forged = { ...proof(test, account, '3333333333333333'), authKey: '0'.repeat(64) };
    assert.equal(refusal(await credentials.tokenBySignedKey(origin, forged)), 'credential.invalid');
  });

  it('refresh spends the pair; reuse of a spent one ends the family', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const { credentials } = test.core;
    const first = must(await credentials.tokenByClientSecret(origin, account.number, account.oauthSecret));
    must(await credentials.authenticate(first.accessToken));
    const second = must(await credentials.refresh(origin, account.number, account.oauthSecret, first.refreshToken));
    assert.equal(refusal(await credentials.authenticate(first.accessToken)), 'token.invalid');
    must(await credentials.authenticate(second.accessToken));
    assert.equal(
      refusal(await credentials.refresh(origin, account.number, account.oauthSecret, first.refreshToken)),
      'grant.invalid',
    );
    assert.equal(refusal(await credentials.authenticate(second.accessToken)), 'token.invalid');
    assert.equal(
      refusal(await credentials.refresh(origin, account.number, account.oauthSecret, second.refreshToken)),
      'grant.invalid',
    );
  });

  it('two refreshes at once give one pair', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const { credentials } = test.core;
    const first = must(await credentials.tokenByClientSecret(origin, account.number, account.oauthSecret));
    const both = await Promise.all(
      [0, 1].map(() => credentials.refresh(origin, account.number, account.oauthSecret, first.refreshToken)),
    );
    assert.equal(both.filter((one) => one.ok).length, 1);
  });

  it('a refresh token of another account is not taken', async (t) => {
    const test = await createTestCore(t);
    const [one, two] = [await test.account('one'), await test.account('two')];
    const pair = must(await test.core.credentials.tokenByClientSecret(origin, one.number, one.oauthSecret));
    assert.equal(
      refusal(await test.core.credentials.refresh(origin, two.number, two.oauthSecret, pair.refreshToken)),
      'grant.invalid',
    );
    must(await test.core.credentials.authenticate(pair.accessToken));
  });

  it('end after an hour of real time, not of the sandbox clock', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const pair = must(await test.core.credentials.tokenByClientSecret(origin, account.number, account.oauthSecret));
    test.clock.time += 60 * 86_400_000;
    must(await test.core.credentials.authenticate(pair.accessToken));
    test.wallClock.time += 3_600_000;
    assert.equal(refusal(await test.core.credentials.authenticate(pair.accessToken)), 'token.invalid');
  });

  it('stop at once when their credential is revoked', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const pair = must(await test.core.credentials.tokenByClientSecret(origin, account.number, account.oauthSecret));
    const caller = must(await test.core.credentials.authenticate(pair.accessToken));
    must(await test.core.credentials.revoke(test.operator, caller.credentialId));
    assert.equal(refusal(await test.core.credentials.authenticate(pair.accessToken)), 'token.invalid');
    assert.equal(
      refusal(await test.core.credentials.tokenByClientSecret(origin, account.number, account.oauthSecret)),
      'credential.invalid',
    );
    must(await test.core.credentials.tokenByAccessKey(origin, account.number, account.accessKey));
  });

  it('ten failures from one source close the door for that source; the first and the last one are in the audit trail', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const { credentials } = test.core;
    for (let failure = 0; failure < 10; failure++) {
      assert.equal(
        refusal(await credentials.tokenByClientSecret(origin, account.number, 'wrong')),
        'credential.invalid',
      );
    }
    const locked = await credentials.tokenByClientSecret(origin, account.number, account.oauthSecret);
    assert.equal(refusal(locked), 'credential.locked');
    assert.ok(!locked.ok && (locked.error.retryAfterMs ?? 0) > 0);
    must(await credentials.tokenByClientSecret({ ...origin, ip: '192.0.2.99' }, account.number, account.oauthSecret));
    const failures = (await test.activities(account.number)).filter((one) => one === 'credential.authenticationFailed');
    assert.equal(failures.length, 2);
    test.wallClock.time += 601_000;
    must(await credentials.tokenByClientSecret(origin, account.number, account.oauthSecret));
  });

  it('a single failure is in the audit trail of its account; numbers that are no account fill nothing', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    assert.equal(
      refusal(await test.core.credentials.tokenByClientSecret(origin, account.number, 'wrong')),
      'credential.invalid',
    );
    const { accountId } = account.ctx.caller;
    const failed = { activity: 'credential.authenticationFailed' };
    const own = await test.store.audit.search({ accountId, ...failed }, { limit: 10 });
    assert.deepEqual(
      own.rows.map(({ objectId, outcome, ip }) => ({ objectId, outcome, ip })),
      [{ objectId: account.number, outcome: 'denied', ip: origin.ip }],
    );
    await test.core.credentials.tokenByClientSecret(origin, '1', 'wrong');
    assert.equal((await test.store.audit.search({ accountId: null, ...failed }, { limit: 10 })).rows.length, 1);
  });

  it('no secret or token stands in the audit trail or in stored rows', async (t) => {
    const test = await createTestCore(t);
    const account = await test.account('one');
    const pair = must(await test.core.credentials.tokenByClientSecret(origin, account.number, account.oauthSecret));
    const rows = JSON.stringify([
      (await test.store.audit.search({ accountId: null }, { limit: 200 })).rows,
      await test.store.credentials.ofAccount(account.ctx.caller.accountId),
      await test.store.credentials.liveTokens(account.ctx.caller.credentialId),
    ]);
    for (const secret of [account.oauthSecret, account.accessKey, pair.accessToken, pair.refreshToken]) {
      assert.ok(!rows.includes(secret));
    }
  });
});
