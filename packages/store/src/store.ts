import type { Store } from '@certwright/core';
import { type AuditReport, verifyAudit } from './audit/verify.ts';
import type { Backend } from './backend.ts';
import { accountReads, credentialReads, productReads } from './read/accounts.ts';
import { auditReads } from './read/audit.ts';
import { authorityReads, idempotencyReads, settingReads } from './read/authorities.ts';
import { certificateReads } from './read/certificates.ts';
import { domainReads } from './read/domains.ts';
import { decodeJob, jobReads } from './read/jobs.ts';
import { orderReads } from './read/orders.ts';
import { createQueries, type Row } from './read/reader.ts';
import { revokedEntries } from './read/revoked.ts';
import { encodeSet } from './write/encode.ts';
import { IdAllocator } from './write/id-allocator.ts';
import { EXPIRING, type ExpiringTable, type Unit } from './write/unit.ts';

/** The core's store, with what operators need beyond it. */
export interface CertwrightStore extends Store {
  readonly kind: 'sqlite' | 'postgres';
  /** Writes a consistent copy of the database to a new file while the store is in use (SQLite only). */
  readonly backupTo?: (file: string) => Promise<void>;
  /**
   * Puts the state back to a copy made by `backupTo` while the store is in use (SQLite only). The audit trail, access
   * tokens, leases and the numbering of rows are not rewound.
   */
  readonly restoreFrom?: (file: string) => Promise<void>;
  /** Recomputes the audit trail's hash chains over one snapshot. */
  verifyAudit(): Promise<AuditReport>;
}

/** Rows that one slice of pruning deletes: short enough for writers to wait for. */
const PRUNE_SLICE = 500;
/** Slices per table and call; more is left to the next call. */
const PRUNE_SLICES = 40;
const MAX_JOB_ERROR = 500;

export function createStore(backend: Backend): CertwrightStore {
  const queries = createQueries(backend.reader);
  const ids = new IdAllocator(async (count) => {
    const [row] = await command({ kind: 'allocate', name: 'id', count });
    return Number(row?.[0]);
  });

  let closing: Promise<void> | undefined;

  async function command(unit: Exclude<Unit, { kind: 'set' }>): Promise<readonly Row[]> {
    const result = await backend.submit(unit, []);
    if (result.kind !== 'done') throw new Error(`${unit.kind} was refused`);
    return result.rows;
  }

  async function pruneTable(table: ExpiringTable, now: number): Promise<number> {
    let total = 0;
    for (let slice = 0; slice < PRUNE_SLICES; slice++) {
      const [row] = await command({ kind: 'prune', table, now, limit: PRUNE_SLICE });
      const count = Number(row?.[0] ?? 0);
      total += count;
      if (count < PRUNE_SLICE) break;
    }
    return total;
  }

  return {
    kind: backend.kind,
    ...(backend.backupTo === undefined ? {} : { backupTo: backend.backupTo }),
    ...(backend.restoreFrom === undefined ? {} : { restoreFrom: backend.restoreFrom }),
    verifyAudit: () => verifyAudit(backend),

    nextId: () => ids.next(),

    async write(set) {
      const invalidate = set.invalidate ?? [];
      const result = await backend.submit({ kind: 'set', set: encodeSet(set) }, invalidate);
      if (result.kind === 'refused') return { ok: false, error: result.refusal };
      if (result.kind === 'failed') throw new Error(result.message);
      backend.invalidations.emit(invalidate);
      return { ok: true };
    },

    onInvalidation: (listener) => backend.invalidations.subscribe(listener),

    accounts: accountReads(queries),
    products: productReads(queries),
    credentials: credentialReads(queries),
    orders: orderReads(queries),
    domains: domainReads(queries),
    certificates: certificateReads(queries),
    authorities: authorityReads(queries),
    idempotency: idempotencyReads(queries),
    settings: settingReads(queries),
    audit: auditReads(queries),
    revoked: (caId, partition, notExpiredBefore) =>
      revokedEntries(() => backend.openSnapshot(), caId, partition, notExpiredBefore),

    jobs: {
      ...jobReads(queries),
      async take(kinds, now, leaseMs, limit) {
        if (kinds.length === 0) return [];
        const rows = await command({ kind: 'takeJobs', kinds, now, leaseUntil: now + leaseMs, limit });
        return rows.map(decodeJob).sort((a, b) => a.runAt - b.runAt || a.id - b.id);
      },
      async done(id) {
        await command({ kind: 'jobDone', id });
      },
      async retry(id, runAt, error) {
        const text = error.slice(0, MAX_JOB_ERROR).replaceAll('\0', '\uFFFD');
        await command({ kind: 'jobRetry', id, runAt, error: text });
      },
    },

    async lease(name, holder, now, until) {
      return (await command({ kind: 'lease', name, holder, now, until })).length > 0;
    },

    async prune(now) {
      let total = 0;
      for (const table of Object.keys(EXPIRING) as ExpiringTable[]) total += await pruneTable(table, now);
      return total;
    },

    close() {
      closing ??= backend.close();
      return closing;
    },
  };
}
