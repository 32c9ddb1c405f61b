import { seededStore } from '../seed.ts';
import type { Row } from '../support/context.ts';
import { type Figure, median } from '../support/figures.ts';
import { certificateSearch } from '../support/manage.ts';
import { startServer } from '../support/server.ts';
import { LARGE, quickly } from '../support/sizes.ts';

const BELOW_MS = 30;
const REPEATS = 20;
const DAY = 86_400_000;
const PAGE = '50';

export const search: Row = {
  name: 'search',
  async run(context) {
    const spec = context.quick ? quickly(LARGE) : LARGE;
    const seeded = await seededStore(spec, context.say);
    const server = await startServer({ data: seeded.data });
    const client = certificateSearch(server.manageSocket);
    const inDays = (days: number): string => new Date(Date.now() + days * DAY).toISOString();
    const queries: readonly (readonly [what: string, query: Readonly<Record<string, string>>])[] = [
      ['everything', {}],
      ['domain', { domain: seeded.domain }],
      ['domain above all', { domain: 'seed.example' }],
      ['serial', { serial: seeded.serial }],
      ['status valid', { status: 'valid' }],
      ['status revoked', { status: 'revoked' }],
      ['status expired', { status: 'expired' }],
      ['expiry within a month', { expiresFrom: inDays(0), expiresBefore: inDays(30) }],
      ['domain, valid, within a month', { domain: seeded.domain, status: 'valid', expiresBefore: inDays(30) }],
    ];
    try {
      // the first request of a process compiles what the others use
      await client.search({ limit: PAGE });
      const figures: Figure[] = [];
      for (const [what, query] of queries) {
        const times = { first: [] as number[], last: [] as number[] };
        for (let round = 0; round < REPEATS; round++) {
          const first = await client.search({ ...query, limit: PAGE });
          const last = await client.search({ ...query, limit: PAGE, from: 'end' });
          if (first.page.items.length === 0 || last.page.items.length === 0) throw new Error(`${what}: nothing found`);
          times.first.push(first.ms);
          times.last.push(last.ms);
        }
        const slowest = Math.max(...times.first, ...times.last);
        figures.push({
          row: 'search',
          what: `${what}: slowest of ${REPEATS} first and ${REPEATS} last pages`,
          value: slowest,
          unit: 'ms',
          goal: { kind: 'below', value: BELOW_MS },
          peer: null,
          note: `p50 first ${median(times.first).toFixed(1)} ms, last ${median(times.last).toFixed(1)} ms`,
        });
      }
      return figures;
    } finally {
      client.close();
      await server.stop();
    }
  },
};
