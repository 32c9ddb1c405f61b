/** The store's own small transactions, one statement each. */
import { unreachable } from '@certwright/core';
import type { Row } from '../read/reader.ts';
import { JOBS } from '../schema/own-tables.ts';
import { EXPIRING, type Unit } from '../write/unit.ts';
import { placeholder } from './connection.ts';
import { classifyPostgresError } from './errors.ts';
import { type PostgresPool, toStoreError } from './pool.ts';

const MAX_RETRIES = 5;
const JOB_COLUMNS = JOBS.columns.map(({ name }) => `"${name}"`).join(', ');

const ALLOCATE =
  'insert into "sequences" ("name", "value") values ($1, $2) on conflict ("name") do update set "value" = "sequences"."value" + excluded."value" returning "value"';
const TAKE = `update "jobs" set "lease_until" = $1, "attempts" = "attempts" + 1 where "id" in (
  select "id" from "jobs" where "kind" = any($2::text[]) and "run_at" <= $3
  and ("lease_until" is null or "lease_until" <= $3) order by "run_at", "id" limit $4 for update skip locked)
  returning ${JOB_COLUMNS}`;
const DONE = 'delete from "jobs" where "id" = $1';
const RETRY = `with yielded as (delete from "jobs" where "id" = $3 and "key" is not null and exists (
    select 1 from "jobs" as other where other."kind" = "jobs"."kind" and other."key" = "jobs"."key"
    and other."lease_until" is null and other."id" <> "jobs"."id") returning "id")
  update "jobs" set "lease_until" = null, "run_at" = $1, "last_error" = $2
  where "id" = $3 and not exists (select 1 from yielded)`;
const LEASE = `insert into "leases" ("name", "holder", "until") values ($1, $2, $3)
  on conflict ("name") do update set "holder" = excluded."holder", "until" = excluded."until"
  where "leases"."holder" = excluded."holder" or "leases"."until" <= $4 returning 1::smallint`;

async function runOnce(pool: PostgresPool, unit: Exclude<Unit, { kind: 'set' }>): Promise<readonly Row[]> {
  switch (unit.kind) {
    case 'allocate':
      return pool.write(ALLOCATE, [unit.name, unit.count]);
    case 'takeJobs':
      return pool.write(TAKE, [unit.leaseUntil, unit.kinds, unit.now, unit.limit]);
    case 'jobDone':
      return pool.write(DONE, [unit.id]);
    case 'jobRetry':
      try {
        return await pool.write(RETRY, [unit.runAt, unit.error, unit.id]);
      } catch (error) {
        // a job with the same key began to wait at this moment: it will do the work
        if (classifyPostgresError(error).kind === 'duplicate') return pool.write(DONE, [unit.id]);
        throw error;
      }
    case 'lease':
      return pool.write(LEASE, [unit.name, unit.holder, unit.until, unit.now]);
    case 'prune': {
      const [predicate, parameters] = EXPIRING[unit.table];
      let at = 0;
      const numbered = predicate.replaceAll('?', () => placeholder(at++));
      const sql = `with gone as (delete from "${unit.table}" where "id" in (
        select "id" from "${unit.table}" where ${numbered} limit ${placeholder(parameters)} for update skip locked) returning "id")
        select count(*) from gone`;
      return pool.write(sql, [...Array<number>(parameters).fill(unit.now), unit.limit]);
    }
    default:
      return unreachable(unit);
  }
}

/** Runs the unit; transactions that got into each other's way are run again. @throws StoreUnavailableError */
export async function runCommand(pool: PostgresPool, unit: Exclude<Unit, { kind: 'set' }>): Promise<readonly Row[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await runOnce(pool, unit);
    } catch (error) {
      const failure = classifyPostgresError(error);
      if (failure.kind === 'retry' && attempt < MAX_RETRIES) continue;
      const isLost = failure.kind === 'unavailable' && failure.isConnectionLost;
      throw toStoreError(error, isLost);
    }
  }
}
