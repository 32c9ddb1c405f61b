/** CRLs: streamed from the store, recorded, signed, published; one round per CA makes the full list and its partitions. */

import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CrlBuilder, type CrlHeader, isCrlReason } from '@certwright/pki';
import { auditEntry, systemContext } from '../audit/draft.ts';
import { type AuthorityDirectory, type AuthorityEntry, canSign, type SigningCa } from '../authorities/directory.ts';
import { crlPath } from '../issuance/issuance.ts';
import { mintPermit } from '../issuance/permit.ts';
import type { Instant } from '../ports/world.ts';
import type { CaRecord, CrlRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { MAX_ATTEMPTS } from '../support.ts';
import { createCrlStorage } from './crl-storage.ts';

export interface PublishedCrl {
  readonly number: number;
  readonly der: Uint8Array;
  readonly entries: number;
  readonly thisUpdate: Instant;
  readonly nextUpdate: Instant;
}

export interface CrlPublisher {
  /** The newest CRL of a partition (0 = full); made when there is none that is in time. Undefined: no such CRL. */
  newest(ca: CaRecord, partition: number): Promise<PublishedCrl | undefined>;
  /**
   * Makes all CRLs of the CA anew. Whatever was revoked before the call is in them: a call that comes while a round is
   * under way waits for one more round, which all such calls share.
   */
  publish(ca: SigningCa): Promise<void>;
  /** Publishes for the CAs of which a CRL is due; how many CRLs were made. */
  publishDue(): Promise<number>;
  /**
   * After a revocation. Undefined when the CRLs were made; large ones keep a distance, then how many ms to wait.
   */
  publishSoon(caId: number): Promise<number | undefined>;
}

const DAY_MS = 86_400_000;
/** Larger CRLs are not kept while their successor is made, but read again if somebody asks meanwhile. */
const LARGE_BYTES = 4 * 1024 * 1024;
/** Hashed at one go, some half a millisecond. */
const SLICE_BYTES = 512 * 1024;
/** Rounds of fewer entries may follow each other at once. */
const LARGE_ENTRIES = 100_000;
/** Large rounds may take a fifth of the time. */
const DISTANCE_FACTOR = 4;
const MAX_DISTANCE_MS = 30_000;

const ACTOR = 'crl';

interface Plan {
  readonly number: number;
  readonly predecessor: Predecessor | undefined;
}

/** What the next CRL depends on. */
type Predecessor = Omit<PublishedCrl, 'der'>;

function factsOf({ number, entries, thisUpdate, nextUpdate }: CrlRecord | PublishedCrl): Predecessor {
  return { number, entries, thisUpdate, nextUpdate };
}

interface CaState {
  /** By partition. */
  readonly kept: Map<number, PublishedCrl>;
  /** By partition; survives where `kept` gave way to the memory that a successor needs. */
  readonly predecessors: Map<number, Predecessor>;
  /** CRLs that are being read: a large one once, however many ask. */
  readonly loading: Map<number, Promise<PublishedCrl | undefined>>;
  /** Raised by every change of the CA's CRLs by any process. */
  generation: number;
  running: Promise<void> | undefined;
  following: Promise<void> | undefined;
  /** Real time before which a large round should not be repeated. */
  notBefore: Instant;
}

/** How old a CRL gets before its successor is made: a day, for a root half its life. */
function renewalInterval({ kind, crl }: CaRecord): number {
  return kind === 'root' ? crl.lifetimeMs / 2 : Math.min(DAY_MS, crl.lifetimeMs / 2);
}

const partitionsOf = ({ crl }: CaRecord): number[] =>
  crl.partitions === 1 ? [0] : Array.from({ length: crl.partitions + 1 }, (_, partition) => partition);

const inTime = (crl: Predecessor, now: Instant): boolean => now >= crl.thisUpdate && now < crl.nextUpdate;

async function sha256InSlices(bytes: Uint8Array): Promise<string> {
  const sha256 = createHash('sha256');
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    sha256.update(bytes.subarray(at, at + SLICE_BYTES));
    if (at > 0) await nextTurn();
  }
  return sha256.digest('hex');
}

/** Another process made a CRL of the same number meanwhile. */
class NumberTaken extends Error {}

