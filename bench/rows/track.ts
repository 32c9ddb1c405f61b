import { httpMessage, measure } from '../load/client.ts';
import type { LoadReport } from '../load/plan.ts';
import { ORDERS_PATH } from '../support/api.ts';
import { type Row, runMs } from '../support/context.ts';
import { startFixture } from '../support/fixture.ts';
import { rateFigure } from './ocsp.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;
const AT_LEAST = 8_000;

export const track: Row = {
  name: 'track',
  async run(context) {
    const { server, api, orderIds } = await startFixture(context, 'track');
    try {
      const headers = { Authorization: api.authorization, Accept: 'application/json' };
      const reports: LoadReport[] = [];
      for (let round = 0; round < (context.quick ? 1 : ROUNDS); round++) {
        reports.push(
          await measure({
            port: api.port,
            connections: CONNECTIONS,
            durationMs: runMs(context),
            requests: orderIds.map((id) => httpMessage('GET', `${ORDERS_PATH}/${id}`, headers)),
            expect: { status: 200, bodyIncludes: Buffer.from('"status":"issued"'), echo: false },
          }),
        );
      }
      return [rateFigure('track', 'track order, SQLite', AT_LEAST, reports)];
    } finally {
      await server.stop();
    }
  },
};
