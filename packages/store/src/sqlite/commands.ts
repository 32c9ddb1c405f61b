import { unreachable } from '@certwright/core';
import type { SqlValue } from '../schema/columns.ts';
import { JOBS } from '../schema/own-tables.ts';
import { EXPIRING, type Unit } from '../write/unit.ts';
import type { SqliteConnection } from './database.ts';

const JOB_COLUMNS = JOBS.columns.map(({ name }) => `"${name}"`).join(', ');

const ALLOCATE =
  'insert into "sequences" ("name", "value") values (?, ?) on conflict ("name") do update set "value" = "value" + excluded."value" returning "value"';
const TAKE = `update "jobs" set "lease_until" = ?, "attempts" = "attempts" + 1 where "id" in (
  select "id" from "jobs" where "kind" in (select value from json_each(?)) and "run_at" <= ?
  and ("lease_until" is null or "lease_until" <= ?) order by "run_at", "id" limit ?) returning ${JOB_COLUMNS}`;
const YIELD_TO_WAITING = `delete from "jobs" where "id" = ? and "key" is not null and exists (
  select 1 from "jobs" as other where other."kind" = "jobs"."kind" and other."key" = "jobs"."key"
  and other."lease_until" is null and other."id" <> "jobs"."id")`;
const RETRY = 'update "jobs" set "lease_until" = null, "run_at" = ?, "last_error" = ? where "id" = ?';
const LEASE = `insert into "leases" ("name", "holder", "until") values (?, ?, ?)
  on conflict ("name") do update set "holder" = excluded."holder", "until" = excluded."until"
  where "leases"."holder" = excluded."holder" or "leases"."until" <= ? returning 1`;

/** Runs one of the store's own units inside the open transaction; returns its rows. */
export function runCommand(
  db: SqliteConnection,
  unit: Exclude<Unit, { kind: 'set' }>,
): readonly (readonly SqlValue[])[] {
  switch (unit.kind) {
    case 'allocate':
      return db.all(ALLOCATE, [unit.name, unit.count]);
    case 'takeJobs':
      return db.all(TAKE, [unit.leaseUntil, JSON.stringify(unit.kinds), unit.now, unit.now, unit.limit]);
    case 'jobDone':
      db.run('delete from "jobs" where "id" = ?', [unit.id]);
      return [];
    case 'jobRetry':
      // a newer job with the same key waits already: it will do the work
      if (db.run(YIELD_TO_WAITING, [unit.id]) === 0) db.run(RETRY, [unit.runAt, unit.error, unit.id]);
      return [];
    case 'lease':
      return db.all(LEASE, [unit.name, unit.holder, unit.until, unit.now]);
    case 'prune': {
      const [predicate, parameters] = EXPIRING[unit.table];
      const sql = `delete from "${unit.table}" where "id" in (select "id" from "${unit.table}" where ${predicate} limit ?)`;
      return [[db.run(sql, [...Array<number>(parameters).fill(unit.now), unit.limit])]];
    }
    default:
      return unreachable(unit);
  }
}
