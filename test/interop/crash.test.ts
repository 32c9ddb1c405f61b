/**
 * A server killed in the middle of a thousand orders: nothing acknowledged is lost, nothing stays half issued, nothing is
 * issued twice, and the audit chain holds. On both stores.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createCsr, generateKey, nameOf, parseCertificate } from '@certwright/pki';
import { startPostgres } from '../support/postgres.ts';
import { type Client, runCertwright, type Serve, sharedKeyFile, startServe, v2Client } from '../support/serve.ts';

const ORDERS = 1_000;
const KILL_AFTER = 250;

interface Placed {
  readonly host: string;
  readonly key: string;
  /** Order id when the answer arrived. */
  orderId?: string;
  issuedWhenAnswered?: boolean;
}

interface OrderAnswer {
  readonly orderId: string;
  readonly status: string;
}

async function crashDuringOrders(
  data: string,
  set: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  let server: Serve = await startServe(data, set, env);
  const account = server.ready.firstAccount;
  assert.ok(account, 'the first start prints the first account');
  let client: Client = await v2Client(server.ready.publicUrl, account);
  try {
    const key = await generateKey('ec-p256');
    const placed: Placed[] = Array.from({ length: ORDERS }, (_, index) => ({
      host: `host-${index}.crash.internal`,
      key: randomUUID(),
    }));
    const csrs = new Map<string, string>();
    for (const { host } of placed)
      csrs.set(host, await createCsr({ subject: nameOf(['CN', host]), key: key.privateKey }));
    const place = async (order: Placed): Promise<OrderAnswer> => {
      const answer = await client.call(
        'POST',
        '/private-pki-certificates',
        {
          variant: 'intranet-ssl',
          hostname: order.host,
          requestor: { name: 'Crash Test', email: 'crash@test.example' },
          csr: csrs.get(order.host),
        },
        { 'Idempotency-Key': order.key },
      );
      assert.equal(answer.status, 201, answer.body.toString());
      return answer.json<OrderAnswer>();
    };

    let answered = 0;
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const all = placed.map(async (order) => {
      try {
        const made = await place(order);
        order.orderId = made.orderId;
        order.issuedWhenAnswered = made.status === 'issued';
        answered++;
        if (answered === KILL_AFTER) resolve();
      } catch (error) {
        // a broken connection is what the kill leads to; a wrong answer is not
        if (error instanceof assert.AssertionError) throw error;
      }
    });
    await enough;
    await server.kill();
    await Promise.all(all);
    client.close();
    assert.ok(answered >= KILL_AFTER && answered < ORDERS, `killed in the middle: ${answered} answered`);

    server = await startServe(data, set, env);
    client = await v2Client(server.ready.publicUrl, account);

    // nothing that was answered is lost, and what was answered as issued can be fetched at once
    for (const order of placed) {
      if (order.orderId === undefined || order.issuedWhenAnswered !== true) continue;
      const file = await client.call('GET', `/private-pki-certificates/${order.orderId}/certificate`);
      assert.equal(file.status, 200, `${order.host}: ${file.body.toString()}`);
    }

    // the client repeats what it has no answer to, under the same keys; a claim of the dead process runs out
    const ids = new Map<string, string>();
    for (const order of placed) {
      if (order.orderId !== undefined) {
        ids.set(order.host, order.orderId);
        continue;
      }
      for (;;) {
        const answer = await client.call(
          'POST',
          '/private-pki-certificates',
          {
            variant: 'intranet-ssl',
            hostname: order.host,
            requestor: { name: 'Crash Test', email: 'crash@test.example' },
            csr: csrs.get(order.host),
          },
          { 'Idempotency-Key': order.key },
        );
        if (answer.status === 409) {
          assert.ok(Number(answer.headers['retry-after']) > 0, 'a claim in the way says when to come again');
          await delay(1_000);
          continue;
        }
        assert.equal(answer.status, 201, answer.body.toString());
        ids.set(order.host, answer.json<OrderAnswer>().orderId);
        break;
      }
    }
    assert.equal(new Set(ids.values()).size, ORDERS, 'one order each');

    // all become issued: prepared certificates of the dead process are finished by this one
    const serials = new Set<string>();
    for (const [host, id] of ids) {
      for (;;) {
        const file = await client.call('GET', `/private-pki-certificates/${id}/certificate`);
        if (file.status === 422) {
          await delay(500);
          continue;
        }
        assert.equal(file.status, 200, file.body.toString());
        const { certificatePem } = file.json<{ certificatePem: string }>();
        const certificate = parseCertificate(certificatePem);
        assert.ok(certificate.ok);
        assert.deepEqual(certificate.value.sans, [{ kind: 'dns', value: host }]);
        serials.add(certificate.value.serial);
        break;
      }
    }
    assert.equal(serials.size, ORDERS, 'one certificate each');

    // the inventory knows exactly these, none beside them: nothing was issued twice
    const page = await runCertwright(
      ['cert', 'list', '--json', '--domain', 'crash.internal', '--limit', String(2 * ORDERS), '--data', data],
      env,
    );
    assert.equal(page.code, 0, page.stderr);
    const { items } = JSON.parse(page.stdout) as {
      readonly items: readonly { readonly serial: string; readonly state: string }[];
    };
    assert.ok(items.every((item) => item.state === 'valid'));
    const listed = items.map((item) => item.serial.toLowerCase());
    assert.deepEqual(listed.sort(), [...serials].sort());

    client.close();
    assert.equal(await server.stop(), 0, server.log());
    const verified = await runCertwright(
      [
        'audit',
        'verify',
        '--json',
        ...Object.entries({ data, ...set }).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
      ],
      env,
    );
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  } finally {
    client.close();
    if (server.process.exitCode === null && server.process.signalCode === null) await server.kill();
  }
}

describe('kill -9 during a thousand orders', { concurrency: 2 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certwright-crash-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('SQLite: nothing lost, half issued or doubled; the audit chain holds', () =>
    crashDuringOrders(join(folder, 'sqlite'), {}, {}));

  it('PostgreSQL: nothing lost, half issued or doubled; the audit chain holds', async (test) => {
    const postgres = await startPostgres();
    if ('skip' in postgres) return test.skip(postgres.skip);
    await crashDuringOrders(
      join(folder, 'postgres'),
      { databaseUrl: await postgres.database(), 'key.file': await sharedKeyFile(folder) },
      {},
    );
  });
});
