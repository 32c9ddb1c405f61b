import type { Instant, RevokedEntry } from '@certwright/core';
import type { Snapshot } from '../backend.ts';
import type { SqlValue } from '../schema/columns.ts';
import { REVOKED_STATES } from '../schema/tables.ts';

/** Half a millisecond to read, and gone before the garbage collector makes room for more of them. */
const SLICE = 1_000;

/** The partitions that have entries, one step of the index each. */
async function nextPartition(snapshot: Snapshot, caId: number, after: number): Promise<number | undefined> {
  const p = snapshot.placeholder;
  const text = `select "crl_partition" from "certificates" where "ca_id" = ${p(0)} and ${REVOKED_STATES}
    and "crl_partition" > ${p(1)} order by "crl_partition" limit 1`;
  const [row] = await snapshot.rows(text, [caId, after]);
  const partition = row?.[0];
  return typeof partition === 'number' ? partition : undefined;
}

async function* partitionEntries(
  snapshot: Snapshot,
  caId: number,
  partition: number,
  notExpiredBefore: Instant,
): AsyncGenerator<readonly RevokedEntry[], void, undefined> {
  const p = snapshot.placeholder;
  const text = `select "id", ${snapshot.hex('"serial"')}, "revoked_at", "revocation_reason" from "certificates"
    where "ca_id" = ${p(0)} and ${REVOKED_STATES} and "crl_partition" = ${p(1)} and "id" > ${p(2)}
    and "not_after" >= ${p(3)} order by "id" limit ${SLICE}`;
  let beyond: SqlValue = -1;
  for (;;) {
    const rows = await snapshot.rows(text, [caId, partition, beyond, notExpiredBefore]);
    if (rows.length > 0) yield rows.map(entry);
    const last = rows.at(-1);
    if (last === undefined || rows.length < SLICE) return;
    beyond = last[0] ?? null;
    await new Promise(setImmediate);
  }
}

/**
 * Revoked and held certificates of a CA, read from the covering index in slices, all from one snapshot of the database:
 * the list is that of the moment the iteration began, whatever is revoked meanwhile. The event loop runs between slices.
 */
export async function* revokedEntries(
  openSnapshot: () => Promise<Snapshot>,
  caId: number,
  partition: number,
  notExpiredBefore: Instant,
): AsyncGenerator<readonly RevokedEntry[], void, undefined> {
  const snapshot = await openSnapshot();
  try {
    if (partition !== 0) {
      yield* partitionEntries(snapshot, caId, partition, notExpiredBefore);
      return;
    }
    for (let next = await nextPartition(snapshot, caId, -1); next !== undefined; ) {
      yield* partitionEntries(snapshot, caId, next, notExpiredBefore);
      next = await nextPartition(snapshot, caId, next);
    }
  } finally {
    await snapshot.close();
  }
}

function entry([, serial, revokedAt, reason]: readonly SqlValue[]): RevokedEntry {
  return {
    serial: String(serial),
    revokedAt: typeof revokedAt === 'number' ? revokedAt : 0,
    reason: typeof reason === 'string' ? reason : 'unspecified',
  };
}
