import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type CaRecord, type CertificateRecord, type Core, createCore } from '@certwright/core';
import {
  certId,
  encodeOcspRequest,
  parseCertificate,
  parseCrl,
  parseOcspResponse,
  publicKeyBits,
  verifyOcspResponse,
} from '@certwright/pki';
import { type CertwrightStore, openPostgresStore } from '@certwright/store';
import { startPostgres } from '../../../../test/support/postgres.ts';
import { revoke, testClock, world } from './installation.ts';

const DAY = 86_400_000;
const WITHIN_MS = 1_000;

const cluster = await startPostgres();

describe('status of two processes on one PostgreSQL', { skip: 'skip' in cluster ? cluster.skip : false }, () => {
  const clock = testClock();
  const stores: CertwrightStore[] = [];
  const cores: Core[] = [];
  let issuing: CaRecord;

  before(async () => {
    assert.ok(!('skip' in cluster));
    const url = await cluster.database();
    const key = randomBytes(32);
    for (let n = 0; n < 2; n++) {
      const store = await openPostgresStore({ url });
      stores.push(store);
      cores.push(createCore(world({ store, clock, key })));
    }
    const crl = { partitions: 1, lifetimeMs: 7 * DAY };
    const made = await Promise.all(
      cores.map((core) => core.authorities.bootstrap({ name: 'Certwright Test', keyAlgorithm: 'ec-p256', crl })),
    );
    assert.equal(made.filter(({ created }) => created).length, 1, 'both start at once, one makes the CA');
    const [first] = made;
    assert.ok(first);
    issuing = first.issuing;
  });
  after(() => Promise.all(stores.map((store) => store.close())));

  function process(index: number): { readonly core: Core; readonly store: CertwrightStore } {
    const [core, store] = [cores[index], stores[index]];
    assert.ok(core && store);
    return { core, store };
  }

  /** A valid certificate on record: its content does not matter to status. */
  async function certificate(): Promise<CertificateRecord> {
    const { store } = process(0);
    const [responder] = await store.authorities.responders(issuing.id);
    const like = await store.certificates.byId(responder?.certificateId ?? 0);
    assert.ok(like);
    const row: CertificateRecord = {
      ...like,
      id: await store.nextId(),
      serial: Buffer.concat([Uint8Array.of(1), randomBytes(15)]).toString('hex'),
      version: 1,
    };
    const insert = { op: 'insert', table: 'certificate', row } as const;
    assert.ok((await store.write({ bookkeeping: 'test', writes: [insert] })).ok);
    return row;
  }

  async function status(index: number, serial: string): Promise<string> {
    const issuer = parseCertificate(issuing.certificate);
    assert.ok(issuer.ok);
    const { subjectDer, spki } = issuer.value;
    const request = encodeOcspRequest([certId(subjectDer, publicKeyBits(spki), Buffer.from(serial, 'hex'), 'sha1')]);
    const answer = await process(index).core.status.ocsp(issuing.slug, request);
    const response = answer && parseOcspResponse(answer.body);
    assert.ok(response?.ok && response.value.status === 'successful');
    assert.ok(await verifyOcspResponse(response.value, issuer.value, clock.now()));
    return response.value.responses[0]?.status.kind ?? '';
  }

  async function within<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
    const started = performance.now();
    for (;;) {
      const value = await read();
      if (wanted(value)) return value;
      assert.ok(performance.now() - started < WITHIN_MS, 'not seen within a second');
      await pause(5);
    }
  }

  it('OCSP-05: a revocation shows at once in the process that did it, within a second in the other', async () => {
    for (let round = 0; round < 5; round++) {
      const record = await certificate();
      assert.equal(await status(0, record.serial), 'good');
      assert.equal(await status(1, record.serial), 'good');
      const parsed = parseCertificate(issuing.certificate);
      assert.ok(parsed.ok);
      await revoke(
        { ...process(0), clock },
        { record, der: new Uint8Array(), certificate: parsed.value },
        'superseded',
      );
      assert.equal(await status(0, record.serial), 'revoked');
      await within(
        () => status(1, record.serial),
        (kind) => kind === 'revoked',
      );
    }
  });

  it('a CRL that one publishes is served by the other, and both may publish at once', async () => {
    const crlOf = async (index: number) => {
      const crl = await process(index).core.status.crl(issuing.slug, 0);
      assert.ok(crl);
      return crl;
    };
    const first = await crlOf(1);
    await process(0).core.jobs.runDue();
    const second = await within(
      () => crlOf(1),
      ({ number }) => number > first.number,
    );
    const parsed = parseCrl(second.der);
    assert.ok(parsed.ok);
    assert.equal(parsed.value.revoked.length, 5);
    clock.move(DAY + 1_000);
    await Promise.all(cores.map((core) => core.status.publishDueCrls()));
    const [one, two] = [
      await crlOf(0),
      await within(
        () => crlOf(1),
        ({ number }) => number > second.number,
      ),
    ];
    assert.ok(one.number > second.number);
    const newest = await process(0).store.authorities.crl(issuing.id, 0);
    assert.ok(newest && newest.number >= Math.max(one.number, two.number));
    const der = await process(0).store.authorities.crlDer(newest);
    assert.ok(der && parseCrl(der).ok);
  });

  it('responders are renewed by both without harm', async () => {
    clock.move(21 * DAY);
    await Promise.all(cores.map((core) => core.status.renewResponders()));
    const record = await certificate();
    assert.equal(await status(0, record.serial), 'good');
    assert.equal(await status(1, record.serial), 'good');
    assert.deepEqual((await process(0).store.verifyAudit()).problems, []);
  });
});
