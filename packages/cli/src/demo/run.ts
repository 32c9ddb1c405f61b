/** The main job from order to revocation, done as a stranger would: over the public API of a running sandbox. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { attribute, type Certificate, createCsr, fromPem, generateKey, nameOf } from '@certwright/pki';
import type { ReadyLine } from '@certwright/server';
import { createDemoApi } from './api.ts';
import { createHttpClient } from './http-client.ts';
import { askOcsp, checkChain, readCertificate, readCrl } from './relying-party.ts';
import type { Reporter } from './reporter.ts';

const DOMAIN = 'shop.example.com';
const REASON = 'superseded';
/** The contract gives a CRL 60 s; it takes about one. */
const CRL_PATIENCE_MS = 60_000;
const CRL_PAUSE_MS = 100;

export interface DemoResult {
  readonly orderId: string;
  readonly ocspUrl: string;
  readonly crlUrl: string;
}

/** Runs all steps and leaves the files in `directory`. Rejects with a `StepError` at the first step that fails. */
export async function runDemo(ready: ReadyLine, directory: string, reporter: Reporter): Promise<DemoResult> {
  const rootPem = await readFile(ready.caCertificate, 'utf8');
  const http = createHttpClient(rootPem);
  try {
    return await mainJob(ready, { directory, rootPem, http, reporter });
  } finally {
    http.close();
  }
}

interface World {
  readonly directory: string;
  readonly rootPem: string;
  readonly http: ReturnType<typeof createHttpClient>;
  readonly reporter: Reporter;
}

async function mainJob(ready: ReadyLine, world: World): Promise<DemoResult> {
  const { directory, rootPem, http, reporter } = world;
  const { step } = reporter;
  const api = createDemoApi(http, ready);
  const root = readCertificate(rootPem);

  await step(
    'Access token',
    () => api.token(),
    ({ expiresIn }) => `client credentials of account ${ready.clientId}, good for ${expiresIn} s`,
  );
  await step(
    'Products',
    async () => {
      const products = await api.products();
      const dv = products.find(({ typeId }) => typeId === '13');
      if (dv === undefined) throw new Error('the catalogue has no DV product');
      return { count: products.length, dv };
    },
    ({ count, dv }) => `${count} in the catalogue; ${dv.name} is ${dv.code}`,
  );
  const { orderId } = await step(
    'Order',
    async () => expectStatus(await api.createOrder(DOMAIN), 'pending-dcv'),
    (order) => `${order.orderId} for ${DOMAIN}, product ${order.product}, ${order.status}`,
  );

  const challenge = await step(
    'Challenge',
    () => api.challenge(orderId),
    ({ recordName, value }) => `TXT ${recordName} must be ${value}`,
  );
  await step(
    'DNS record',
    () => api.publishTxt(challenge.recordName, challenge.value),
    (values) =>
      `published in the sandbox’s DNS${ready.dns === undefined ? '' : ` at ${ready.dns.address}`}: ${values.join(' ')}`,
  );
  await step(
    'Domain control',
    async () => expectStatus(await api.verify(orderId, DOMAIN), 'VERIFIED'),
    ({ status, verifiedAt, resolver }) => `${status} at ${verifiedAt} by asking ${resolver} over DNS`,
  );

  const { key, csr } = await step(
    'Key and CSR',
    makeRequest,
    ({ bytes }) => `P-256 key made by this client; CSR of ${bytes} bytes`,
  );
  await step(
    'CSR',
    async () => {
      await api.submitCsr(orderId, csr);
      return expectStatus(await api.track(orderId), 'pending-agreement');
    },
    ({ status }) => `accepted, ${status}`,
  );
  await step(
    'Agreement',
    async () => {
      await api.acceptAgreement(orderId);
      return expectStatus(await api.track(orderId), 'issued');
    },
    ({ status, certificateState }) => `accepted, ${status}: ${certificateState}`,
  );

  const file = await step(
    'Certificate',
    async () => downloadAll(api, orderId),
    ({ leaf }) =>
      `serial ${leaf.serial.toUpperCase()}, ${day(leaf.notBefore)} to ${day(leaf.notAfter)}; JSON, PEM and DER agree`,
  );
  const { leaf, issuer } = file;
  await step(
    'Chain',
    () => checkChain([leaf, ...file.intermediates], root),
    () => `${commonName(leaf)} ← ${commonName(issuer)} ← ${commonName(root)}: valid`,
  );
  await step(
    'Files',
    () =>
      writeFiles(directory, {
        'certificate.pem': file.leafPem,
        'chain.pem': file.chainPem,
        'fullchain.pem': `${file.leafPem}${file.chainPem}`,
        'key.pem': key,
        'root.pem': rootPem,
      }),
    (names) => `${names.join(', ')} in ${directory}`,
  );

  const good = await step(
    'OCSP',
    async () => expectStatus(await askOcsp(http, leaf, issuer), 'good'),
    ({ status, responder }) => `${status}, signed by ${responder}`,
  );
  await step(
    'Revocation',
    async () => {
      await api.revoke(orderId, REASON);
      return expectStatus(await api.track(orderId), 'revoked');
    },
    ({ status, reason }) => `${status}, reason ${reason}`,
  );
  await step(
    'OCSP',
    async () => expectStatus(await askOcsp(http, leaf, issuer), 'revoked'),
    ({ status, revokedAt, reason }) => `${status} since ${revokedAt?.toISOString()}, reason ${reason ?? 'none'}`,
  );
  const crl = await step(
    'CRL',
    () => awaitCrl(() => readCrl(http, leaf, issuer)),
    ({ number, entries, reason }) =>
      `number ${number} lists the certificate (${entries} in all), reason ${reason ?? 'none'}`,
  );
  return { orderId, ocspUrl: good.url, crlUrl: crl.url };
}

