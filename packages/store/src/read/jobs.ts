import type { JobRecord, Store } from '@certwright/core';
import { sql } from 'kysely';
import { createCodec } from '../schema/codec.ts';
import { JOBS } from '../schema/own-tables.ts';
import { keyset } from './keyset.ts';
import { page } from './paging.ts';
import type { Queries, Row } from './reader.ts';

const CODEC = createCodec(JOBS);
const COLUMNS = CODEC.columns.map(({ name }) => name);

/** Decodes a row with all columns of the jobs table. */
export function decodeJob(row: Row): JobRecord {
  // the columns of the table definition are the members of the record
  const record: unknown = CODEC.decode(row);
  return record as JobRecord;
}

export function jobReads({ db, run }: Queries): Pick<Store['jobs'], 'nextDue' | 'list'> {
  return {
    async nextDue(kinds) {
      if (kinds.length === 0) return undefined;
      const [row] = await run(
        db
          .selectFrom('jobs')
          // a job that is being worked on is due again when its lease ends
          .select(sql`min(coalesce("lease_until", "run_at"))`.as('due'))
          .where('kind', 'in', kinds),
      );
      const due = row?.[0];
      return typeof due === 'number' ? due : undefined;
    },
    list: async (request) =>
      page(
        {
          order: 'job',
          keyLength: 1,
          descending: false,
          fetch: (slice) => run(keyset(db.selectFrom('jobs').select(COLUMNS), ['id'], slice)),
          keyOf: (row) => row.slice(0, 1),
          decode: decodeJob,
        },
        request,
      ),
  };
}
