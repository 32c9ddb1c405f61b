/** Queries over growing tables go by the index that was made for them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { accountReads, credentialReads } from '../src/read/accounts.ts';
import { auditReads } from '../src/read/audit.ts';
import { certificateReads } from '../src/read/certificates.ts';
import { domainReads } from '../src/read/domains.ts';
import { orderReads } from '../src/read/orders.ts';
import { createQueries, type Queries, type Row } from '../src/read/reader.ts';
import { revokedEntries } from '../src/read/revoked.ts';
import { SCHEMA } from '../src/schema/migrations.ts';
import { SqliteConnection } from '../src/sqlite/database.ts';
import { T0 } from './records.ts';

const NOW = { accountId: null, now: T0 } as const;
const MINE = { accountId: 1, now: T0 } as const;
const DOMAINS = { ...MINE, sortBy: 'createdAt', descending: true, offset: 0, limit: 10 } as const;
const FIRST = { limit: 10 } as const;
const LAST = { limit: 10, from: 'end' } as const;

type Ask = (queries: Queries) => Promise<unknown>;

/** What is asked, and what each step of the plan that touches a table must name. */
const CASES: readonly (readonly [string, Ask, RegExp])[] = [
  ['account by number', (q) => accountReads(q).byNumber('1'), /accounts_number/],
  ['token by hash', (q) => credentialReads(q).tokenByAccessHash('x'), /tokens_accessHash/],
  ['live tokens', (q) => credentialReads(q).liveTokens(1), /tokens_credential/],
  ['order by number', (q) => orderReads(q).byNumber('1'), /orders_number/],
  ['order by request', (q) => orderReads(q).byRequestNumber(1, '1'), /orders_requestNumber/],
  ['orders of all', (q) => orderReads(q).list({ accountId: null }, FIRST), /^SCAN orders$/],
  ['orders of an account', (q) => orderReads(q).list({ accountId: 1 }, LAST), /orders_account \(/],
  ['orders by phase', (q) => orderReads(q).list({ accountId: null, phase: 'dcv' }, FIRST), /orders_phase/],
  [
    'orders of an account by phase',
    (q) => orderReads(q).list({ accountId: 1, phase: 'dcv' }, LAST),
    /orders_account_phase/,
  ],
  ['orders waiting for an organization', (q) => orderReads(q).waitingForOrganization(1, 0, 10), /orders_organization/],
  ['orders waiting for a domain', (q) => orderReads(q).waitingForDomain(1, 0, 10), /order_domains_waiting/],
  ['links of an order', (q) => orderReads(q).domainLinks(1), /order_domains_domain/],
  ['certificate by serial', (q) => certificateReads(q).bySerial(1, 'ab'), /certificates_serial/],
  ['status of a certificate', (q) => certificateReads(q).status(1, 'ab'), /certificates_serial/],
  ['unfinished certificates', (q) => certificateReads(q).unfinished(T0, 10), /certificates_prepared/],
  ['certificates, newest first', (q) => certificateReads(q).search(NOW, FIRST), /^SCAN certificates$/],
  ['certificates of an account', (q) => certificateReads(q).search(MINE, LAST), /certificates_account \(/],
  ['certificates by serial', (q) => certificateReads(q).search({ ...NOW, serial: 'ab' }, FIRST), /certificates_serial/],
  [
    'valid certificates',
    (q) => certificateReads(q).search({ ...NOW, status: 'valid' }, LAST),
    /certificates_state_expiry/,
  ],
  [
    'expired certificates of an account',
    (q) => certificateReads(q).search({ ...MINE, status: 'expired' }, LAST),
    /certificates_account_state_expiry/,
  ],
  [
    'certificates by expiry',
    (q) => certificateReads(q).search({ ...NOW, expiresFrom: T0 }, FIRST),
    /certificates_state_expiry/,
  ],
  [
    'certificates of an account by expiry',
    (q) => certificateReads(q).search({ ...MINE, expiresBefore: T0 }, LAST),
    /certificates_account_state_expiry/,
  ],
  [
    'certificates of a domain',
    (q) => certificateReads(q).search({ ...MINE, domain: 'example.com', status: 'valid' }, FIRST),
    /certificate_names USING PRIMARY KEY|certificates USING INTEGER PRIMARY KEY/,
  ],
  ['counts', (q) => certificateReads(q).count(1), /counters USING PRIMARY KEY/],
  ['domains of an account', (q) => domainReads(q).list(DOMAINS), /domains_/],
  ['domains by name', (q) => domainReads(q).byNames(1, ['a', 'b']), /domains_name/],
  ['domains that inherit', (q) => domainReads(q).children(1, 0, 10), /domains_inherited/],
  ['newest attempt', (q) => domainReads(q).lastAttempt(1), /attempts_domain/],
  ['audit entries', (q) => auditReads(q).search({ accountId: null }, FIRST), /audit_at/],
  ['audit entries of an account', (q) => auditReads(q).search({ accountId: 1, from: T0 }, LAST), /audit_account/],
  ['audit entries of an object', (q) => auditReads(q).search({ accountId: 1, objectId: '1' }, FIRST), /audit_object/],
  [
    'audit entries of an activity',
    (q) => auditReads(q).search({ accountId: null, activity: 'a' }, FIRST),
    /audit_activity/,
  ],
];

/** Queries that sort what they find: the rows of one account, one order, one serial number. */
const SORTS_FEW = new Set(['domains of an account', 'domains by name', 'links of an order', 'certificates by serial']);

/** Steps that walk over the few rows of a sub-query. */
const OF_SUB_QUERY = /^SCAN (branch\d|merged|found)$/;

describe('Query plans (SQLite)', () => {
  const connection = new SqliteConnection({ path: ':memory:', readOnly: false, cacheKiB: 1_024 });
  before(() => {
    for (const statement of SCHEMA.create('sqlite')) connection.exec(statement);
  });
  after(() => connection.close());

  function explaining(): { readonly queries: Queries; readonly steps: string[] } {
    const steps: string[] = [];
    const rows = async (sql: string, parameters: Row): Promise<readonly Row[]> => {
      for (const [, , , detail] of connection.all(`explain query plan ${sql}`, parameters)) steps.push(String(detail));
      return [];
    };
    return { queries: createQueries({ dialect: 'sqlite', rows }), steps };
  }

  for (const [title, ask, expected] of CASES) {
    it(title, async () => {
      const { queries, steps } = explaining();
      await ask(queries);
      const touching = steps.filter((step) => /^(SEARCH|SCAN) /.test(step) && !OF_SUB_QUERY.test(step));
      assert.ok(touching.length > 0);
      for (const step of touching) assert.match(step, expected);
      const hasSubQuery = steps.some((step) => OF_SUB_QUERY.test(step));
      if (!hasSubQuery && !SORTS_FEW.has(title))
        assert.ok(!steps.some((step) => step.includes('TEMP B-TREE')), steps.join('; '));
    });
  }

  it('entries of a CRL are read from the index alone', async () => {
    const { queries, steps } = explaining();
    const snapshot = {
      placeholder: () => '?',
      hex: (expression: string) => `hex(${expression})`,
      rows: (sql: string, parameters: Row) => queries.reader.rows(sql, parameters, true),
      close: async () => undefined,
    };
    for await (const slice of revokedEntries(async () => snapshot, 1, 3, T0))
      assert.fail(`${slice.length} entries of nothing`);
    assert.deepEqual(steps, [
      'SEARCH certificates USING COVERING INDEX certificates_revoked (ca_id=? AND crl_partition=? AND id>?)',
    ]);
  });
});
