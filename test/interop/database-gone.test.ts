/** The database goes away and comes back under a running server: clear answers, no lies, recovery without hands. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createCsr, generateKey, nameOf } from '@certwright/pki';
import { startPostgres } from '../support/postgres.ts';
import { httpCall, sharedKeyFile, startServe, v2Client } from '../support/serve.ts';

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'it did not come in time');
    await delay(100);
  }
}

describe('a database that goes away', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certwright-gone-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is answered with 503 and a time to come again; afterwards all goes on and nothing answered was lost', async (test) => {
    const postgres = await startPostgres();
    if ('skip' in postgres) return test.skip(postgres.skip);
    const { control } = postgres;
    if (control === undefined) return test.skip('the PostgreSQL server is not ours to stop');
    const server = await startServe(join(folder, 'data'), {
      databaseUrl: await postgres.database(),
      'key.file': await sharedKeyFile(folder),
    });
    const agent = new Agent({ keepAlive: true });
    const account = server.ready.firstAccount;
    assert.ok(account);
    const client = await v2Client(server.ready.publicUrl, account, 16);
    try {
      const key = await generateKey('ec-p256');
      const body = async (host: string) => ({
        variant: 'intranet-ssl',
        hostname: host,
        requestor: { name: 'Gone', email: 'gone@test.example' },
        csr: await createCsr({ subject: nameOf(['CN', host]), key: key.privateKey }),
      });
      const place = async (index: number) => {
        const host = `gone-${index}.internal`;
        return client.call('POST', '/private-pki-certificates', await body(host), { 'Idempotency-Key': host });
      };
      const ready = () => httpCall(agent, `${server.ready.publicUrl}/readyz`, 'GET', undefined, {});
      assert.equal((await place(0)).status, 201);
      assert.equal((await ready()).status, 200);

      // a crash of the database in the middle of orders
      const acknowledged = new Map<string, string>();
      const running = Array.from({ length: 60 }, async (_, index) => {
        const answer = await place(index + 1);
        if (answer.status === 201) acknowledged.set(`gone-${index + 1}`, answer.json<{ orderId: string }>().orderId);
        return answer;
      });
      await running[0];
      await control.kill();
      for (const answer of await Promise.all(running)) {
        if (answer.status === 201) continue;
        assert.equal(answer.status, 503, answer.body.toString());
        assert.match(String(answer.headers['content-type']), /problem\+json/);
        assert.ok(Number(answer.headers['retry-after']) > 0);
      }
      const refused = await place(100);
      assert.equal(refused.status, 503, refused.body.toString());
      assert.doesNotMatch(refused.body.toString(), /ECONNREFUSED|postgres|127\.0\.0\.1/, 'no internals in the answer');
      // the check is made at most once a second
      await until(async () => (await ready()).status === 503);
      assert.equal((await httpCall(agent, `${server.ready.publicUrl}/healthz`, 'GET', undefined, {})).status, 200);

      await control.start();
      await until(async () => (await ready()).status === 200);
      for (const id of acknowledged.values()) {
        assert.equal((await client.call('GET', `/private-pki-certificates/${id}`)).status, 200);
      }
      const again = await place(101);
      assert.equal(again.status, 201, again.body.toString());
      assert.equal(await server.stop(), 0, server.log());
    } finally {
      client.close();
      agent.destroy();
      if (server.process.exitCode === null && server.process.signalCode === null) await server.kill();
    }
  });
});
