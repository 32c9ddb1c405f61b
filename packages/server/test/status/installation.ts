/** A whole core on a real store with the status face on a loopback port, and a hand to issue and revoke certificates. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CaRecord,
  type CertificateRecord,
  type Clock,
  type Core,
  type CoreDependencies,
  type CoreSettings,
  createCore,
  type KeyVault,
  type RevocationReason,
  type Store,
} from '@certwright/core';
import { type Certificate, generateKey, type KeyAlgorithm, nameOf, parseCertificate } from '@certwright/pki';
import { type CertwrightStore, openSqliteStore } from '@certwright/store';
import fastify, { type FastifyInstance } from 'fastify';
// the pipeline itself: tests issue without placing orders
import { createIssuance } from '../../../core/src/issuance/issuance.ts';
import { createKeyVault, createSecretBox, platformKey } from '../../src/adapters/vault/index.ts';
import { faceStatus } from '../../src/faces/status/plugin.ts';

export const OPERATOR = {
  operator: 'test',
  origin: { channel: 'test', requestId: '', ip: '127.0.0.1', originator: 'test' },
};

export interface TestClock extends Clock {
  /** Moves the clock by ms, either way. */
  move(ms: number): void;
}

export function testClock(): TestClock {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    move(ms) {
      offset += ms;
    },
  };
}

export interface WorldOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly key?: Uint8Array;
  readonly publicHttpUrl?: string;
  readonly settings?: Partial<CoreSettings>;
  readonly wrapVault?: (vault: KeyVault) => KeyVault;
}

/** Dependencies of a core that talks to nobody. */
export function world(options: WorldOptions): CoreDependencies {
  const { store, clock, key = randomBytes(32), publicHttpUrl = 'http://pki.example', wrapVault } = options;
  const secrets = createSecretBox(platformKey(key));
  const vault = createKeyVault({ secrets, load: (keyId) => store.authorities.key(keyId) });
  const absent = async (name: string) =>
    ({ kind: 'failure', reason: 'network', detail: `no network to look up ${name}`, server: '' }) as const;
  return {
    store,
    clock,
    wallClock: { now: () => Date.now() },
    random: { bytes: (length) => randomBytes(length) },
    vault: wrapVault?.(vault) ?? vault,
    secrets,
    perspectives: [
      {
        name: 'none',
        region: 'none',
        resolver: { resolve: absent },
        http: { get: async () => ({ kind: 'failure', reason: 'connect', detail: 'no network', hops: [] }) },
      },
    ],
    mailer: { send: async () => undefined },
    publicSuffix: () => ({ isSuffix: false, registrable: null }),
    settings: {
      publicUrl: 'https://localhost:8440',
      publicHttpUrl,
      caaIdentities: ['ca.example'],
      validationMode: () => 'accept',
      domainReuseDays: 200,
      ocspLifetimeMs: 86_400_000,
      ocspCacheEntries: 1_000,
      keyChecks: {},
      acceptAnyCaProfile: true,
      ...options.settings,
    },
    log: { info() {}, warn() {}, error() {} },
  };
}

export interface Installation {
  readonly folder: string;
  readonly deps: CoreDependencies;
  readonly core: Core;
  readonly store: CertwrightStore;
  readonly clock: TestClock;
  readonly app: FastifyInstance;
  /** Base of the status URLs, and in certificates. */
  readonly url: string;
  readonly root: CaRecord;
  readonly issuing: CaRecord;
  /** Issues a server certificate from the issuing CA and puts it on record. */
  issue(ca?: CaRecord, validityMs?: number): Promise<Issued>;
  /** Writes DER as PEM into the folder; returns the path. */
  pemFile(name: string, ...ders: readonly Uint8Array[]): Promise<string>;
  close(): Promise<void>;
}

export interface Issued {
  readonly record: CertificateRecord;
  readonly der: Uint8Array;
  readonly certificate: Certificate;
}

export interface InstallationOptions {
  readonly keyAlgorithm?: KeyAlgorithm;
  readonly partitions?: number;
  readonly settings?: Partial<CoreSettings>;
  readonly wrapVault?: (vault: KeyVault) => KeyVault;
}

