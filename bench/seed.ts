/**
 * Makes stores with many certificates. The first order goes through the real server; the others are its copies with own
 * ids, serial numbers, names and dates, written in bulk through the store's one door, so that indexes, counters and the
 * audit chain are what the server itself would have left. Finished stores are kept in bench/.cache.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CertificateRecord, OrderRecord, SubscriptionRecord, Write } from '@certwright/core';
import { type CertwrightStore, openSqliteStore } from '@certwright/store';
import { issueAll, logIn } from './support/api.ts';
import { makeCsrs } from './support/material.ts';
import { type FirstAccount, startServer } from './support/server.ts';

const CACHE = fileURLToPath(new URL('.cache', import.meta.url));
const STORE_SOURCE = fileURLToPath(new URL('../packages/store/src/schema', import.meta.url));
/** Certificates of one write set. */
const SLICE = 250;
const SLICES_IN_FLIGHT = 4;
const DAY = 86_400_000;
/** Orders made through the API itself, to be tracked and revoked by the rows. */
const REAL_ORDERS = 50;

export interface SeedSpec {
  readonly certificates: number;
  /** How many of them are revoked; they do not expire within ten months. */
  readonly revoked: number;
}

export interface SeededStore {
  /** Data directory for `serve`. */
  readonly data: string;
  readonly account: FirstAccount;
  /** Orders that were placed through the API. */
  readonly orderIds: readonly string[];
  /** Serial number in the middle of the copies, lower-case hex. */
  readonly serial: string;
  /** Domain with a thousandth of the copies below it. */
  readonly domain: string;
}

interface Template {
  readonly order: OrderRecord;
  readonly subscription: SubscriptionRecord;
  readonly certificate: CertificateRecord & { readonly der: Uint8Array };
}

/** Everything that the copies depend on: another schema or another way of seeding makes another cache. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const files = [fileURLToPath(import.meta.url)];
  for await (const file of glob('**/*.ts', { cwd: STORE_SOURCE })) files.push(path.join(STORE_SOURCE, file));
  for (const file of files.toSorted()) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

async function readTemplate(store: CertwrightStore, orderId: string): Promise<Template> {
  const order = await store.orders.byNumber(orderId);
  const subscription = order === undefined ? undefined : await store.orders.subscription(order.subscriptionId);
  const certificate = await store.certificates.byId(order?.certificateId ?? 0);
  if (order === undefined || subscription === undefined || certificate === undefined || certificate.der === null) {
    throw new Error(`order ${orderId} is not complete on record`);
  }
  return { order, subscription, certificate: { ...certificate, der: certificate.der } };
}

/** The same certificate under another serial number of the same length; its signature does not fit any more. */
function reserialize(der: Uint8Array, from: string, to: string): Uint8Array {
  const copy = Buffer.from(der);
  copy.write(to, copy.indexOf(Buffer.from(from, 'hex')), 'hex');
  return copy;
}

type Fate = Pick<CertificateRecord, 'state' | 'revokedAt' | 'revocationReason' | 'notAfter'> &
  Pick<OrderRecord, 'phase'>;

/** Spreads numbers, so that dates depend on neither order nor domain (Knuth's multiplicative hash). */
const scatter = (index: number): number => Math.imul(index, 2_654_435_761) >>> 8;

function fateOf(index: number, { certificates, revoked }: SeedSpec, now: number): Fate {
  // spread evenly, so that revoked ones are everywhere in the table
  const isRevoked = Math.floor((index * revoked) / certificates) !== Math.floor(((index + 1) * revoked) / certificates);
  if (isRevoked) {
    const notAfter = now + (300 + (index % 90)) * DAY;
    return {
      state: 'revoked',
      revokedAt: now - (index % 60) * DAY,
      revocationReason: 'superseded',
      notAfter,
      phase: 'revoked',
    };
  }
  const notAfter = now + ((scatter(index) % 400) - 20) * DAY;
  return { state: 'valid', revokedAt: null, revocationReason: null, notAfter, phase: 'issued' };
}

const domainOf = (index: number): string => `team-${index % 1_000}.seed.example`;

