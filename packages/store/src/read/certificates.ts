import type { CertificateFilter, CertificateRecord, CertificateState, PageRequest, Store } from '@certwright/core';
import { sql } from 'kysely';
import type { SqlValue } from '../schema/columns.ts';
import {
  endOfSubtree,
  ISSUED_STATES,
  ISSUED_STATES_OF_ACCOUNT,
  PREPARED_STATE,
  reverseName,
} from '../schema/tables.ts';
import { ALL_ACCOUNTS, counterName } from '../write/counters.ts';
import { keyset, literally, type Select } from './keyset.ts';
import { cursorOrder, type Listing, page, type Slice } from './paging.ts';
import { columnNames, decodeRow, type Queries, type Row } from './reader.ts';

const COLUMNS = columnNames('certificate');
const at = (column: string): number => COLUMNS.indexOf(column);
const [ID, ACCOUNT_ID, STATE, NOT_AFTER] = [at('id'), at('account_id'), at('state'), at('not_after')];
/** Beyond the certificate's own columns: the name by which a search by domain found it. */
const FOUND_NAME = COLUMNS.length;

const ISSUED: readonly CertificateState[] = ['valid', 'hold', 'revoked'];
const STATES: readonly CertificateState[] = ['prepared', ...ISSUED, 'abandoned'];

