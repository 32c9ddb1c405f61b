/** CRLs in the store: in pieces, so that no commit is longer than others can wait for. */
import type { AuditDraft, CaRecord, CrlRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { MAX_ATTEMPTS } from '../support.ts';

/** Written to disk in some milliseconds. */
const PIECE_BYTES = 1024 * 1024;
/** Pieces removed in one commit: their pages are visited one by one. */
const REMOVED_AT_ONCE = 4;

export interface StoredCrl {
  readonly record: CrlRecord;
  readonly der: Uint8Array;
}

export interface CrlStorage {
  /**
   * Stores the DER of a CRL whose row is on record, and marks the row as signed in the commit of the last piece, with
   * the audit entry. False when the row is gone: another process has published a later CRL.
   */
  save(record: CrlRecord, der: Uint8Array, audit: AuditDraft, tellOthers: boolean): Promise<boolean>;
  /** The newest signed CRL of a partition. */
  newest(caId: number, partition: number): Promise<StoredCrl | undefined>;
  /** Removes what is older than the newest signed CRL. */
  removeStale(ca: Pick<CaRecord, 'id'>, partition: number): Promise<void>;
}

export function createCrlStorage({ store }: Pick<CoreDependencies, 'store'>): CrlStorage {
  async function remove(table: 'crl' | 'crlPiece', ids: readonly number[]): Promise<boolean> {
    const writes = ids.map((id) => ({ op: 'delete', table, id }) as const);
    return (await store.write({ bookkeeping: 'CRLs that were replaced', writes })).ok;
  }

  return {
    async save(record, der, audit, tellOthers) {
      for (let from = 0, position = 0; ; from += PIECE_BYTES, position++) {
        const octets = der.subarray(from, from + PIECE_BYTES);
        const piece = { id: await store.nextId(), crlId: record.id, position, octets };
        const insert = { op: 'insert', table: 'crlPiece', row: piece } as const;
        if (from + octets.length < der.length) {
          const kept = await store.write({ bookkeeping: 'piece of a CRL', writes: [insert] });
          if (!kept.ok) return false;
          continue;
        }
        const { id, version, caId } = record;
        const done = await store.write({
          writes: [insert, { op: 'update', table: 'crl', id, version, set: { size: der.length } }],
          audit: [audit],
          ...(tellOthers ? { invalidate: [{ kind: 'crl', caId }] } : {}),
        });
        return done.ok;
      }
    },

    async newest(caId, partition) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const record = await store.authorities.crl(caId, partition);
        if (record === undefined) return undefined;
        const der = await store.authorities.crlDer(record);
        if (der !== undefined) return { record, der };
        // replaced while it was read: there is a newer one
      }
      throw new Error(`the newest CRL of CA ${caId}, partition ${partition}, is not complete on record`);
    },

    async removeStale({ id }, partition) {
      for (;;) {
        const { crls, pieces } = await store.authorities.staleCrls(id, partition);
        for (let at = 0; at < pieces.length; at += REMOVED_AT_ONCE) {
          // when another process removes the same rows this is refused, and they are gone all the same
          if (!(await remove('crlPiece', pieces.slice(at, at + REMOVED_AT_ONCE)))) return;
        }
        if (crls.length > 0 && !(await remove('crl', crls))) return;
        if (pieces.length === 0) return;
      }
    },
  };
}
