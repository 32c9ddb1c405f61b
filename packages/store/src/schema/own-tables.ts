/** Tables that serve the store itself and have no record of their own in the core. */
import { index, ownTable, type TableDefinition, unique } from './columns.ts';
import { RECORD_TABLES } from './tables.ts';

/** Each name of a certificate, labels reversed, so that "a domain or anything below it" is one range. */
export const CERTIFICATE_NAMES = ownTable('certificate_names', { nameReversed: 'text', certificateId: 'integer' }, [
  'name_reversed',
  'certificate_id',
]);

export const AUDIT = ownTable(
  'audit',
  {
    id: 'integer',
    lane: 'text',
    sequence: 'integer',
    previousHash: 'hex',
    hash: 'hex',
    at: 'integer',
    accountId: 'integer?',
    actor: 'text',
    channel: 'text',
    activity: 'text',
    objectType: 'text',
    objectId: 'text',
    outcome: 'text',
    requestId: 'text',
    ip: 'text',
    details: 'text',
  },
  'autoId',
  [
    unique('lane', '"lane", "sequence"'),
    index('at', '"at", "id"'),
    index('account', '"account_id", "at", "id"'),
    index('activity', '"activity", "at", "id"'),
    index('object', '"object_id", "at", "id"'),
  ],
);

/** Newest entries of lanes that no tie of another lane mentions yet. */
export const AUDIT_HEADS = ownTable('audit_heads', { lane: 'text', sequence: 'integer', hash: 'hex' }, [
  'lane',
  'sequence',
]);

/** Kept counts. `slot`: writers use different rows of the same count and do not wait for each other. Account 0: all. */
export const COUNTERS = ownTable(
  'counters',
  { accountId: 'integer', name: 'text', slot: 'integer', value: 'integer' },
  ['account_id', 'name', 'slot'],
  [],
);

export const JOBS = ownTable(
  'jobs',
  {
    id: 'integer',
    kind: 'text',
    key: 'text?',
    payload: 'json',
    runAt: 'integer',
    attempts: 'integer',
    leaseUntil: 'integer?',
    lastError: 'text',
    createdAt: 'integer',
  },
  'autoId',
  [unique('waiting', '"kind", "key"', '"key" is not null and "lease_until" is null'), index('due', '"kind", "run_at"')],
);

export const LEASES = ownTable('leases', { name: 'text', holder: 'text', until: 'integer' }, ['name']);

export const SEQUENCES = ownTable('sequences', { name: 'text', value: 'integer' }, ['name']);

export const ALL_TABLES: readonly TableDefinition[] = [
  ...Object.values(RECORD_TABLES),
  CERTIFICATE_NAMES,
  AUDIT,
  AUDIT_HEADS,
  COUNTERS,
  JOBS,
  LEASES,
  SEQUENCES,
];