export function createCrlPublisher(
  deps: Pick<CoreDependencies, 'store' | 'clock' | 'wallClock' | 'vault' | 'settings' | 'log'>,
  directory: AuthorityDirectory,
): CrlPublisher {
  const { store, clock, wallClock, vault, settings, log } = deps;
  const storage = createCrlStorage(deps);
  const states = new Map<number, CaState>();

  store.onInvalidation((change) => {
    if (change.kind !== 'everything' && change.kind !== 'crl') return;
    for (const [caId, state] of states) {
      if (change.kind === 'crl' && change.caId !== caId) continue;
      state.generation++;
      state.kept.clear();
      state.predecessors.clear();
      state.loading.clear();
    }
  });

  function stateOf(caId: number): CaState {
    let state = states.get(caId);
    if (state === undefined) {
      state = {
        kept: new Map(),
        predecessors: new Map(),
        loading: new Map(),
        generation: 0,
        running: undefined,
        following: undefined,
        notBefore: 0,
      };
      states.set(caId, state);
    }
    return state;
  }

  /** The newest signed CRL, from memory or from the store. */
  function onRecord(ca: CaRecord, partition: number): Promise<PublishedCrl | undefined> {
    const state = stateOf(ca.id);
    const known = state.kept.get(partition);
    if (known !== undefined) return Promise.resolve(known);
    const underWay = state.loading.get(partition);
    if (underWay !== undefined) return underWay;
    const loading = load(ca, partition, state).finally(() => {
      if (state.loading.get(partition) === loading) state.loading.delete(partition);
    });
    state.loading.set(partition, loading);
    return loading;
  }

  async function load(ca: CaRecord, partition: number, state: CaState): Promise<PublishedCrl | undefined> {
    const before = state.generation;
    const stored = await storage.newest(ca.id, partition);
    if (stored === undefined) return undefined;
    const crl = { ...factsOf(stored.record), der: stored.der };
    if (state.generation === before) keep(state, partition, crl);
    return crl;
  }

  function keep(state: CaState, partition: number, crl: PublishedCrl): void {
    state.kept.set(partition, crl);
    state.predecessors.set(partition, factsOf(crl));
  }

  /** What is known of the newest signed CRL without reading it. */
  async function facts(ca: CaRecord, partition: number): Promise<Predecessor | undefined> {
    const state = stateOf(ca.id);
    const known = state.predecessors.get(partition);
    if (known !== undefined) return known;
    const before = state.generation;
    const record = await store.authorities.crl(ca.id, partition);
    const found = record && factsOf(record);
    if (found !== undefined && state.generation === before) state.predecessors.set(partition, found);
    return found;
  }

  /**
   * The number to use, above every one on record, and the last signed CRL. A CA begins with the time as number: above
   * what it may have used elsewhere.
   */
  async function plan(ca: CaRecord, partition: number): Promise<Plan> {
    const known = stateOf(ca.id).predecessors.get(partition);
    if (known !== undefined) return { number: known.number + 1, predecessor: known };
    return planFromRecord(ca, partition);
  }

  async function planFromRecord(ca: CaRecord, partition: number): Promise<Plan> {
    const last = await store.authorities.lastCrl(ca.id, partition);
    if (last === undefined) return { number: Math.floor(clock.now() / 1000), predecessor: undefined };
    const signed = last.size === null ? await store.authorities.crl(ca.id, partition) : last;
    return { number: last.number + 1, predecessor: signed && factsOf(signed) };
  }

  /**
   * Revoked certificates stay for one CRL beyond their end (RFC 5280 section 3.3): what ended before the last CRL was
   * made, and a whole interval ago, has been on one that came after its end.
   */
  function notExpiredBefore(ca: CaRecord, previous: Predecessor | undefined, now: Instant): Instant {
    return previous === undefined ? 0 : Math.min(previous.thisUpdate, now - renewalInterval(ca));
  }

  /** By the kept counts, so that a long list gets its memory once: no less than there are, but for what comes meanwhile. */
  async function expectedEntries({ crl }: CaRecord, partition: number): Promise<number> {
    const { revoked, hold } = await store.certificates.count(null);
    const share = partition === 0 ? 1 : 1.1 / crl.partitions;
    return Math.ceil((revoked + hold) * share) + 16;
  }

  function header(entry: AuthorityEntry, partition: number, number: number, thisUpdate: Instant): CrlHeader {
    const { ca, issuer } = entry;
    const base = { issuer, number, thisUpdate, nextUpdate: thisUpdate + ca.crl.lifetimeMs };
    if (partition === 0) return base;
    const distributionPoint = settings.publicHttpUrl + crlPath(ca.slug, partition);
    // an issuing CA signs no CA certificates here; of a root's that cannot be said
    return {
      ...base,
      scope: ca.kind === 'issuing' ? { distributionPoint, onlyContainsUserCerts: true } : { distributionPoint },
    };
  }

  async function build(entry: AuthorityEntry, ca: SigningCa, partition: number, tellOthers: boolean, planned: Plan) {
    const { number, predecessor } = planned;
    const now = clock.now();
    const thisUpdate = Math.floor(now / 1000) * 1000;
    const builder = new CrlBuilder(await expectedEntries(ca, partition));
    for await (const slice of store.revoked(ca.id, partition, notExpiredBefore(ca, predecessor, now))) {
      for (const { serial, revokedAt, reason } of slice)
        builder.add(serial, revokedAt, isCrlReason(reason) ? reason : 'unspecified');
    }
    const head = header(entry, partition, number, thisUpdate);
    const { tbs } = builder.finish(head);
    const record: CrlRecord = {
      id: await store.nextId(),
      caId: ca.id,
      partition,
      number,
      tbsSha256: await sha256InSlices(tbs),
      size: null,
      entries: builder.entries,
      thisUpdate,
      nextUpdate: head.nextUpdate,
      createdAt: now,
      version: 1,
    };
    const { tbsSha256, entries } = record;
    const subject = { objectType: 'crl', objectId: `${ca.slug}/${partition}` };
    const prepared = await store.write({
      writes: [{ op: 'insert', table: 'crl', row: record }],
      audit: [
        auditEntry(systemContext(ACTOR), now, {
          ...subject,
          activity: 'crl.prepared',
          details: { number, entries, tbsSha256 },
        }),
      ],
    });
    if (!prepared.ok) throw new NumberTaken(`CRL number ${number} of ${ca.slug}/${partition} is taken`);
    const der = builder.seal(await vault.sign(mintPermit('crl', ca.keyId, tbs)));
    const audit = auditEntry(systemContext(ACTOR), clock.now(), {
      ...subject,
      activity: 'crl.published',
      details: { number, entries, bytes: der.length },
    });
    // removed as out of date: a process that was faster has published a later one
    if (!(await storage.save(record, der, audit, tellOthers)))
      throw new NumberTaken(`CRL ${number} of ${ca.slug}/${partition} came too late`);
    return { number, der, entries, thisUpdate, nextUpdate: head.nextUpdate };
  }

  async function buildOne(entry: AuthorityEntry, ca: SigningCa, partition: number, tellOthers: boolean) {
    let planned = await plan(ca, partition);
    for (let attempt = 1; ; attempt++) {
      try {
        return await build(entry, ca, partition, tellOthers, planned);
      } catch (error) {
        if (!(error instanceof NumberTaken) || attempt >= MAX_ATTEMPTS) throw error;
        // a process that died left the number, or another publishes: what its CRL does not hold goes on the next
        planned = await planFromRecord(ca, partition);
      }
    }
  }

  async function round(ca: SigningCa): Promise<void> {
    const entry = await directory.byId(ca.id);
    if (entry === undefined) throw new Error(`CA ${ca.slug} is not on record`);
    const state = stateOf(ca.id);
    const started = wallClock.now();
    const made = new Map<number, PublishedCrl>();
    const partitions = partitionsOf(ca);
    const last = partitions.length - 1;
    let before = state.generation;
    for (const [index, partition] of partitions.entries()) {
      before = index === last ? state.generation : before;
      if ((state.kept.get(partition)?.der.length ?? 0) > LARGE_BYTES) state.kept.delete(partition);
      made.set(partition, await buildOne(entry, ca, partition, index === last));
      await storage.removeStale(ca, partition);
    }
    // our own change was told too; one more means that another process has published since
    if (state.generation === before + 1) for (const [partition, crl] of made) keep(state, partition, crl);
    const took = Math.max(wallClock.now() - started, 0);
    const entries = made.get(0)?.entries ?? 0;
    const distanceMs = entries < LARGE_ENTRIES ? 0 : Math.min(took * DISTANCE_FACTOR, MAX_DISTANCE_MS);
    state.notBefore = wallClock.now() + distanceMs;
    log.info('crl.published', {
      ca: ca.slug,
      crls: made.size,
      number: made.get(0)?.number,
      entries,
      durationMs: took,
    });
  }

  function start(ca: SigningCa, state: CaState): Promise<void> {
    const running = round(ca).finally(() => {
      if (state.running === running) state.running = undefined;
    });
    state.running = running;
    return running;
  }

  function publish(ca: SigningCa): Promise<void> {
    const state = stateOf(ca.id);
    if (state.running === undefined) return start(ca, state);
    state.following ??= state.running
      .catch(() => undefined)
      .then(() => {
        state.following = undefined;
        return start(ca, state);
      });
    return state.following;
  }

  return {
    publish,

    async newest(ca, partition) {
      if (!Number.isInteger(partition) || partition < 0 || !(partition === 0 || partition <= ca.crl.partitions))
        return undefined;
      if (partition > 0 && ca.crl.partitions === 1) return undefined;
      const now = clock.now();
      const known = await onRecord(ca, partition);
      if (known !== undefined && inTime(known, now)) return known;
      if (!canSign(ca) || now >= ca.notAfter) return known;
      try {
        // many may ask at once: the round that is under way will do for all of them
        await (stateOf(ca.id).running ?? publish(ca));
      } catch (error) {
        if (known === undefined) throw error;
        log.error('crl.failed', { ca: ca.slug }, error);
        return known;
      }
      return onRecord(ca, partition);
    },

    async publishDue() {
      let count = 0;
      for (const ca of await store.authorities.list()) {
        const now = clock.now();
        if (!canSign(ca) || now >= ca.notAfter) continue;
        for (const partition of partitionsOf(ca)) {
          const crl = await facts(ca, partition);
          if (crl !== undefined && inTime(crl, now) && now < crl.thisUpdate + renewalInterval(ca)) continue;
          await publish(ca);
          count += partitionsOf(ca).length;
          break;
        }
      }
      return count;
    },

    async publishSoon(caId) {
      const ca = (await directory.byId(caId))?.ca;
      if (ca === undefined || !canSign(ca)) return undefined;
      const wait = stateOf(caId).notBefore - wallClock.now();
      if (wait > 0) return Math.min(wait, MAX_DISTANCE_MS);
      await publish(ca);
      return undefined;
    },
  };
}
