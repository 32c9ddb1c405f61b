import path from 'node:path';
import { httpMessage, type RunningLoad, startLoad } from '../load/client.ts';
import { type SeededStore, type SeedSpec, seededStore } from '../seed.ts';
import { type Api, logIn, ORDERS_PATH, revoke } from '../support/api.ts';
import type { BenchContext, Row } from '../support/context.ts';
import { type Figure, median } from '../support/figures.ts';
import { opensslCrlSeconds } from '../support/openssl-crl.ts';
import { residentMegabytes } from '../support/process.ts';
import { type LogEntry, type RunningServer, startServer } from '../support/server.ts';
import { ALL_REVOKED, LARGE, quickly } from '../support/sizes.ts';

const ROUNDS = 3;
const MORE_MEMORY_BELOW_MB = 100;
const DELAY_BELOW_MS = 50;
const SAMPLE_EVERY_MS = 20;
const PUBLISHED_WITHIN_MS = 120_000;
/** Some requests all the time, far from what the server can do: only delays are looked for. */
const LOOP = { connections: 4, thinkMs: 2, warmUpMs: 500, durationMs: null } as const;

const CASES = [
  { spec: LARGE, belowSeconds: 0.3 },
  { spec: ALL_REVOKED, belowSeconds: 2.5 },
] as const;

interface Round {
  readonly seconds: number;
  readonly moreMegabytes: number;
}

/** Waits for the log to tell of a CRL with at least so many entries. */
function publications(): { onLog(entry: LogEntry): void; next(entries: number): Promise<number> } {
  const waiting = new Set<(entry: LogEntry) => void>();
  return {
    onLog(entry) {
      if (entry.event === 'crl.published') for (const tell of waiting) tell(entry);
    },
    next(entries) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const timer = setTimeout(() => reject(new Error('no CRL was published')), PUBLISHED_WITHIN_MS);
      const tell = (entry: LogEntry): void => {
        if (Number(entry.entries) >= entries) resolve(Number(entry.durationMs) / 1000);
      };
      waiting.add(tell);
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(tell);
      });
    },
  };
}

function requestLoop(api: Api, seeded: SeededStore): RunningLoad {
  const headers = { Authorization: api.authorization, Accept: 'application/json' };
  return startLoad({
    ...LOOP,
    port: api.port,
    requests: seeded.orderIds.map((id) => httpMessage('GET', `${ORDERS_PATH}/${id}`, headers)),
    expect: { status: 200, bodyIncludes: Buffer.from('"orderId"'), echo: false },
  });
}

/** Highest resident memory while `work` runs and for a second after, above what it was before. */
async function moreMemory(server: RunningServer, work: () => Promise<unknown>): Promise<number> {
  const before = await residentMegabytes(server.pid);
  let highest = before;
  const sample = async (): Promise<void> => {
    highest = Math.max(highest, await residentMegabytes(server.pid));
  };
  const timer = setInterval(sample, SAMPLE_EVERY_MS);
  try {
    await work();
    await sample();
  } finally {
    clearInterval(timer);
  }
  return highest - before;
}

async function measureCase(context: BenchContext, spec: SeedSpec, belowSeconds: number): Promise<Figure[]> {
  const seeded = await seededStore(spec, context.say);
  const published = publications();
  const server = await startServer({ data: seeded.data, settings: { 'log.level': 'info' }, onLog: published.onLog });
  try {
    const api = await logIn(server.apiPort, seeded.account);
    const loop = requestLoop(api, seeded);
    await loop.counting;
    const rounds: Round[] = [];
    // an order can be revoked once; what earlier runs revoked is passed over
    for (const orderId of seeded.orderIds) {
      if (rounds.length === ROUNDS) break;
      let seconds = 0;
      const moreMegabytes = await moreMemory(server, async () => {
        const next = published.next(spec.revoked);
        next.catch(() => undefined);
        if (await revoke(api, orderId)) seconds = await next;
      });
      if (seconds > 0) rounds.push({ seconds, moreMegabytes });
    }
    loop.stop();
    const report = await loop.report;
    if (report.failures > 0) throw new Error(report.samples.join(' | '));
    if (rounds.length === 0) throw new Error('every order of the seeded store is revoked; remove bench/.cache');
    const peer = await opensslCrlSeconds(path.join(context.directory, `openssl-${spec.revoked}`), spec.revoked);
    const what = `${spec.revoked.toLocaleString('en')} revoked`;
    const common = { row: 'crl', peer: null, note: '' } as const;
    return [
      {
        ...common,
        what: `${what}: store to signed CRL`,
        value: median(rounds.map((round) => round.seconds)),
        unit: 's',
        goal: { kind: 'below', value: belowSeconds },
        peer: peer === undefined ? null : { name: 'openssl ca -gencrl', value: peer },
      },
      {
        ...common,
        what: `${what}: more memory`,
        value: Math.max(...rounds.map((round) => round.moreMegabytes)),
        unit: 'MB',
        goal: { kind: 'below', value: MORE_MEMORY_BELOW_MB },
      },
      {
        ...common,
        what: `${what}: slowest request meanwhile`,
        value: report.latencyMs.max,
        unit: 'ms',
        goal: { kind: 'below', value: DELAY_BELOW_MS },
        note: `p50 ${report.latencyMs.p50.toFixed(1)} ms, p99 ${report.latencyMs.p99.toFixed(1)} ms of ${report.answers}`,
      },
    ];
  } finally {
    await server.stop();
  }
}

export const crl: Row = {
  name: 'crl',
  async run(context) {
    const figures: Figure[] = [];
    for (const { spec, belowSeconds } of CASES) {
      figures.push(...(await measureCase(context, context.quick ? quickly(spec) : spec, belowSeconds)));
    }
    return figures;
  },
};
