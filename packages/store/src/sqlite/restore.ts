/** Puts a running store back to a copy of it; for sandboxes and tests. */
import { ALL_TABLES, AUDIT, AUDIT_HEADS, LEASES, SEQUENCES } from '../schema/own-tables.ts';
import { RECORD_TABLES } from '../schema/tables.ts';
import { SqliteConnection } from './database.ts';

const CACHE_KIB = 2 * 1024;

/**
 * What outlives a restore: the audit trail is never rewound, ids are never given out twice, leases belong to running
 * processes, and access tokens belong to clients that are in the middle of their work.
 */
const KEPT: ReadonlySet<string> = new Set([
  AUDIT.name,
  AUDIT_HEADS.name,
  LEASES.name,
  SEQUENCES.name,
  RECORD_TABLES.token.name,
  RECORD_TABLES.proof.name,
]);

/**
 * Puts every table but those of `KEPT` back to what `file`, a copy of the database at `path`, holds: in one transaction,
 * which waits for the writer's batch or which the writer's next batch waits for.
 */
export function restoreFrom(path: string, file: string): void {
  const db = new SqliteConnection({ path, readOnly: false, cacheKiB: CACHE_KIB });
  try {
    db.run('attach database ? as snapshot', [file]);
    db.exec('begin immediate');
    for (const { name } of ALL_TABLES) {
      if (KEPT.has(name)) continue;
      db.exec(`delete from main."${name}"`);
      db.exec(`insert into main."${name}" select * from snapshot."${name}"`);
    }
    db.exec('commit');
  } finally {
    // an open transaction ends with its connection, undone
    db.close();
  }
}
