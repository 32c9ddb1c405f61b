import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CertwrightStore } from '@certwright/store';
import fc from 'fast-check';
import { canonicalJson } from '../src/audit/canonical-json.ts';
import { audit, T0 } from './records.ts';
import { describeStores, type Harness } from './stores.ts';

async function append(store: CertwrightStore, count: number, at = T0): Promise<void> {
  const outcomes = await Promise.all(
    Array.from({ length: count }, (_, number) =>
      store.write({
        writes: [],
        audit: audit({ at, objectId: String(number), details: { number, text: 'ü "\\ \u2028' } }),
      }),
    ),
  );
  assert.ok(outcomes.every((outcome) => outcome.ok));
}

/** Opens, appends and closes several times: each time a lane of its own at least, tied to those before it. */
async function fill(harness: Harness, rounds: number, count: number): Promise<CertwrightStore> {
  for (let round = 0; round < rounds; round++) {
    const store = await harness.open();
    await append(store, count, T0 + round);
    await store.close();
  }
  return harness.open();
}

async function lanes(harness: Harness): Promise<readonly { readonly lane: string; readonly length: number }[]> {
  const rows = await harness.sql(
    'select "lane", max("sequence") as "length", min("id") as "first" from "audit" group by "lane" order by "first"',
  );
  return rows.map(({ lane, length }) => ({ lane: String(lane), length: Number(length) }));
}

describeStores('Audit trail', (current) => {
  it('is whole after concurrent writing, several starts and bad text', async () => {
    const store = await fill(current(), 3, 200);
    await store.write({
      writes: [],
      audit: audit({ requestId: 'nul \0 and lone \ud800 surrogate', details: { '\ud800': '\0' } }),
    });
    const report = await store.verifyAudit();
    assert.deepEqual(report.problems, []);
    assert.ok(report.lanes >= 4);
    // one tie at the start of each lane
    assert.equal(report.entries, 3 * 200 + 1 + report.lanes);
  });

  it('ties lanes again after a thousand entries and after a minute', async () => {
    const harness = current();
    const store = await harness.open();
    for (let round = 0; round < 5; round++) await append(store, 300);
    await append(store, 1, T0 + 60_000);
    const ties = await harness.sql(
      `select count(*) as "ties", count(distinct "lane") as "lanes" from "audit" where "activity" = 'audit.tie'`,
    );
    assert.ok(Number(ties[0]?.ties) > Number(ties[0]?.lanes));
    assert.deepEqual((await store.verifyAudit()).problems, []);
  });

  const tampering: readonly (readonly [string, (harness: Harness) => Promise<string>, string])[] = [
    [
      'a changed actor',
      async (harness) => {
        const { lane } = (await lanes(harness))[0] ?? { lane: '' };
        return `update "audit" set "actor" = 'credential:2' where "lane" = '${lane}' and "sequence" = 3`;
      },
      'hash',
    ],
    [
      'one changed character of the details',
      async (harness) => {
        const { lane } = (await lanes(harness))[0] ?? { lane: '' };
        return `update "audit" set "details" = replace("details", 'number', 'numbeR') where "lane" = '${lane}' and "sequence" = 3`;
      },
      'hash',
    ],
    [
      'a changed account',
      async () => `update "audit" set "account_id" = null where "sequence" = 2 and "activity" <> 'audit.tie'`,
      'hash',
    ],
    [
      'an entry missing in the middle',
      async (harness) => {
        const { lane } = (await lanes(harness))[0] ?? { lane: '' };
        return `delete from "audit" where "lane" = '${lane}' and "sequence" = 4`;
      },
      'gap',
    ],
    [
      'the first entry missing',
      async (harness) => {
        const { lane } = (await lanes(harness))[0] ?? { lane: '' };
        return `delete from "audit" where "lane" = '${lane}' and "sequence" = 1`;
      },
      'gap',
    ],
    [
      'a lane cut short',
      async (harness) => {
        const { lane, length } = (await lanes(harness))[0] ?? { lane: '', length: 0 };
        return `delete from "audit" where "lane" = '${lane}' and "sequence" = ${length}`;
      },
      'tie',
    ],
    [
      'a lane removed',
      async (harness) => {
        const { lane } = (await lanes(harness))[0] ?? { lane: '' };
        return `delete from "audit" where "lane" = '${lane}'`;
      },
      'tie',
    ],
    [
      'the newest lane removed',
      async (harness) => {
        const { lane } = (await lanes(harness)).at(-1) ?? { lane: '' };
        return `delete from "audit" where "lane" = '${lane}'`;
      },
      'tie',
    ],
  ];
  for (const [title, statement, kind] of tampering) {
    it(`finds ${title}`, async () => {
      const harness = current();
      const store = await fill(harness, 3, 20);
      assert.deepEqual((await store.verifyAudit()).problems, []);
      await harness.sql(await statement(harness));
      const { problems } = await store.verifyAudit();
      assert.ok(problems.length > 0);
      assert.ok(
        problems.some((problem) => problem.kind === kind),
        JSON.stringify(problems),
      );
    });
  }

  it('finds a cut even when the kept head is removed with it, once a later lane has tied it', async () => {
    const harness = current();
    const store = await fill(harness, 2, 20);
    await append(store, 1, T0 + 200_000);
    const [first] = await lanes(harness);
    await harness.sql(`delete from "audit" where "lane" = '${first?.lane}' and "sequence" >= ${first?.length}`);
    await harness.sql('delete from "audit_heads"');
    const { problems } = await store.verifyAudit();
    assert.deepEqual(
      problems.map(({ kind, lane }) => ({ kind, lane })),
      [{ kind: 'tie', lane: first?.lane }],
    );
  });
});

describe('Canonical JSON', () => {
  it('does not depend on the order of members and says the same as JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        const shuffled: unknown = JSON.parse(JSON.stringify(value), (_name, member: unknown) =>
          typeof member === 'object' && member !== null && !Array.isArray(member)
            ? Object.fromEntries(Object.entries(member).reverse())
            : member,
        );
        assert.equal(canonicalJson(shuffled), text);
      }),
    );
  });
});
