import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import {
  type Certificate,
  certId,
  createCsr,
  encodeOcspRequest,
  generateKey,
  nameOf,
  parseCertificate,
  parseCrl,
  parseOcspResponse,
  publicKeyBits,
} from '@certwright/pki';
import {
  type ApiAnswer,
  type ApiClient,
  connectApi,
  type SandboxProcess,
  send,
  startSandboxProcess,
} from '../../../../test/support/sandbox.ts';

let sandbox: SandboxProcess;
let api: ApiClient;

before(async () => {
  sandbox = await startSandboxProcess();
  api = await connectApi(sandbox.ready);
});
after(async () => {
  api?.close();
  await sandbox?.stop();
});

const requestor = { name: 'Test client', email: 'client@example.com' };
const agreement = { signerName: 'Test client', signerPlace: 'localhost', accepted: true };
/** A domain that no other test has touched. */
const freshDomain = (): string => `t${randomUUID().slice(0, 8)}.example.com`;

async function csrFor(name: string): Promise<string> {
  const { privateKey } = await generateKey('ec-p256');
  return createCsr({ subject: nameOf(['CN', name]), key: privateKey });
}

function expectStatus(answer: ApiAnswer, status: number): Record<string, unknown> {
  assert.equal(answer.status, status, answer.bytes.toString());
  return answer.bytes.length === 0 ? {} : answer.json();
}

async function createSsl(domain: string, more: object = {}, client = api): Promise<string> {
  const order = await client.v2('POST', '/ssl-certificates', {
    productVariant: 'dv',
    requestor,
    certificate: { domain, autoSecureWww: false },
    csr: await csrFor(domain),
    agreement,
    ...more,
  });
  return String(expectStatus(order, 201).orderId);
}

const statusOf = async (family: string, orderId: string): Promise<unknown> =>
  expectStatus(await api.v2('GET', `/${family}/${orderId}`), 200).status;

const challenge = async (orderId: string, method: string): Promise<Record<string, unknown>> =>
  expectStatus(await api.v2('GET', `/ssl-certificates/${orderId}/dcv?method=${method}`), 200);

const verify = (orderId: string, domain: string, method: string): Promise<ApiAnswer> =>
  api.v2('POST', `/ssl-certificates/${orderId}/dcv/verify`, { domain, method });

/** Publishes the TXT record and verifies. */
async function proveByDns(orderId: string, domain: string): Promise<void> {
  const { dnsHost, token } = await challenge(orderId, 'dns-txt');
  expectStatus(await api.control('PUT', '/dns/records', { name: dnsHost, type: 'TXT', values: [token] }), 200);
  assert.equal(expectStatus(await verify(orderId, domain, 'dns-txt'), 200).status, 'VERIFIED');
}

interface Issued {
  readonly leaf: Certificate;
  readonly issuer: Certificate;
}

async function download(family: string, orderId: string): Promise<Issued> {
  const file = expectStatus(await api.v2('GET', `/${family}/${orderId}/certificate`), 200);
  const [issuerPem] = file.chainPem as string[];
  const leaf = parseCertificate(String(file.certificatePem));
  const issuer = parseCertificate(String(issuerPem));
  assert.ok(leaf.ok && issuer.ok);
  return { leaf: leaf.value, issuer: issuer.value };
}

async function ocspStatus({ leaf, issuer }: Issued) {
  const id = certId(issuer.subjectDer, publicKeyBits(issuer.spki), leaf.serialBytes, 'sha1');
  const answer = await send(leaf.ocspUrls[0] ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/ocsp-request' },
    body: encodeOcspRequest([id]),
  });
  const parsed = parseOcspResponse(answer.bytes);
  assert.ok(parsed.ok);
  return parsed.value.status === 'successful' ? parsed.value.responses[0]?.status : parsed.value.status;
}

async function crlEntry({ leaf }: Issued) {
  const answer = await send(leaf.crlUrls[0] ?? '');
  const parsed = parseCrl(answer.bytes);
  assert.ok(parsed.ok);
  return parsed.value.revoked.find(({ serial }) => serial === leaf.serial);
}

