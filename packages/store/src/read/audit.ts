import type { AuditFilter, AuditOutcome, AuditRecord, Store } from '@certwright/core';
import { createCodec } from '../schema/codec.ts';
import { AUDIT } from '../schema/own-tables.ts';
import { keyset, type Select } from './keyset.ts';
import { page } from './paging.ts';
import type { Queries, Row } from './reader.ts';

const CODEC = createCodec(AUDIT);
const COLUMNS = CODEC.columns.map(({ name }) => name);
const at = (column: string): number => COLUMNS.indexOf(column);
const [ID, AT, ACCOUNT_ID, ACTIVITY, OBJECT_TYPE] = [
  at('id'),
  at('at'),
  at('account_id'),
  at('activity'),
  at('object_type'),
];

function decode(row: Row): AuditRecord {
  const cells = CODEC.decode(row);
  const text = (member: string): string => String(cells[member]);
  return {
    at: Number(cells.at),
    accountId: cells.accountId === null ? null : Number(cells.accountId),
    actor: text('actor'),
    channel: text('channel'),
    activity: text('activity'),
    objectType: text('objectType'),
    objectId: text('objectId'),
    outcome: text('outcome') as AuditOutcome,
    requestId: text('requestId'),
    ip: text('ip'),
    details: JSON.parse(text('details')),
    lane: text('lane'),
    sequence: Number(cells.sequence),
    previousHash: text('previousHash'),
    hash: text('hash'),
  };
}

/** The one equality that chooses the index; the others are looked at row by row. */
function narrowed(query: Select, { accountId, activity, objectId }: AuditFilter): Select {
  if (objectId !== undefined) return query.where('object_id', '=', objectId);
  if (accountId !== null) return query.where('account_id', '=', accountId);
  return activity === undefined ? query : query.where('activity', '=', activity);
}

export function auditReads({ db, run }: Queries): Store['audit'] {
  return {
    search: async (filter, request) => {
      const { accountId, activity, objectType, objectId, from, before } = filter;
      const accept = (row: Row): boolean =>
        (accountId === null || row[ACCOUNT_ID] === accountId) &&
        (activity === undefined || row[ACTIVITY] === activity) &&
        (objectType === undefined || row[OBJECT_TYPE] === objectType);
      const conditions = [accountId ?? undefined, activity, objectType, objectId].filter((one) => one !== undefined);
      const isNarrowedOnly = conditions.length <= (objectType === undefined ? 1 : 0);
      return page(
        {
          order: 'audit',
          keyLength: 2,
          descending: true,
          fetch(slice) {
            let query: Select = narrowed(db.selectFrom('audit').select(COLUMNS), filter);
            if (from !== undefined) query = query.where('at', '>=', from);
            if (before !== undefined) query = query.where('at', '<', before);
            return run(keyset(query, ['at', 'id'], slice));
          },
          keyOf: (row) => [row[AT] ?? null, row[ID] ?? null],
          decode,
          ...(isNarrowedOnly ? {} : { accept }),
        },
        request,
      );
    },
  };
}
