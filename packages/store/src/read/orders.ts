import type { Store } from '@certwright/core';
import { WAITS_FOR_ORGANIZATION } from '../schema/tables.ts';
import { keyset, literally } from './keyset.ts';
import { page } from './paging.ts';
import { columnNames, decodeRow, type Queries } from './reader.ts';

const COLUMNS = columnNames('order');
const FAMILY = COLUMNS.indexOf('family');

export function orderReads({ db, run, first, select }: Queries): Store['orders'] {
  return {
    byId: (id) => first('order', { id }),
    byNumber: (number) => first('order', { number }),
    byRequestNumber: (accountId, requestNumber) => first('order', { requestNumber, accountId }),
    subscription: (id) => first('subscription', { id }),

    async waitingForDomain(domainId, after, limit) {
      const rows = await run(
        db
          .selectFrom('order_domains')
          .select(columnNames('orderDomain'))
          .where('domain_id', '=', domainId)
          .where('id', '>', after)
          .orderBy('id')
          .limit(limit),
      );
      return rows.map((row) => decodeRow('orderDomain', row));
    },

    domainLinks: (orderId) => select('orderDomain', { orderId }, 'order by "id"'),

    async waitingForOrganization(organizationId, after, limit) {
      const rows = await run(
        db
          .selectFrom('orders')
          .select('id')
          .where('organization_id', '=', organizationId)
          .where(literally(WAITS_FOR_ORGANIZATION))
          .where('id', '>', after)
          .orderBy('id')
          .limit(limit),
      );
      return rows.map(([id]) => Number(id));
    },

    list: ({ accountId, phase, family }, request) =>
      page(
        {
          order: 'order',
          keyLength: 1,
          descending: true,
          fetch(slice) {
            let query = db.selectFrom('orders').select(COLUMNS);
            if (accountId !== null) query = query.where('account_id', '=', accountId);
            if (phase !== undefined) query = query.where('phase', '=', phase);
            return run(keyset(query, ['id'], slice));
          },
          keyOf: (row) => row.slice(0, 1),
          decode: (row) => decodeRow('order', row),
          // few families: not worth an index that every order pays for
          ...(family === undefined ? {} : { accept: (row) => row[FAMILY] === family }),
        },
        request,
      ),
  };
}
