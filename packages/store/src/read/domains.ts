import type { DomainFilter, Store } from '@certwright/core';
import { type SqlBool, sql } from 'kysely';
import { endOfSubtree, reverseName } from '../schema/tables.ts';
import type { Select } from './keyset.ts';
import { columnNames, decodeRow, type Queries } from './reader.ts';

const COLUMNS = columnNames('domain');
const MAX_PAGE = 1_000;
/** Most rows that a list by ids or names may ask for. */
const MAX_LIST = 5_000;

/** `%` and `_` stand for themselves. */
const contains = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

function filtered(base: Select, filter: DomainFilter): Select {
  let query = base.where('account_id', '=', filter.accountId);
  if (filter.search !== undefined) {
    const text = filter.search.toLowerCase();
    query =
      filter.exact === true
        ? query.where('name', '=', text)
        : query.where(sql<SqlBool>`${sql.ref('name')} like ${contains(text)} escape '\\'`);
  }
  const { statuses, now } = filter;
  if (statuses !== undefined) {
    const expired = sql<SqlBool>`coalesce(${sql.ref('valid_till')} <= ${now}, ${sql.raw('1 = 0')})`;
    query = query.where((where) =>
      where.or(
        statuses.map((status) => {
          if (status === 'inactive') return where('status', '=', 'inactive');
          const active = where('status', '=', 'active');
          return where.and([active, status === 'expired' ? expired : where.not(expired)]);
        }),
      ),
    );
  }
  if (filter.dcvStatuses !== undefined) query = query.where('dcv_status', 'in', filter.dcvStatuses);
  if (filter.methods !== undefined) query = query.where('method', 'in', filter.methods);
  if (filter.createdFrom !== undefined) query = query.where('created_at', '>=', filter.createdFrom);
  if (filter.createdBefore !== undefined) query = query.where('created_at', '<', filter.createdBefore);
  if (filter.organizationId !== undefined) query = query.where('organization_id', '=', filter.organizationId);
  return query;
}

function sorted(query: Select, { sortBy, descending }: DomainFilter): Select {
  const direction = descending ? 'desc' : 'asc';
  switch (sortBy) {
    case 'name':
      return query.orderBy('name', direction).orderBy('id', direction);
    case 'createdAt':
      return query.orderBy('created_at', direction).orderBy('id', direction);
    default: {
      // the databases disagree on where rows without a value stand
      const column = sortBy === 'verifiedAt' ? 'verified_at' : 'valid_till';
      return query.orderBy(sql`coalesce(${sql.ref(column)}, 0)`, direction).orderBy('id', direction);
    }
  }
}

const isEmptyFilter = ({ statuses, dcvStatuses, methods }: DomainFilter): boolean =>
  [statuses, dcvStatuses, methods].some((list) => list?.length === 0);

export function domainReads({ db, run, first, select }: Queries): Store['domains'] {
  const domains = () => db.selectFrom('domains').select(COLUMNS);
  const decodeAll = (rows: Awaited<ReturnType<typeof run>>) => rows.map((row) => decodeRow('domain', row));

  return {
    byId: (id) => first('domain', { id }),

    async byIds(ids) {
      if (ids.length === 0) return [];
      return decodeAll(await run(domains().where('id', 'in', ids.slice(0, MAX_LIST)).orderBy('id')));
    },

    byPublicId: (accountId, publicId) => first('domain', { publicId, accountId }),

    async byNames(accountId, names) {
      if (names.length === 0) return [];
      const query = domains().where('account_id', '=', accountId).where('name', 'in', names.slice(0, MAX_LIST));
      return decodeAll(await run(query.orderBy('id')));
    },

    async children(domainId, after, limit) {
      const query = domains().where('inherited_from', '=', domainId).where('id', '>', after);
      return decodeAll(await run(query.orderBy('id').limit(limit)));
    },

    async below(accountId, organizationId, name, after, limit) {
      const reversed = reverseName(name.toLowerCase());
      const query = domains()
        .where('account_id', '=', accountId)
        .where('name_reversed', '>', reversed)
        .where('name_reversed', '<', endOfSubtree(reversed))
        .where('organization_id', organizationId === null ? 'is' : '=', organizationId)
        .where('id', '>', after);
      return decodeAll(await run(query.orderBy('id').limit(limit)));
    },

    async list(filter) {
      if (isEmptyFilter(filter)) return { rows: [], total: 0 };
      const limit = Math.max(0, Math.min(filter.limit, MAX_PAGE));
      const [rows, [counted]] = await Promise.all([
        run(sorted(filtered(domains(), filter), filter).limit(limit).offset(filter.offset)),
        run(
          filtered(
            db.selectFrom('domains').select((count) => count.fn.countAll().as('total')),
            filter,
          ),
        ),
      ]);
      return { rows: decodeAll(rows), total: Number(counted?.[0] ?? 0) };
    },

    async attempts(domainId, offset, limit) {
      const attempts = db.selectFrom('attempts').where('domain_id', '=', domainId);
      const [rows, [counted]] = await Promise.all([
        run(
          attempts
            .select(columnNames('attempt'))
            .orderBy('id', 'desc')
            .limit(Math.max(0, Math.min(limit, MAX_PAGE)))
            .offset(offset),
        ),
        run(attempts.select((count) => count.fn.countAll().as('total'))),
      ]);
      return { rows: rows.map((row) => decodeRow('attempt', row)), total: Number(counted?.[0] ?? 0) };
    },

    attempt: (domainId, id) => first('attempt', { id, domainId }),
    lastAttempt: (domainId) => first('attempt', { domainId }, 'order by "id" desc limit 1'),
    mailApprovalByToken: (tokenHash) => first('mailApproval', { tokenHash }),
    mailApprovalsOf: (domainId) => select('mailApproval', { domainId }, 'order by "id" desc limit 1000'),
  };
}