/** What the filter says about state and end of validity, as one range. */
interface Wanted {
  readonly states: readonly string[];
  /** Inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly before: number;
}

function wanted({ status, expiresFrom, expiresBefore, now }: CertificateFilter): Wanted {
  // as everywhere: expired from the very instant of notAfter on
  const from = Math.max(expiresFrom ?? 0, status === 'valid' ? now + 1 : 0);
  const end = status === 'expired' ? now + 1 : Number.MAX_SAFE_INTEGER;
  const before = Math.min(expiresBefore ?? Number.MAX_SAFE_INTEGER, end);
  if (status === undefined) return { states: ISSUED, from, before };
  return { states: [status === 'expired' ? 'valid' : status], from, before };
}

const cellNumber = (cell: SqlValue | undefined): number => (typeof cell === 'number' ? cell : 0);

function acceptor({ accountId }: CertificateFilter, { states, from, before }: Wanted): (row: Row) => boolean {
  return (row) =>
    states.includes(String(row[STATE])) &&
    cellNumber(row[NOT_AFTER]) >= from &&
    cellNumber(row[NOT_AFTER]) < before &&
    (accountId === null || row[ACCOUNT_ID] === accountId);
}

const BY_NAME = 'certificate.name';
/** A domain with more names than this is no good way to find the few certificates that other conditions leave. */
const NARROW_DOMAIN = 2_000;

/**
 * Chooses order and index by the filter: by name for a domain, by end of validity for a status or a range of it
 * (soonest first; for `expired` latest first), else newest first. A domain that has very many names only filters what
 * the other conditions find. Certificates that were never issued are left out.
 */
async function listing(
  queries: Queries,
  filter: CertificateFilter,
  { cursor }: PageRequest,
): Promise<Listing<CertificateRecord>> {
  const { domain, serial } = filter;
  if (domain === undefined || serial !== undefined) return withoutDomain(queries, filter);
  const reversed = reverseName(domain.toLowerCase());
  const hasOthers =
    filter.accountId !== null ||
    filter.status !== undefined ||
    filter.expiresFrom !== undefined ||
    filter.expiresBefore !== undefined;
  // a walk goes on in the order in which it began, however the domain grows
  const isByName =
    !hasOthers || (cursor === undefined ? await isNarrow(queries, reversed) : cursorOrder(cursor) === BY_NAME);
  return isByName ? byDomain(queries, reversed, acceptor(filter, wanted(filter))) : withoutDomain(queries, filter);
}

/** Whether few names lie at or below the domain; looks at no more than it needs to know. */
async function isNarrow({ db, run }: Queries, reversed: string): Promise<boolean> {
  const beyond = await run(
    db
      .selectFrom('certificate_names')
      .select('certificate_id')
      .where('name_reversed', '>=', reversed)
      .where('name_reversed', '<', endOfSubtree(reversed))
      .orderBy('name_reversed')
      .limit(1)
      .offset(NARROW_DOMAIN),
  );
  return beyond.length === 0;
}

/** The list by what the filter says beside the domain, which is looked at row by row. */
function withoutDomain({ db, run }: Queries, filter: CertificateFilter): Listing<CertificateRecord> {
  const want = wanted(filter);
  const { accountId, domain, serial } = filter;
  const isWanted = acceptor(filter, want);
  const decode = (row: Row): CertificateRecord => decodeRow('certificate', row);
  const isInDomain = domain === undefined ? undefined : (row: Row): boolean => isAtOrBelow(decode(row), domain);
  const accept = (row: Row): boolean => isWanted(row) && isInDomain?.(row) !== false;
  const certificates = () => db.selectFrom('certificates').select(COLUMNS);
  const byId = { keyLength: 1, descending: true, accept, decode, keyOf: (row: Row) => [row[ID] ?? null] } as const;

  if (serial !== undefined) {
    const octets = /^(?:[0-9a-f]{2}){1,40}$/.test(serial) ? Buffer.from(serial, 'hex') : new Uint8Array();
    return {
      ...byId,
      order: 'certificate.serial',
      fetch: (slice) => run(keyset(certificates().where('serial', '=', octets), ['id'], slice)),
    };
  }
  if (filter.status !== undefined || filter.expiresFrom !== undefined || filter.expiresBefore !== undefined) {
    return {
      order: `certificate.${filter.status ?? 'expiry'}`,
      keyLength: 2,
      descending: filter.status === 'expired',
      decode,
      keyOf: (row) => [row[NOT_AFTER] ?? null, row[ID] ?? null],
      fetch: (slice) => run(byExpiry({ db }, accountId, want, slice)),
      ...(isInDomain === undefined ? {} : { accept: isInDomain }),
    };
  }
  // few are passed over: what waits for its signature, and what was given up
  return {
    ...byId,
    order: 'certificate',
    fetch: (slice) =>
      run(
        keyset(accountId === null ? certificates() : certificates().where('account_id', '=', accountId), ['id'], slice),
      ),
  };
}

const isAtOrBelow = ({ names }: CertificateRecord, domain: string): boolean => {
  const name = domain.toLowerCase();
  return names.some((one) => one === name || one.endsWith(`.${name}`));
};

/** The states of the filter each by their own range of the index, merged. */
function byExpiry({ db }: Pick<Queries, 'db'>, accountId: number | null, want: Wanted, slice: Slice): Select {
  const branch = (state: string): Select => {
    let query: Select = db
      .selectFrom('certificates')
      .select(COLUMNS)
      .where('state', '=', state)
      .where(literally(accountId === null ? ISSUED_STATES : ISSUED_STATES_OF_ACCOUNT))
      .where('not_after', '>=', want.from)
      .where('not_after', '<', want.before);
    if (accountId !== null) query = query.where('account_id', '=', accountId);
    return keyset(query, ['not_after', 'id'], slice);
  };
  const [only, ...more] = want.states.map(branch);
  if (only === undefined) throw new TypeError('a search names at least one state');
  if (more.length === 0) return only;
  // a branch has its own limit, which SQL allows only inside a sub-query
  const union = [only, ...more]
    .map((query, number): Select => db.selectFrom(query.as(`branch${number}`)).select(COLUMNS))
    .reduce((all, query) => all.unionAll(query));
  return keyset(db.selectFrom(union.as('merged')).select(COLUMNS), ['not_after', 'id'], {
    ...slice,
    beyond: undefined,
  });
}

function byDomain(
  { db, run }: Pick<Queries, 'db' | 'run'>,
  reversed: string,
  accept: (row: Row) => boolean,
): Listing<CertificateRecord> {
  const end = endOfSubtree(reversed);
  /** A certificate with several names below the domain is listed once, at the first of them. */
  const isFirstName = (row: Row): boolean => {
    const { names } = decodeRow('certificate', row);
    const inRange = names.map(reverseName).filter((name) => name >= reversed && name < end);
    return inRange.every((name) => name >= String(row[FOUND_NAME]));
  };
  return {
    order: BY_NAME,
    keyLength: 2,
    descending: false,
    decode: (row) => decodeRow('certificate', row),
    keyOf: (row) => [row[FOUND_NAME] ?? null, row[ID] ?? null],
    accept: (row) => accept(row) && isFirstName(row),
    fetch(slice) {
      const found = keyset(
        db
          .selectFrom('certificate_names')
          .select(['name_reversed', 'certificate_id'])
          .where('name_reversed', '>=', reversed)
          .where('name_reversed', '<', end),
        ['name_reversed', 'certificate_id'],
        slice,
      );
      const direction = slice.descending ? 'desc' : 'asc';
      return run(
        db
          .selectFrom(found.as('found'))
          .innerJoin('certificates', 'certificates.id', 'found.certificate_id')
          .select([...COLUMNS.map((column) => `certificates.${column}`), 'found.name_reversed'])
          .orderBy('found.name_reversed', direction)
          .orderBy('found.certificate_id', direction),
      );
    },
  };
}

export function certificateReads(queries: Queries): Store['certificates'] {
  const { db, run, first, reader } = queries;
  const statusSql = `select "id", "state", "not_after", "revoked_at", "revocation_reason" from "certificates" where "serial" = ${reader.dialect === 'sqlite' ? '?' : '$1'} and "ca_id" = ${reader.dialect === 'sqlite' ? '?' : '$2'}`;

  return {
    byId: (id) => first('certificate', { id }),
    bySerial: (caId, serial) => first('certificate', { serial, caId }),

    async status(caId, serial) {
      const [row] = await reader.rows(statusSql, [Buffer.from(serial, 'hex'), caId], true);
      if (row === undefined) return undefined;
      const [id, state, notAfter, revokedAt, reason] = row;
      return {
        certificateId: cellNumber(id),
        state: state as CertificateState,
        notAfter: cellNumber(notAfter),
        revokedAt: typeof revokedAt === 'number' ? revokedAt : null,
        revocationReason: typeof reason === 'string' ? reason : null,
      };
    },

    search: async (filter, request) => page(await listing(queries, filter, request), request),

    async count(accountId) {
      const names = new Map(STATES.map((state) => [counterName({ label: 'certificate' }, state), state]));
      const rows = await run(
        db
          .selectFrom('counters')
          .select(['name', (sum) => sum.fn.sum('value').as('total')])
          .where('account_id', '=', accountId ?? ALL_ACCOUNTS)
          .where('name', 'in', [...names.keys()])
          .groupBy('name'),
      );
      const counts = { prepared: 0, valid: 0, hold: 0, revoked: 0, abandoned: 0 };
      for (const [name, total] of rows) {
        const state = names.get(String(name));
        // a sum of bigint comes as text from PostgreSQL
        if (state !== undefined) counts[state] = Number(total);
      }
      return counts;
    },

    async unfinished(now, limit) {
      const rows = await run(
        db
          .selectFrom('certificates')
          .select(COLUMNS)
          .where(literally(PREPARED_STATE))
          .where(sql.ref('lease_until'), '<', now)
          .orderBy('lease_until')
          .orderBy('id')
          .limit(limit),
      );
      return rows.map((row) => decodeRow('certificate', row));
    },
  };
}