describe('main flows against a sandbox', { timeout: 120_000 }, () => {
  it('dns-txt: from order to certificate', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    assert.equal(await statusOf('ssl-certificates', orderId), 'pending-dcv');
    const early = await verify(orderId, domain, 'dns-txt');
    assert.equal(early.status, 422, 'nothing is published yet');
    await proveByDns(orderId, domain);
    assert.equal(await statusOf('ssl-certificates', orderId), 'issued');
    const { leaf } = await download('ssl-certificates', orderId);
    assert.deepEqual(leaf.sans, [{ kind: 'dns', value: domain }]);
  });

  it('http-url: by the sandbox’s web host', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    const { fileName, fileToken } = await challenge(orderId, 'http-url');
    const file = { host: domain, path: `/.well-known/pki-validation/${fileName}`, body: fileToken };
    assert.equal((await verify(orderId, domain, 'http-url')).status, 422);
    expectStatus(await api.control('PUT', '/http/files', file), 200);
    expectStatus(await verify(orderId, domain, 'http-url'), 200);
    assert.equal(await statusOf('ssl-certificates', orderId), 'issued');
  });

  it('http-url: by a host of one’s own', async (t) => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    const { fileName, fileToken } = await challenge(orderId, 'http-url');
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.headers.host} ${request.url}`);
      response.end(fileToken);
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expectStatus(await api.control('PUT', '/hosts', { name: domain, address: '127.0.0.1', httpPort: port }), 200);
    expectStatus(await verify(orderId, domain, 'http-url'), 200);
    assert.deepEqual(asked, [`${domain} /.well-known/pki-validation/${fileName}`]);
  });

  it('email: by the link in the mail and its confirm button', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    const { emailAddresses } = await challenge(orderId, 'email');
    assert.ok((emailAddresses as string[]).includes(`admin@${domain}`));
    const mailbox = encodeURIComponent(`admin@${domain}`);
    const { messages } = expectStatus(await api.control('GET', `/mail?to=${mailbox}&wait=20`), 200);
    const [mail] = messages as { links: string[] }[];
    const link = mail?.links[0] ?? '';
    assert.ok(link.startsWith(`${sandbox.ready.baseUrl}/validation/mail/`), link);
    const page = await send(link, { ca: await rootPem() });
    assert.equal(page.status, 200);
    assert.match(page.bytes.toString(), /<form[^>]+method="post"/i);
    assert.equal(await statusOf('ssl-certificates', orderId), 'pending-dcv', 'looking at the page changes nothing');
    const confirmed = await send(link, {
      method: 'POST',
      ca: await rootPem(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: '',
    });
    assert.equal(confirmed.status, 200, confirmed.bytes.toString());
    assert.equal(await statusOf('ssl-certificates', orderId), 'issued');
  });

  it('mode accept: every challenge is met without the network', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    expectStatus(await api.control('PUT', '/validation', { mode: 'accept' }), 200);
    expectStatus(await verify(orderId, domain, 'dns-txt'), 200);
    expectStatus(await api.control('PUT', '/validation', { mode: 'real' }), 200);
    assert.equal(await statusOf('ssl-certificates', orderId), 'issued');
  });

  it('CAA: another CA’s record forbids the order, ours allows it', async () => {
    const domain = freshDomain();
    const publish = (issuer: string) =>
      api.control('PUT', '/dns/records', { name: domain, type: 'CAA', values: [`0 issue "${issuer}"`] });
    expectStatus(await publish('ca.example.net'), 200);
    const order = { productVariant: 'dv', requestor, certificate: { domain, autoSecureWww: false } };
    const refused = await api.v2('POST', '/ssl-certificates', order);
    assert.equal(expectStatus(refused, 422).code, 'EMS-DOMAIN-001');
    expectStatus(await publish('emsign.com'), 200);
    await createSsl(domain);
  });

  it('OV issues by itself with the pre-vetting token', async () => {
    const { organizationNumber, preVettingToken } = sandbox.ready;
    const domain = freshDomain();
    const orderId = await createSsl(domain, {
      productVariant: 'ov',
      organization: { organizationNumber, preVetted: true, preVettingToken },
    });
    await proveByDns(orderId, domain);
    assert.equal(await statusOf('ssl-certificates', orderId), 'issued');
  });

  it('OV waits for approval without the token, and is approved or rejected through control', async () => {
    const organization = { organizationNumber: sandbox.ready.organizationNumber };
    for (const [verb, status] of [
      ['approve', 'issued'],
      ['reject', 'rejected'],
    ] as const) {
      const domain = freshDomain();
      const orderId = await createSsl(domain, { productVariant: 'ov', organization });
      await proveByDns(orderId, domain);
      assert.equal(await statusOf('ssl-certificates', orderId), 'pending-approval');
      const decided = expectStatus(await api.control('POST', `/orders/${orderId}/${verb}`), 200);
      assert.equal(decided.orderId, orderId);
      assert.equal(decided.accountNumber, sandbox.ready.accountNumber);
      assert.equal(await statusOf('ssl-certificates', orderId), status);
    }
  });

  it('EV carries the organization', async () => {
    const { organizationNumber, preVettingToken } = sandbox.ready;
    const domain = freshDomain();
    const organization = { organizationNumber, preVettingToken };
    const orderId = await createSsl(domain, { productVariant: 'ev', organization });
    await proveByDns(orderId, domain);
    const { leaf } = await download('ssl-certificates', orderId);
    assert.match(JSON.stringify(leaf.subject), /Example Organization Ltd/);
  });

  it('Private PKI issues at once; 990 waits for approval; any CA profile is taken', async () => {
    const create = async (headers: Record<string, string>) => {
      const hostname = `h${randomUUID().slice(0, 8)}.corp.internal`;
      const body = {
        variant: 'intranet-ssl',
        hostname,
        caProfileId: '310',
        masterProductId: '8',
        requestor,
        csr: await csrFor(hostname),
      };
      return String(expectStatus(await api.v2('POST', '/private-pki-certificates', body, headers), 201).orderId);
    };
    const automatic = await create({});
    assert.equal(await statusOf('private-pki-certificates', automatic), 'issued');
    const manual = await create({ 'X-Product-Code': '990' });
    assert.equal(await statusOf('private-pki-certificates', manual), 'pending-approval');
    expectStatus(await api.control('POST', `/orders/${manual}/approve`), 200);
    assert.equal(await statusOf('private-pki-certificates', manual), 'issued');
  });

  it('cancel, then nothing more', async () => {
    const orderId = await createSsl(freshDomain());
    expectStatus(await api.v2('POST', `/ssl-certificates/${orderId}/cancel`, { reason: 'not needed' }), 204);
    assert.equal(await statusOf('ssl-certificates', orderId), 'cancelled');
    assert.equal((await api.control('POST', `/orders/${orderId}/approve`)).status, 409);
  });

  it('revoke: OCSP at once, then the CRL', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    await proveByDns(orderId, domain);
    const issued = await download('ssl-certificates', orderId);
    assert.deepEqual(await ocspStatus(issued), { kind: 'good' });
    const revocation = { reason: 'key-compromise', note: 'test' };
    expectStatus(await api.v2('POST', `/ssl-certificates/${orderId}/revoke`, revocation), 204);
    const status = await ocspStatus(issued);
    assert.ok(typeof status === 'object' && status.kind === 'revoked' && status.reason === 'keyCompromise');
    // a move of the clock, even by nothing, runs what is due
    expectStatus(await api.control('POST', '/clock', { advance: 'PT0S' }), 200);
    assert.equal((await crlEntry(issued))?.reason, 'keyCompromise');
  });

  it('the second account sees nothing of the first', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    const other = await connectApi(sandbox.ready, sandbox.ready.second);
    try {
      assert.equal((await other.v2('GET', `/ssl-certificates/${orderId}`)).status, 404);
      assert.equal((await other.v2('POST', `/ssl-certificates/${orderId}/cancel`, { reason: 'mine' })).status, 404);
      const me = expectStatus(await other.v2('GET', '/auth/me'), 200);
      assert.equal(me.accountNumber, sandbox.ready.second.accountNumber);
      const own = await createSsl(domain, {}, other);
      assert.equal((await api.v2('GET', `/ssl-certificates/${own}`)).status, 404);
    } finally {
      other.close();
    }
  });

  it('time: a certificate expires, validations run out', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    await proveByDns(orderId, domain);
    const { notAfter } = (await download('ssl-certificates', orderId)).leaf;
    expectStatus(await api.control('POST', '/clock', { set: new Date(notAfter + 2_000).toISOString() }), 200);
    assert.equal(await statusOf('ssl-certificates', orderId), 'expired');
    const again = await createSsl(domain);
    assert.equal(await statusOf('ssl-certificates', again), 'pending-dcv', 'the proof is too old');
    expectStatus(await api.control('POST', '/reset'), 200);
  });

  it('reset: what came after the start is gone; tokens, connections and the ready line stay good', async () => {
    const domain = freshDomain();
    const orderId = await createSsl(domain);
    await proveByDns(orderId, domain);
    const issued = await download('ssl-certificates', orderId);
    await api.v2('POST', `/ssl-certificates/${orderId}/revoke`, { reason: 'superseded' });
    await api.control('POST', '/clock', { advance: 'P300D' });
    await api.control('POST', '/faults', { face: 'v2', status: 503 });
    await api.control('PUT', '/validation', { mode: 'accept' });
    const { organizationNumber } = sandbox.ready;
    await api.control('POST', `/organizations/${organizationNumber}/vet`, { decision: 'rejected' });

    expectStatus(await api.control('POST', '/reset'), 200);

    assert.equal((await api.v2('GET', `/ssl-certificates/${orderId}`)).status, 404);
    assert.equal(await ocspStatus(issued), 'unauthorized', 'the certificate never existed');
    assert.equal(await crlEntry(issued), undefined);
    assert.deepEqual(expectStatus(await api.control('GET', '/mail'), 200), { messages: [] });
    assert.deepEqual(expectStatus(await api.control('GET', '/faults'), 200), { faults: [] });
    assert.equal(expectStatus(await api.control('GET', '/clock'), 200).offsetSeconds, 0);
    const fresh = await createSsl(domain);
    assert.equal((await verify(fresh, domain, 'dns-txt')).status, 422, 'the record is gone and validation is real');
    const another = await connectApi(sandbox.ready);
    another.close();
    const again = freshDomain();
    const { preVettingToken } = sandbox.ready;
    const ov = await createSsl(again, { productVariant: 'ov', organization: { organizationNumber, preVettingToken } });
    await proveByDns(ov, again);
    const next = await download('ssl-certificates', ov);
    assert.deepEqual(await ocspStatus(next), { kind: 'good' });
  });
});

describe('faults against a sandbox', { timeout: 60_000 }, () => {
  const order = async (key: string): Promise<ApiAnswer> => {
    const hostname = 'fault.corp.internal';
    const body = { variant: 'intranet-ssl', hostname, requestor };
    return api.v2('POST', '/private-pki-certificates', body, { 'Idempotency-Key': key });
  };

  it('a dropped answer after the effect is replayed under the same key', async () => {
    const key = randomUUID();
    const fault = { face: 'v2', operation: 'createPrivatePkiOrder', drop: 'after' };
    expectStatus(await api.control('POST', '/faults', fault), 201);
    await assert.rejects(order(key));
    const replayed = await order(key);
    expectStatus(replayed, 201);
    assert.equal(replayed.headers['idempotency-replayed'], 'true');
  });

  it('a dropped request before the effect has none', async () => {
    const key = randomUUID();
    expectStatus(await api.control('POST', '/faults', { face: 'v2', drop: 'before' }), 201);
    await assert.rejects(order(key));
    const first = await order(key);
    expectStatus(first, 201);
    assert.equal(first.headers['idempotency-replayed'], undefined);
  });

  it('an EMS code comes as the vendor’s problem', async () => {
    const fault = {
      face: 'v2',
      operation: 'POST /api/certinext/v2/private-pki-certificates',
      code: 'EMS-939',
      status: 500,
    };
    expectStatus(await api.control('POST', '/faults', fault), 201);
    const problem = expectStatus(await order(randomUUID()), 500);
    assert.equal(problem.code, 'EMS-939');
    assert.match(String(problem.detail), /^\[EMS-939\] /);
  });

  it('the token endpoint and OCSP have their own', async () => {
    expectStatus(await api.control('POST', '/faults', { face: 'token', status: 429, times: 1 }), 201);
    await assert.rejects(connectApi(sandbox.ready), /429/);
    (await connectApi(sandbox.ready)).close();
    expectStatus(await api.control('POST', '/faults', { face: 'status', status: 503 }), 201);
    assert.equal((await send(`${sandbox.ready.httpUrl}/crl/issuing-1.crl`)).status, 503);
  });
});

async function rootPem(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(sandbox.ready.caCertificate, 'utf8');
}
