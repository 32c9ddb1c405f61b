import { setTimeout as delay } from 'node:timers/promises';
import { seededStore } from '../seed.ts';
import { logIn, ORDERS_PATH } from '../support/api.ts';
import type { Row } from '../support/context.ts';
import { residentMegabytes } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { quickly, SMALL } from '../support/sizes.ts';

const BELOW_MB = 220;
const SETTLE_MS = 3_000;

export const memory: Row = {
  name: 'memory',
  async run(context) {
    const spec = context.quick ? quickly(SMALL) : SMALL;
    const seeded = await seededStore(spec, context.say);
    const server = await startServer({ data: seeded.data });
    try {
      const api = await logIn(server.apiPort, seeded.account);
      for (const id of seeded.orderIds) {
        const response = await fetch(`http://127.0.0.1:${api.port}${ORDERS_PATH}/${id}`, {
          headers: { Authorization: api.authorization },
        });
        if (!response.ok) throw new Error(`order ${id}: ${response.status}`);
        await response.arrayBuffer();
      }
      await delay(SETTLE_MS);
      return [
        {
          row: 'memory',
          what: `resident at rest, ${spec.certificates.toLocaleString('en')} certificates`,
          value: await residentMegabytes(server.pid),
          unit: 'MB',
          goal: { kind: 'below', value: BELOW_MB },
          peer: null,
          note: '',
        },
      ];
    } finally {
      await server.stop();
    }
  },
};