export async function install(options: InstallationOptions = {}): Promise<Installation> {
  const { keyAlgorithm = 'ec-p256', partitions = 1, settings = {}, wrapVault } = options;
  const folder = await mkdtemp(join(tmpdir(), 'certwright-status-'));
  const store = await openSqliteStore({ directory: folder });
  const clock = testClock();
  const app = fastify({ routerOptions: { maxParamLength: 8_192 } });
  // the port must be known before the first certificate names it
  let core: Core | undefined;
  const started = (): Core => {
    assert.ok(core);
    return core;
  };
  await app.register(faceStatus, {
    status: {
      ocsp: (...args) => started().status.ocsp(...args),
      crl: (...args) => started().status.crl(...args),
      authority: (...args) => started().status.authority(...args),
    },
    clock,
    log: (error) => {
      throw error;
    },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const deps = world({ store, clock, publicHttpUrl: url, settings, ...(wrapVault ? { wrapVault } : {}) });
  core = createCore(deps);
  const crl = { partitions, lifetimeMs: 7 * 86_400_000 };
  const { root, issuing } = await core.authorities.bootstrap({ name: 'Certwright Test', keyAlgorithm, crl });
  const issuance = createIssuance(deps);

  return {
    folder,
    deps,
    core,
    store,
    clock,
    app,
    url,
    root,
    issuing,
    async issue(ca = issuing, validityMs = 90 * 86_400_000) {
      assert.ok(ca.keyId);
      const { spki } = await generateKey('ec-p256');
      const prepared = await issuance.prepare({
        issuer: { kind: 'ca', ca },
        profileId: 'intranet-server',
        subject: nameOf(['CN', 'host.example']),
        sans: [{ kind: 'dns', value: 'host.example' }],
        spki,
        notAfter: clock.now() + validityMs,
        accountId: 1,
        groupId: 1,
        orderId: 0,
        label: 'host.example',
        names: ['host.example'],
      });
      assert.ok(prepared.ok, 'the certificate was refused');
      const record = prepared.value;
      const insert = { op: 'insert', table: 'certificate', row: record } as const;
      assert.ok((await store.write({ bookkeeping: 'test', writes: [insert] })).ok);
      const der = await issuance.sign(record, ca.keyId, ca.keyAlgorithm);
      const set = { state: 'valid', der, tbs: null, leaseUntil: null } as const;
      await update(store, record, set);
      const certificate = parseCertificate(der);
      assert.ok(certificate.ok);
      return { record: { ...record, ...set, version: 2 }, der, certificate: certificate.value };
    },
    async pemFile(name, ...ders) {
      const path = join(folder, name);
      await writeFile(path, ders.map(pem).join(''));
      return path;
    },
    async close() {
      await app.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

export function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

async function update(store: Store, record: CertificateRecord, set: Partial<CertificateRecord>): Promise<void> {
  const { id, version, caId, serial } = record;
  const outcome = await store.write({
    bookkeeping: 'test',
    writes: [{ op: 'update', table: 'certificate', id, version, set }],
    jobs: [{ kind: 'crl.publish', key: `crl:${caId}`, payload: { caId }, runAt: 0 }],
    invalidate: [{ kind: 'certificate', caId, serial }],
  });
  assert.ok(outcome.ok);
}

/** Revokes (or, with certificateHold, suspends) as the order use case does: one write set with job and invalidation. */
export async function revoke(
  { store, clock }: Pick<Installation, 'store' | 'clock'>,
  { record, ...rest }: Issued,
  reason: RevocationReason,
): Promise<Issued> {
  const state = reason === 'certificateHold' ? 'hold' : 'revoked';
  const set = { state, revokedAt: clock.now(), revocationReason: reason } as const;
  await update(store, record, set);
  return { ...rest, record: { ...record, ...set, version: record.version + 1 } };
}

/** Ends a hold. */
export async function resume({ store }: Pick<Installation, 'store'>, { record, ...rest }: Issued): Promise<Issued> {
  const set = { state: 'valid', revokedAt: null, revocationReason: null } as const;
  await update(store, record, set);
  return { ...rest, record: { ...record, ...set, version: record.version + 1 } };
}
