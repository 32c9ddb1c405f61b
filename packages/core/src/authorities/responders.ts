/** OCSP signers: a delegated responder per CA (RFC 6960 section 4.2.2.2), renewed before anybody notices. */

import {
  attributes,
  describeSpki,
  nameOf,
  parseCertificate,
  responderKeyHash,
  signatureAlgorithmFor,
} from '@certwright/pki';
import type { Issuance } from '../issuance/issuance.ts';
import type { Instant } from '../ports/world.ts';
import type { CertificateRecord, ResponderRecord } from '../records/index.ts';
import { BoundedMap } from '../support.ts';
import { type AuthorityDirectory, canSign, type SigningCa } from './directory.ts';
import {
  type AuthorityDeps,
  issuedCertificate,
  keyRecord,
  preparedEntry,
  preparePlatformCertificate,
} from './platform-certificates.ts';

/** What signs OCSP answers for a CA. */
export interface Responder {
  readonly keyId: number;
  /** SHA-1 over the key bits: the ResponderID. */
  readonly keyHash: Uint8Array;
  /** Complete DER AlgorithmIdentifier of its signatures. */
  readonly signatureAlgorithm: Uint8Array;
  readonly certificate: Uint8Array;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

export interface Responders {
  /** The responder to sign with now; made when the CA has none that is valid. Rejects when that fails. */
  current(ca: SigningCa): Promise<Responder>;
  /** Makes the successors of those that are past two thirds of their life, ends what a dead process began; how many. */
  renewDue(): Promise<number>;
}

const DAY_MS = 86_400_000;
const LIFE_MS = 30 * DAY_MS;
/** How long another process's successor may stay unseen. */
const LOOK_AGAIN_MS = 60_000;
const MAX_NAME = 64;
const NAME_SUFFIX = ' OCSP responder';

type Span = Pick<Responder, 'notBefore' | 'notAfter'>;

const isValid = ({ notBefore, notAfter }: Span, now: Instant): boolean => now >= notBefore && now < notAfter;

/** Whether two thirds of the life have passed, or it has not begun (the clock was put back). */
const isDue = (span: Span, now: Instant): boolean =>
  !isValid(span, now) || now >= span.notBefore + ((span.notAfter - span.notBefore) * 2) / 3;

interface Kept {
  readonly responder: Responder;
  readonly lookAgainAt: Instant;
}

export function createResponders(deps: AuthorityDeps, issuance: Issuance, directory: AuthorityDirectory): Responders {
  const { store, clock, wallClock, vault, log } = deps;
  const kept = new BoundedMap<number, Kept>(10_000);
  const underWay = new Map<number, Promise<Responder>>();

  function describe(record: ResponderRecord): Responder | undefined {
    if (record.der === null) return undefined;
    const certificate = parseCertificate(record.der);
    if (!certificate.ok) throw new Error(`OCSP signer ${record.id} on record: ${certificate.error.detail}`);
    const { spki } = certificate.value;
    const key = describeSpki(spki);
    if (!key.ok || key.value.algorithm === undefined) throw new Error(`OCSP signer ${record.id} has an unknown key`);
    return {
      keyId: record.keyId,
      keyHash: responderKeyHash(spki),
      signatureAlgorithm: signatureAlgorithmFor(key.value.algorithm).derAlgorithmIdentifier,
      certificate: record.der,
      notBefore: record.notBefore,
      notAfter: record.notAfter,
    };
  }

  /** Signs a recorded responder and puts it on record. Undefined when another process did so first. */
  async function complete(
    ca: SigningCa,
    responder: ResponderRecord,
    certificate: CertificateRecord,
  ): Promise<ResponderRecord | undefined> {
    const der = await issuance.sign(certificate, ca.keyId, ca.keyAlgorithm);
    const issued = issuedCertificate('responders', clock.now(), certificate, der, ca.slug);
    const outcome = await store.write({
      writes: [
        issued.write,
        { op: 'update', table: 'responder', id: responder.id, version: responder.version, set: { der } },
      ],
      audit: [issued.entry],
    });
    return outcome.ok ? { ...responder, der, version: responder.version + 1 } : undefined;
  }

  async function make(ca: SigningCa): Promise<ResponderRecord | undefined> {
    const now = clock.now();
    const entry = await directory.byId(ca.id);
    const [organization] = entry === undefined ? [] : attributes(entry.certificate.subject, 'O');
    const commonName = `${ca.name.slice(0, MAX_NAME - NAME_SUFFIX.length)}${NAME_SUFFIX}`;
    const key = await vault.generate(ca.keyAlgorithm);
    const prepared = await preparePlatformCertificate(issuance, {
      issuer: { kind: 'ca', ca },
      profileId: 'ocsp-responder',
      subject:
        organization === undefined ? nameOf(['CN', commonName]) : nameOf(['O', organization], ['CN', commonName]),
      key,
      notAfter: now + LIFE_MS,
      label: commonName,
    });
    if (!prepared.ok) throw new Error(`no OCSP signer can be made for CA ${ca.slug}: ${prepared.error.detail}`);
    const certificate = prepared.value;
    const keyId = await store.nextId();
    const responder: ResponderRecord = {
      id: await store.nextId(),
      caId: ca.id,
      keyId,
      certificateId: certificate.id,
      der: null,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      createdAt: now,
      version: 1,
    };
    const outcome = await store.write({
      writes: [
        { op: 'insert', table: 'key', row: keyRecord(keyId, key, now) },
        { op: 'insert', table: 'certificate', row: certificate },
        { op: 'insert', table: 'responder', row: responder },
      ],
      audit: [preparedEntry('responders', now, certificate, ca.slug)],
    });
    if (!outcome.ok) return undefined;
    log.info('ocsp.responderRenewed', { ca: ca.slug, serial: certificate.serial });
    return complete(ca, responder, certificate);
  }

  /** The newest responder on record that is valid now, else a new one. */
  async function choose(ca: SigningCa): Promise<Responder> {
    const now = clock.now();
    const onRecord = await store.authorities.responders(ca.id);
    const valid = onRecord.find((record) => record.der !== null && isValid(record, now));
    const record = valid ?? (await make(ca));
    const responder = record === undefined ? undefined : describe(record);
    if (responder === undefined) throw new Error(`CA ${ca.slug} has no OCSP signer`);
    kept.set(ca.id, { responder, lookAgainAt: now + LOOK_AGAIN_MS });
    return responder;
  }

  function chooseOnce(ca: SigningCa): Promise<Responder> {
    let choosing = underWay.get(ca.id);
    if (choosing === undefined) {
      choosing = choose(ca).finally(() => underWay.delete(ca.id));
      underWay.set(ca.id, choosing);
    }
    return choosing;
  }

  /** Ends what a dead process began; true when it led to a certificate. */
  async function resume(ca: SigningCa, responder: ResponderRecord): Promise<boolean> {
    const certificate = await store.certificates.byId(responder.certificateId);
    if (certificate?.state !== 'prepared' || (certificate.leaseUntil ?? 0) > wallClock.now()) return false;
    return (await complete(ca, responder, certificate)) !== undefined;
  }

  /** Keys of signers whose last answers have long expired need not be kept. */
  async function removeExpired(responders: readonly ResponderRecord[], now: Instant): Promise<void> {
    const expired = responders.filter(({ notAfter }) => notAfter + LIFE_MS < now);
    if (expired.length === 0) return;
    await store.write({
      bookkeeping: 'OCSP signers that expired long ago',
      writes: expired.flatMap(
        ({ id, keyId }) =>
          [
            { op: 'delete', table: 'responder', id },
            { op: 'delete', table: 'key', id: keyId },
          ] as const,
      ),
    });
  }

  return {
    async current(ca) {
      const now = clock.now();
      const known = kept.get(ca.id);
      if (known === undefined || !isValid(known.responder, now)) return chooseOnce(ca);
      // past two thirds somebody has made a successor by now
      if (isDue(known.responder, now) && now >= known.lookAgainAt) return chooseOnce(ca);
      return known.responder;
    },

    async renewDue() {
      let count = 0;
      for (const ca of await store.authorities.list()) {
        const now = clock.now();
        if (!canSign(ca) || now >= ca.notAfter) continue;
        const responders = await store.authorities.responders(ca.id);
        for (const responder of responders) {
          if (responder.der === null && (await resume(ca, responder))) count++;
        }
        const fresh = responders.some((record) => record.der !== null && !isDue(record, now));
        if (!fresh && (await make(ca)) !== undefined) {
          kept.delete(ca.id);
          count++;
        }
        await removeExpired(responders, now);
      }
      return count;
    },
  };
}
