import { type LoadRequest, measure } from '../load/client.ts';
import type { LoadReport } from '../load/plan.ts';
import { type BenchContext, type Row, runMs } from '../support/context.ts';
import { type Figure, median } from '../support/figures.ts';
import { startFixture } from '../support/fixture.ts';
import { ocspMessages } from '../support/ocsp.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;

const CASES = [
  { key: 'get', what: 'precomputed, GET', atLeast: 20_000 },
  { key: 'post', what: 'precomputed, POST', atLeast: 12_000 },
  { key: 'postWithNonce', what: 'signed live, POST with nonce', atLeast: 8_000 },
] as const;

async function rounds(context: BenchContext, load: LoadRequest): Promise<readonly LoadReport[]> {
  const reports: LoadReport[] = [];
  for (let round = 0; round < (context.quick ? 1 : ROUNDS); round++) reports.push(await measure(load));
  return reports;
}

/** Median rate of some runs as a figure with p99 and the generator's own share of the machine beside it. */
export function rateFigure(row: string, what: string, atLeast: number, reports: readonly LoadReport[]): Figure {
  const p99 = median(reports.map((report) => report.latencyMs.p99));
  const cpu = median(reports.map((report) => report.generatorCpu));
  return {
    row,
    what,
    value: median(reports.map((report) => report.rate)),
    unit: 'req/s',
    goal: { kind: 'atLeast', value: atLeast },
    peer: null,
    note: `p99 ${p99.toFixed(1)} ms, generator ${Math.round(cpu * 100)} % of a core`,
  };
}

export const ocsp: Row = {
  name: 'ocsp',
  async run(context) {
    const { server, certificates } = await startFixture(context, 'ocsp');
    try {
      const messages = await ocspMessages(certificates, server.statusPort);
      const figures: Figure[] = [];
      for (const { key, what, atLeast } of CASES) {
        const live = key === 'postWithNonce';
        const reports = await rounds(context, {
          port: server.statusPort,
          connections: CONNECTIONS,
          durationMs: runMs(context),
          requests: messages[key],
          varyLast: live ? messages.nonceLength : 0,
          expect: { status: 200, bodyIncludes: messages.successful, echo: live },
        });
        figures.push(rateFigure('ocsp', what, atLeast, reports));
      }
      return figures;
    } finally {
      await server.stop();
    }
  },
};
