import { seededStore } from '../seed.ts';
import type { Row } from '../support/context.ts';
import { median } from '../support/figures.ts';
import { startServer } from '../support/server.ts';
import { LARGE, quickly } from '../support/sizes.ts';

const BELOW_S = 2;
const STARTS = 5;

export const start: Row = {
  name: 'start',
  async run(context) {
    const spec = context.quick ? quickly(LARGE) : LARGE;
    const seeded = await seededStore(spec, context.say);
    const seconds: number[] = [];
    for (let index = 0; index < STARTS; index++) {
      const server = await startServer({ data: seeded.data });
      try {
        const health = await fetch(`http://127.0.0.1:${server.apiPort}/healthz`);
        if (!health.ok) throw new Error(`/healthz: ${health.status}`);
        seconds.push(server.startMs / 1000);
      } finally {
        await server.stop();
      }
    }
    return [
      {
        row: 'start',
        what: `serve on ${spec.certificates.toLocaleString('en')} certificates, process start to ready`,
        value: median(seconds),
        unit: 's',
        goal: { kind: 'below', value: BELOW_S },
        peer: null,
        note: `worst of ${STARTS}: ${Math.max(...seconds).toFixed(2)} s`,
      },
    ];
  },
};
