/** `/healthz`: the process answers. `/readyz`: it can do its work. `/metrics`. */
import type { Clock, Core, Store } from '@certwright/core';
import type { FastifyInstance } from 'fastify';
import { networkMatcher } from '../config/values.ts';
import type { Metrics } from '../metrics/metrics.ts';

export interface HealthOptions {
  readonly store: Store;
  /** Keeps the newest CRL: a row of a large one is not read for each check. */
  readonly status: Core['status'];
  readonly clock: Clock;
  /** Whether the private key of a CA can be used. */
  readonly canUseKey: (keyId: number) => Promise<boolean>;
  readonly isDraining: () => boolean;
  readonly metrics: Metrics;
  readonly metricsNetworks: readonly string[];
}

type Check = 'ok' | string;

const CHECK_TIMEOUT_MS = 2_000;
/** Load balancers may ask often; the database is asked at most once in this time. */
const KEEP_MS = 1_000;

async function bounded(check: () => Promise<Check>): Promise<Check> {
  const { promise, resolve } = Promise.withResolvers<Check>();
  const timer = setTimeout(() => resolve('no answer in time'), CHECK_TIMEOUT_MS);
  try {
    return await Promise.race([check().catch(() => 'failed'), promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function registerHealth(app: FastifyInstance, options: HealthOptions): void {
  const { store, status, clock, metrics } = options;
  const mayReadMetrics = networkMatcher(options.metricsNetworks);
  let kept: { readonly at: number; readonly checks: Promise<Readonly<Record<string, Check>>> } | undefined;

  async function checkKeys(): Promise<Check> {
    const dead: string[] = [];
    for (const ca of await store.authorities.list()) {
      if (ca.status === 'active' && ca.keyId !== null && !(await options.canUseKey(ca.keyId))) dead.push(ca.slug);
    }
    return dead.length === 0 ? 'ok' : `the key of ${dead.join(', ')} cannot be used`;
  }

  async function checkCrls(): Promise<Check> {
    const now = clock.now();
    const stale: string[] = [];
    for (const ca of await store.authorities.list()) {
      if (ca.status !== 'active' || ca.keyId === null) continue;
      const crl = await status.crl(ca.slug, 0);
      if (crl === undefined || crl.nextUpdate <= now) stale.push(ca.slug);
    }
    return stale.length === 0 ? 'ok' : `the CRL of ${stale.join(', ')} is missing or out of date`;
  }

  async function runChecks(): Promise<Readonly<Record<string, Check>>> {
    const database = await bounded(async () => {
      await store.settings.byName('platform.keyCheck');
      return 'ok';
    });
    if (database !== 'ok') return { database: `the database does not answer (${database})` };
    const [keys, crls] = await Promise.all([bounded(checkKeys), bounded(checkCrls)]);
    return { database, keys, crls };
  }

  const hidden = { schema: { hide: true } };

  app.get('/healthz', hidden, (_request, reply) => reply.send({ status: 'ok' }));

  app.get('/readyz', hidden, async (_request, reply) => {
    const at = performance.now();
    if (kept === undefined || at - kept.at > KEEP_MS) kept = { at, checks: runChecks() };
    const checks = { ...(options.isDraining() ? { process: 'shutting down' } : {}), ...(await kept.checks) };
    const ready = Object.values(checks).every((check) => check === 'ok');
    return reply
      .code(ready ? 200 : 503)
      .header('Cache-Control', 'no-store')
      .send({ status: ready ? 'ready' : 'not ready', checks });
  });

  app.get('/metrics', hidden, async (request, reply) => {
    if (!mayReadMetrics(request.ip)) return reply.code(403).type('text/plain').send('not allowed from this address\n');
    const { contentType, body } = await metrics.render();
    return reply.type(contentType).send(body);
  });
}