async function makeRequest(): Promise<{ key: string; csr: string; bytes: number }> {
  const { privateKey } = await generateKey('ec-p256');
  const csr = await createCsr({
    subject: nameOf(['CN', DOMAIN]),
    sans: [{ kind: 'dns', value: DOMAIN }],
    key: privateKey,
  });
  const der = fromPem(csr, 'CERTIFICATE REQUEST');
  if (!der.ok) throw new Error(der.error.detail);
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), csr, bytes: der.value.length };
}

/** Fetches the certificate in every format and makes sure that all hold the same one. */
async function downloadAll(api: ReturnType<typeof createDemoApi>, orderId: string) {
  const { certificatePem, chainPem } = await api.certificate(orderId);
  const pem = (await api.certificateAs(orderId, 'pem')).toString('utf8');
  const der = await api.certificateAs(orderId, 'der');
  const leaf = readCertificate(certificatePem);
  const isSame = [readCertificate(pem), readCertificate(der)].every(
    (other) => Buffer.compare(other.der, leaf.der) === 0,
  );
  if (!isSame) throw new Error('JSON, PEM and DER hold different certificates');
  const intermediatesPem = chainPem.slice(0, -1);
  const intermediates = intermediatesPem.map(readCertificate);
  const [issuer] = intermediates;
  if (issuer === undefined) throw new Error('the chain has no issuing CA');
  return {
    leaf,
    issuer,
    intermediates,
    leafPem: withNewline(certificatePem),
    chainPem: intermediatesPem.map(withNewline).join(''),
  };
}

/** The private key is for its owner only. */
async function writeFiles(directory: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await rm(path, { force: true });
    await writeFile(path, content, { mode: name === 'key.pem' ? 0o600 : 0o644, flag: 'wx' });
  }
  return Object.keys(files);
}

/** CRLs are made in the background: reads again until the certificate is in. */
async function awaitCrl(read: () => ReturnType<typeof readCrl>): ReturnType<typeof readCrl> {
  const deadline = performance.now() + CRL_PATIENCE_MS;
  for (;;) {
    const crl = await read();
    if (crl.listed) return crl;
    if (performance.now() > deadline) throw new Error(`CRL number ${crl.number} does not list the certificate`);
    await wait(CRL_PAUSE_MS);
  }
}

function expectStatus<T extends { readonly status: string }>(answer: T, wanted: string): T {
  if (answer.status !== wanted) throw new Error(`the status is ${answer.status} where ${wanted} is due`);
  return answer;
}

const withNewline = (pem: string): string => (pem.endsWith('\n') ? pem : `${pem}\n`);
const day = (instant: number): string => new Date(instant).toISOString().slice(0, 10);
const commonName = ({ subject }: Certificate): string => attribute(subject, 'CN') ?? '(no common name)';
