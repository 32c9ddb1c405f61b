import type { Clock, Core, Store } from '@certwright/core';
import type { Metrics } from '../metrics/metrics.ts';
import { systemOperator } from './as-account.ts';

interface GaugeSources {
  readonly core: Pick<Core, 'certificates' | 'jobs'>;
  readonly store: Store;
  readonly clock: Clock;
}

/** Values that are read from the store when metrics are asked for; each is a kept counter or one indexed row. */
export function registerGauges(metrics: Metrics, { core, store, clock }: GaugeSources): void {
  metrics.gauge('certwright_certificates', 'Certificates on record by state.', 'state', async () => {
    const counted = await core.certificates.count(systemOperator);
    return counted.ok ? Object.entries(counted.value) : [];
  });

  metrics.gauge(
    'certwright_job_lag_seconds',
    'How long the job that is due longest has been waiting.',
    'queue',
    async () => {
      const due = await store.jobs.nextDue(core.jobs.kinds);
      return [['jobs', due === undefined ? 0 : Math.max(0, clock.now() - due) / 1000]];
    },
  );

  metrics.gauge('certwright_crl_age_seconds', 'Time since thisUpdate of the newest full CRL.', 'ca', async () => {
    const now = clock.now();
    const ages: [string, number][] = [];
    for (const ca of await store.authorities.list()) {
      const crl = await store.authorities.crl(ca.id, 0);
      if (crl !== undefined) ages.push([ca.slug, (now - crl.thisUpdate) / 1000]);
    }
    return ages;
  });

  metrics.gauge('certwright_crl_entries', 'Entries of the newest full CRL.', 'ca', async () => {
    const sizes: [string, number][] = [];
    for (const ca of await store.authorities.list()) {
      const crl = await store.authorities.crl(ca.id, 0);
      if (crl !== undefined) sizes.push([ca.slug, crl.entries]);
    }
    return sizes;
  });
}
