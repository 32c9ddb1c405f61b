/**
 * The hash chain of the audit trail. Each writing connection extends a lane of its own, so that writers never wait for
 * each other; *ties* (entries that quote the newest hashes of other lanes) join the lanes, so that cutting off the end
 * of a lane or removing a whole one is noticed as well.
 */
import { hash as digest } from 'node:crypto';
import type { AuditDraft } from '@certwright/core';
import type { SqlValue } from '../schema/columns.ts';
import { canonicalJson } from './canonical-json.ts';

/** An entry before it has a place in a lane; `details` is canonical JSON. */
export interface AuditEntry extends Omit<AuditDraft, 'details'> {
  readonly details: string;
}

export interface LaneHead {
  readonly lane: string;
  readonly sequence: number;
  /** Lower-case hex SHA-256 of the newest entry. */
  readonly hash: string;
}

/** Where a lane stands. */
export interface LaneState extends LaneHead {
  readonly entriesSinceTie: number;
  readonly tiedAt: number;
}

export interface ChainedEntry extends AuditEntry, LaneHead {
  readonly previousHash: string;
}

export const TIE_ACTIVITY = 'audit.tie';
const TIE_EVERY_ENTRIES = 1_000;
const TIE_EVERY_MS = 60_000;
/** Heads in one tie; more are left to the next. */
export const MAX_HEADS = 500;

const GENESIS = '0'.repeat(64);

export function newLane(octets: Uint8Array): LaneState {
  const lane = Buffer.from(octets).toString('hex');
  return { lane, sequence: 0, hash: GENESIS, entriesSinceTie: 0, tiedAt: 0 };
}

/** Text that both databases return as it was given: no NUL, no lone surrogates; the hash is over it. */
const storable = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();

export const encodeAudit = (draft: AuditDraft): AuditEntry => ({
  at: draft.at,
  accountId: draft.accountId,
  actor: storable(draft.actor),
  channel: draft.channel,
  activity: draft.activity,
  objectType: draft.objectType,
  objectId: storable(draft.objectId),
  outcome: draft.outcome,
  requestId: storable(draft.requestId),
  ip: storable(draft.ip),
  details: canonicalJson(draft.details),
});

/** SHA-256 over the hash before and the canonical JSON of the entry with its lane and sequence; hex. */
export function entryHash(previousHash: string, lane: string, sequence: number, entry: AuditEntry): string {
  const { accountId, activity, actor, at, channel, details, ip, objectId, objectType, outcome, requestId } = entry;
  // the members in the order of their names; `details` is canonical JSON already
  const text = `{"accountId":${accountId},"activity":${JSON.stringify(activity)},"actor":${JSON.stringify(actor)},"at":${at},"channel":${JSON.stringify(channel)},"details":${details},"ip":${JSON.stringify(ip)},"lane":${JSON.stringify(lane)},"objectId":${JSON.stringify(objectId)},"objectType":${JSON.stringify(objectType)},"outcome":${JSON.stringify(outcome)},"requestId":${JSON.stringify(requestId)},"sequence":${sequence}}`;
  return digest('sha256', `${previousHash}${text}`, 'hex');
}

/** Whether a tie comes before the next entries: at the start of a lane, every 1,000 entries, every minute of activity. */
export function needsTie(state: LaneState, entries: readonly AuditEntry[]): boolean {
  const [first] = entries;
  if (first === undefined) return false;
  return (
    state.sequence === 0 ||
    state.entriesSinceTie >= TIE_EVERY_ENTRIES ||
    Math.abs(first.at - state.tiedAt) >= TIE_EVERY_MS
  );
}

/** The tie that quotes the heads of other lanes. */
export function tieEntry(lane: string, at: number, heads: readonly LaneHead[]): AuditEntry {
  return {
    at,
    accountId: null,
    actor: 'system:store',
    channel: 'store',
    activity: TIE_ACTIVITY,
    objectType: 'auditLane',
    objectId: lane,
    outcome: 'success',
    requestId: '',
    ip: '',
    details: canonicalJson({ heads: heads.map(({ lane, sequence, hash }) => ({ lane, sequence, hash })) }),
  };
}

/**
 * Chains entries to a lane; `heads` are those a tie shall quote first, undefined for no tie. The lane moves on only
 * when the caller keeps the state that is returned: after the commit.
 */
export function extendLane(
  state: LaneState,
  entries: readonly AuditEntry[],
  heads: readonly LaneHead[] | undefined,
): { readonly chained: readonly ChainedEntry[]; readonly state: LaneState } {
  const { lane } = state;
  let { sequence, hash, entriesSinceTie, tiedAt } = state;
  const chained: ChainedEntry[] = [];
  const append = (entry: AuditEntry): void => {
    const previousHash = hash;
    sequence++;
    hash = entryHash(previousHash, lane, sequence, entry);
    chained.push({ ...entry, lane, sequence, previousHash, hash });
  };
  if (heads !== undefined) {
    tiedAt = entries[0]?.at ?? tiedAt;
    append(tieEntry(lane, tiedAt, heads));
    entriesSinceTie = 0;
  }
  for (const entry of entries) append(entry);
  entriesSinceTie += entries.length;
  return { chained, state: { lane, sequence, hash, entriesSinceTie, tiedAt } };
}

/** Cells in the order of the audit table's columns, without `id`. */
export function auditCells(entry: ChainedEntry): SqlValue[] {
  return [
    entry.lane,
    entry.sequence,
    Buffer.from(entry.previousHash, 'hex'),
    Buffer.from(entry.hash, 'hex'),
    entry.at,
    entry.accountId,
    entry.actor,
    entry.channel,
    entry.activity,
    entry.objectType,
    entry.objectId,
    entry.outcome,
    entry.requestId,
    entry.ip,
    entry.details,
  ];
}