async function copies(
  store: CertwrightStore,
  template: Template,
  index: number,
  fate: Fate,
  serial: string,
): Promise<Write[]> {
  const orderId = await store.nextId();
  const subscriptionId = await store.nextId();
  const certificateId = await store.nextId();
  const name = `host-${index}.${domainOf(index)}`;
  const { phase, ...certificate } = fate;
  return [
    { op: 'insert', table: 'subscription', row: { ...template.subscription, id: subscriptionId } },
    {
      op: 'insert',
      table: 'order',
      row: {
        ...template.order,
        id: orderId,
        number: String(index).padStart(10, '0'),
        requestNumber: String(index).padStart(10, '0'),
        phase,
        names: [{ kind: 'dns', value: name, domainId: null }],
        label: name,
        subscriptionId,
        certificateId,
      },
    },
    {
      op: 'insert',
      table: 'certificate',
      row: {
        ...template.certificate,
        ...certificate,
        id: certificateId,
        orderId,
        serial,
        der: reserialize(template.certificate.der, template.certificate.serial, serial),
        label: name,
        names: [name],
      },
    },
  ];
}

async function fill(
  store: CertwrightStore,
  template: Template,
  spec: SeedSpec,
  say: (line: string) => void,
): Promise<string> {
  const now = Date.now();
  const middle = Math.floor(spec.certificates / 2);
  let serialInTheMiddle = '';
  const inFlight = new Set<Promise<void>>();

  async function writeSlice(from: number): Promise<void> {
    const writes: Write[] = [];
    for (let index = from; index < Math.min(from + SLICE, spec.certificates); index++) {
      // the first octet stays, so that the INTEGER keeps its length
      const serial = template.certificate.serial.slice(0, 2) + randomBytes(15).toString('hex');
      if (index === middle) serialInTheMiddle = serial;
      writes.push(...(await copies(store, template, index, fateOf(index, spec, now), serial)));
    }
    const outcome = await store.write({
      writes,
      audit: [
        {
          at: now,
          accountId: template.order.accountId,
          actor: 'system',
          channel: 'bench',
          activity: 'bench.seeded',
          objectType: 'order',
          objectId: String(from),
          outcome: 'success',
          requestId: '',
          ip: '',
          details: { certificates: writes.length / 3 },
        },
      ],
    });
    if (!outcome.ok) throw new Error(`seeding met ${JSON.stringify(outcome.error)}`);
  }

  for (let from = 0; from < spec.certificates; from += SLICE) {
    const slice = writeSlice(from).finally(() => inFlight.delete(slice));
    inFlight.add(slice);
    if (inFlight.size >= SLICES_IN_FLIGHT) await Promise.race(inFlight);
    if (from > 0 && from % 100_000 === 0) say(`${from.toLocaleString('en')} certificates seeded`);
  }
  await Promise.all(inFlight);
  return serialInTheMiddle;
}

async function make(data: string, spec: SeedSpec, say: (line: string) => void): Promise<Omit<SeededStore, 'data'>> {
  const server = await startServer({ data });
  let account: FirstAccount | null;
  let orderIds: readonly string[];
  try {
    account = server.firstAccount;
    if (account === null) throw new Error('the store was not empty');
    orderIds = await issueAll(await logIn(server.apiPort, account), await makeCsrs(REAL_ORDERS));
  } finally {
    await server.stop();
  }
  const store = await openSqliteStore({ directory: data });
  try {
    const template = await readTemplate(store, orderIds[0] ?? '');
    const serial = await fill(store, template, spec, say);
    return { account, orderIds, serial, domain: domainOf(Math.floor(spec.certificates / 2)) };
  } finally {
    await store.close();
  }
}

/** The store of this description, from the cache or made now (a million certificates: a few minutes, some gigabytes). */
export async function seededStore(spec: SeedSpec, say: (line: string) => void): Promise<SeededStore> {
  const directory = path.join(CACHE, `${await fingerprint()}-${spec.certificates}-${spec.revoked}`);
  const data = path.join(directory, 'data');
  const description = path.join(directory, 'seed.json');
  if (!existsSync(description)) {
    say(`seeding ${spec.certificates.toLocaleString('en')} certificates, ${spec.revoked.toLocaleString('en')} revoked`);
    await rm(directory, { recursive: true, force: true });
    await mkdir(data, { recursive: true, mode: 0o700 });
    const startedAt = performance.now();
    await writeFile(description, JSON.stringify(await make(data, spec, say), null, 2));
    say(`seeded in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  }
  return { data, ...JSON.parse(await readFile(description, 'utf8')) };
}
