import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { it } from 'node:test';
import { describeStores, type Harness } from './stores.ts';

/** Acknowledged writes after which the process is killed. */
const ENOUGH = 4_000;

interface Acknowledged {
  readonly prepared: ReadonlySet<number>;
  readonly issued: ReadonlySet<number>;
}

/** Starts the writing child, kills it in the middle of its work and returns what it was told was done. */
async function killInTheMiddle({ kind, location }: Harness): Promise<Acknowledged> {
  const file = new URL('./support/writing-child.ts', import.meta.url).pathname;
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [file, kind, location], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const prepared = new Set<number>();
  const issued = new Set<number>();
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const [what, id] = line.split(' ');
    // the kill may cut the last line
    if (what === 'prepared' && id !== undefined) prepared.add(Number(id));
    if (what === 'issued' && id !== undefined) issued.add(Number(id));
    if (prepared.size + issued.size === ENOUGH) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL');
  return { prepared, issued };
}

describeStores('A process that is killed', (current) => {
  it('leaves every acknowledged write, nothing half done, and a whole audit trail', { timeout: 120_000 }, async () => {
    const harness = current();
    const rounds = [await killInTheMiddle(harness), await killInTheMiddle(harness)];
    const store = await harness.open();
    const { problems } = await store.verifyAudit();
    assert.deepEqual(problems, []);

    const rows = await harness.sql(
      `select o."id", o."phase", c."state", c."version",
        (select count(*) from "subscriptions" s where s."id" = o."id") as "subscriptions",
        (select count(*) from "audit" a where a."object_id" = cast(o."id" as text) and a."activity" = 'certificate.prepared') as "prepared",
        (select count(*) from "audit" a where a."object_id" = cast(o."id" as text) and a."activity" = 'certificate.issued') as "issued"
      from "orders" o left join "certificates" c on c."id" = o."id"`,
    );
    const found = new Map(rows.map((row) => [Number(row.id), row]));
    for (const { prepared, issued } of rounds) {
      assert.ok(prepared.size + issued.size >= ENOUGH);
      for (const id of prepared) assert.ok(found.has(id), `order ${id} was acknowledged and is lost`);
      for (const id of issued)
        assert.equal(found.get(id)?.state, 'valid', `certificate ${id} was acknowledged and is lost`);
    }
    for (const row of found.values()) {
      const isIssued = row.state === 'valid';
      const expected = {
        phase: isIssued ? 'issued' : 'issuing',
        subscriptions: 1,
        prepared: 1,
        issued: isIssued ? 1 : 0,
      };
      const { phase, subscriptions, prepared, issued } = row;
      assert.deepEqual(
        { phase, subscriptions: Number(subscriptions), prepared: Number(prepared), issued: Number(issued) },
        expected,
        `order ${row.id} is half done`,
      );
    }
    const states = [...found.values()].map(({ state }) => state);
    const counts = await store.certificates.count(null);
    assert.equal(counts.valid, states.filter((state) => state === 'valid').length);
    assert.equal(counts.prepared, states.filter((state) => state === 'prepared').length);
  });
});
