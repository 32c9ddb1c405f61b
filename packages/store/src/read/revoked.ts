import type { Instant, RevokedEntry } from '@certwright/core';
import type { Snapshot } from '../backend.ts';
import type { SqlValue } from '../schema/columns.ts';
import { REVOKED_STATES } from '../schema/tables.ts';

const SLICE = 2_000;

const SELECT = 'select "crl_partition", "id", "serial", "revoked_at", "revocation_reason" from "certificates"';

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
  const p = snapshot.placeholder;
  const order = `and "not_after" >= ${p(1)} and ${REVOKED_STATES}`;
  const text =
    partition === 0
      ? `${SELECT} where "ca_id" = ${p(0)} ${order} and ("crl_partition", "id") > (${p(2)}, ${p(3)}) order by "crl_partition", "id" limit ${SLICE}`
      : `${SELECT} where "ca_id" = ${p(0)} ${order} and "crl_partition" = ${p(2)} and "id" > ${p(3)} order by "id" limit ${SLICE}`;
  try {
    let beyond: readonly SqlValue[] = [partition === 0 ? -1 : partition, -1];
    for (;;) {
      const rows = await snapshot.rows(text, [caId, notExpiredBefore, ...beyond]);
      if (rows.length > 0) yield rows.map(entry);
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) return;
      beyond = last.slice(0, 2);
      await new Promise(setImmediate);
    }
  } finally {
    await snapshot.close();
  }
}

function entry([, , serial, revokedAt, reason]: readonly SqlValue[]): RevokedEntry {
  return {
    serial: serial instanceof Uint8Array ? serial : new Uint8Array(),
    revokedAt: typeof revokedAt === 'number' ? revokedAt : 0,
    reason: typeof reason === 'string' ? reason : 'unspecified',
  };
}
