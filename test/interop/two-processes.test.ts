/** The main job against two servers on one PostgreSQL and one shared key, requests spread over both, one killed in the middle. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  certId,
  createCsr,
  encodeOcspRequest,
  generateKey,
  nameOf,
  parseCertificate,
  parseOcspResponse,
  publicKeyBits,
} from '@certwright/pki';
import { createSandboxDns, type SandboxDns } from '../../packages/server/src/sandbox/internet/dns/server.ts';
import { startPostgres } from '../support/postgres.ts';
import { type Client, httpCall, type Serve, sharedKeyFile, startServe, v2Client } from '../support/serve.ts';

describe('two servers on one PostgreSQL', () => {
  let folder: string;
  let dns: SandboxDns;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certwright-two-'));
    dns = await createSandboxDns({
      tsig: { name: 'test.', algorithm: 'hmac-sha256', secret: randomBytes(32).toString('base64') },
    });
  });
  after(async () => {
    await dns.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('do the main job together, and one goes on alone', async (test) => {
    const postgres = await startPostgres();
    if ('skip' in postgres) return test.skip(postgres.skip);
    const running: Serve[] = [];
    const clients: Client[] = [];
    const agent = new Agent({ keepAlive: true });
    try {
      const settings = {
        databaseUrl: await postgres.database(),
        'key.file': await sharedKeyFile(folder),
        'dns.servers': `${dns.address}:${dns.port}`,
        publicHttpUrl: 'http://pki.two.example',
      };
      // both at once: the first start must be safe
      const [a, b] = await Promise.all([
        startServe(join(folder, 'a'), settings),
        startServe(join(folder, 'b'), settings),
      ]);
      running.push(a, b);
      const firsts = [a, b].filter((server) => server.ready.firstAccount !== null);
      assert.equal(firsts.length, 1, 'exactly one process makes the first account');
      const account = firsts[0]?.ready.firstAccount;
      assert.ok(account);
      const one = await v2Client(a.ready.publicUrl, account);
      const two = await v2Client(b.ready.publicUrl, account);
      clients.push(one, two);

      const ok = async (client: Client, method: string, path: string, body?: unknown, status = 200) => {
        const answer = await client.call(method, path, body);
        assert.equal(answer.status, status, `${method} ${path}: ${answer.body.toString()}`);
        return answer;
      };

      // order on the one, challenge on the other, verification on the first again
      const domain = 'shop.northwind-two.com';
      const made = await ok(
        one,
        'POST',
        '/ssl-certificates',
        {
          productVariant: 'dv',
          requestor: { name: 'Two', email: 'two@northwind.example' },
          certificate: { domain, autoSecureWww: false },
        },
        201,
      );
      const { orderId, status } = made.json<{ orderId: string; status: string }>();
      assert.equal(status, 'pending-dcv');
      const challenge = (await ok(two, 'GET', `/ssl-certificates/${orderId}/dcv?method=dns-txt`)).json<{
        dnsHost: string;
        txtToken: string;
      }>();
      const published = dns.put(challenge.dnsHost, 'TXT', [challenge.txtToken]);
      assert.ok(published.ok);
      await ok(one, 'POST', `/ssl-certificates/${orderId}/dcv/verify`, { domain, method: 'dns-txt' });
      const key = await generateKey('ec-p256');
      const csr = await createCsr({ subject: nameOf(['CN', domain]), key: key.privateKey });
      await ok(two, 'PUT', `/ssl-certificates/${orderId}/csr`, { csr }, 204);
      await ok(
        one,
        'POST',
        `/ssl-certificates/${orderId}/agreement`,
        { agreement: { signerName: 'Two', signerPlace: 'Portland', accepted: true } },
        204,
      );
      const file = (await ok(two, 'GET', `/ssl-certificates/${orderId}/certificate`)).json<{
        certificatePem: string;
        chainPem: string[];
      }>();
      const certificate = parseCertificate(file.certificatePem);
      const issuer = parseCertificate(file.chainPem[0] ?? '');
      assert.ok(certificate.ok && issuer.ok);

      // both know the certificate as good
      const id = certId(
        issuer.value.subjectDer,
        publicKeyBits(issuer.value.spki),
        certificate.value.serialBytes,
        'sha256',
      );
      const slug = new URL(certificate.value.ocspUrls[0] ?? '').pathname;
      const ask = async (server: Serve): Promise<string> => {
        const answer = await httpCall(agent, `${server.ready.publicUrl}${slug}`, 'POST', encodeOcspRequest([id]), {
          'Content-Type': 'application/ocsp-request',
        });
        assert.equal(answer.status, 200);
        const parsed = parseOcspResponse(answer.body);
        assert.ok(parsed.ok);
        return parsed.value.status === 'successful'
          ? (parsed.value.responses[0]?.status.kind ?? 'none')
          : parsed.value.status;
      };
      assert.equal(await ask(a), 'good');
      assert.equal(await ask(b), 'good');

      // a revocation at the one shows there at once, at the other within a second
      await ok(one, 'POST', `/ssl-certificates/${orderId}/revoke`, { reason: 'superseded' }, 204);
      assert.equal(await ask(a), 'revoked');
      const deadline = Date.now() + 1_000;
      let seen = await ask(b);
      while (seen !== 'revoked' && Date.now() < deadline) {
        await delay(20);
        seen = await ask(b);
      }
      assert.equal(seen, 'revoked', 'the other process answers revoked within a second');

      // many private orders over both, one killed in the middle: the survivor finishes what its client repeats
      const privateKey = await generateKey('ec-p256');
      let killed: Promise<void> | undefined;
      let done = 0;
      const place = async (index: number): Promise<void> => {
        const host = `host-${index}.two.internal`;
        const body = {
          variant: 'intranet-ssl',
          hostname: host,
          requestor: { name: 'Two', email: 'two@northwind.example' },
          csr: await createCsr({ subject: nameOf(['CN', host]), key: privateKey.privateKey }),
        };
        const headers = { 'Idempotency-Key': `two-${index}` };
        const attempt = (client: Client) => client.call('POST', '/private-pki-certificates', body, headers);
        let answer = await attempt(index % 2 === 0 ? one : two).catch(() => undefined);
        // a broken connection: again at the survivor, under the same key, until the claim of the dead process runs out
        while (answer === undefined || answer.status === 409) {
          if (answer !== undefined) await delay(1_000);
          answer = await attempt(two);
        }
        assert.equal(answer.status, 201, answer.body.toString());
        if (++done === 60) killed = a.kill();
      };
      await Promise.all(Array.from({ length: 300 }, (_, index) => place(index)));
      assert.ok(killed);
      await killed;
      assert.equal((await ok(two, 'GET', `/ssl-certificates/${orderId}`)).json<{ status: string }>().status, 'revoked');
      assert.equal(await b.stop(), 0, b.log());
    } finally {
      for (const client of clients) client.close();
      agent.destroy();
      for (const server of running) {
        if (server.process.exitCode === null && server.process.signalCode === null) await server.kill();
      }
    }
  });
});
