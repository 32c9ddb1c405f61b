import type { Store } from '@certwright/core';
import { keyset } from './keyset.ts';
import { page } from './paging.ts';
import { columnNames, decodeRow, type Queries } from './reader.ts';

export function accountReads({ db, run, first, select }: Queries): Store['accounts'] {
  return {
    byId: (id) => first('account', { id }),
    byNumber: (number) => first('account', { number }),
    list: (request) =>
      page(
        {
          order: 'account',
          keyLength: 1,
          descending: false,
          fetch: (slice) => run(keyset(db.selectFrom('accounts').select(columnNames('account')), ['id'], slice)),
          keyOf: (row) => row.slice(0, 1),
          decode: (row) => decodeRow('account', row),
        },
        request,
      ),
    groups: (accountId) => select('group', { accountId }, 'order by "id"'),
    users: (accountId) => select('user', { accountId }, 'order by "id"'),
    userById: (id) => first('user', { id }),
    organizations: (accountId) => select('organization', { accountId }, 'order by "id"'),
    organizationById: (id) => first('organization', { id }),
    organizationByNumber: (accountId, number) => first('organization', { number, accountId }),
    findOrganization: (number) => first('organization', { number }),
  };
}

export function productReads({ db, run, first }: Queries): Store['products'] {
  return {
    byId: (id) => first('product', { id }),
    async forAccount(accountId) {
      const rows = await run(
        db
          .selectFrom('products')
          .select(columnNames('product'))
          .where((where) => where.or([where('account_id', 'is', null), where('account_id', '=', accountId)]))
          .orderBy('code')
          .orderBy('id'),
      );
      return rows.map((row) => decodeRow('product', row));
    },
  };
}

export function credentialReads({ first, select }: Queries): Store['credentials'] {
  return {
    byId: (id) => first('credential', { id }),
    ofAccount: (accountId) => select('credential', { accountId }, 'order by "id"'),
    tokenByAccessHash: (accessHash) => first('token', { accessHash }),
    tokenByRefreshHash: (refreshHash) => first('token', { refreshHash }),
    tokensOfFamily: (familyId) => select('token', { familyId }, 'order by "id"'),
    liveTokens: (credentialId) => select('token', { credentialId, state: 'live' }, 'order by "id"'),
  };
}
