import type { StatusService } from '../api.ts';
import type { AuthorityDirectory } from '../authorities/directory.ts';
import type { Responders } from '../authorities/responders.ts';
import type { JobHandler, PeriodicTask } from '../jobs/runner.ts';
import type { CoreDependencies } from '../settings.ts';
import type { CrlPublisher } from './crl-publisher.ts';
import { createOcsp } from './ocsp.ts';

export interface StatusParts {
  readonly directory: AuthorityDirectory;
  readonly responders: Responders;
  readonly crls: CrlPublisher;
}

/** Revocation status for relying parties: OCSP, CRLs, CA certificates. */
export function createStatusService(
  deps: Pick<CoreDependencies, 'store' | 'clock' | 'vault' | 'settings' | 'log'>,
  { directory, responders, crls }: StatusParts,
): StatusService {
  const ocsp = createOcsp(deps, directory, responders);
  return {
    ocsp: ocsp.answer,
    async crl(caSlug, partition) {
      const entry = await directory.bySlug(caSlug);
      return entry && crls.newest(entry.ca, partition);
    },
    async authority(caSlug) {
      const entry = await directory.bySlug(caSlug);
      return entry && { certificate: entry.ca.certificate, chain: entry.ca.chain };
    },
    publishDueCrls: crls.publishDue,
    renewResponders: responders.renewDue,
    statistics: ocsp.statistics,
  };
}

/** What a revocation sets off: `crl.publish` with the CA's id. */
export function statusJobs(
  deps: Pick<CoreDependencies, 'store' | 'clock'>,
  { crls }: Pick<StatusParts, 'crls'>,
): Readonly<Record<string, JobHandler>> {
  return {
    async 'crl.publish'(payload) {
      const { caId } = payload;
      if (typeof caId !== 'number') throw new Error('job without CA');
      const waitMs = await crls.publishSoon(caId);
      if (waitMs === undefined) return;
      await deps.store.write({
        bookkeeping: 'CRL put off',
        writes: [],
        jobs: [{ kind: 'crl.publish', key: `crl:${caId}`, payload, runAt: deps.clock.now() + waitMs }],
      });
    },
  };
}

const MINUTE_MS = 60_000;

/** What has to be looked at from time to time, whoever of the processes does it. */
export function statusTasks(
  status: Pick<StatusService, 'publishDueCrls' | 'renewResponders'>,
): readonly PeriodicTask[] {
  return [
    { name: 'crl.due', everyMs: MINUTE_MS, exclusive: true, run: () => status.publishDueCrls() },
    { name: 'ocsp.responders', everyMs: 10 * MINUTE_MS, exclusive: true, run: () => status.renewResponders() },
  ];
}
