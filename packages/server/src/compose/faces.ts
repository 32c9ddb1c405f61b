/** Which faces stand on which listener. */
import type { Clock, Core, CoreLog, Store } from '@certwright/core';
import manifest from '../../package.json' with { type: 'json' };
import type { Config } from '../config/index.ts';
import { faceManage, type ManageOptions } from '../faces/manage/plugin.ts';
import { faceStatus, type StatusFaceOptions } from '../faces/status/plugin.ts';
import { faceV2 } from '../faces/v2/plugin.ts';
import { validationPage } from '../faces/validation-page/plugin.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Application } from './application.ts';
import { registerDocs } from './docs-page.ts';
import { registerHealth } from './health.ts';

export interface FaceParts {
  readonly config: Config;
  readonly core: Core;
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: CoreLog;
  readonly canUseKey: (keyId: number) => Promise<boolean>;
}

const MANAGE = '/api/manage/v1';
const V2_DOCUMENT = '/v3/api-docs/certinext-v2';

function manageOptions({ core, store, clock, log }: FaceParts, access: ManageOptions['access']): ManageOptions {
  return {
    access,
    core,
    version: manifest.version,
    now: () => clock.now(),
    accountNumber: async (id) => (await store.accounts.byId(id))?.number,
    accountId: async (number) => (await store.accounts.byNumber(number))?.id,
    jobs: (page) => store.jobs.list(page),
    log: (error, request) => log.error('manage.failed', { requestId: request.id }, error),
  };
}

function statusOptions({ core, clock, log }: FaceParts): StatusFaceOptions {
  return {
    status: core.status,
    clock,
    log: (error, request) => log.error('status.failed', { requestId: request.id }, error),
  };
}

/** The HTTPS listener: health for every role, the faces for the role `api`. */
export async function mountMain(
  application: Application,
  parts: FaceParts & { readonly isDraining: () => boolean },
): Promise<void> {
  const { config, core, store, clock, metrics, log, canUseKey, isDraining } = parts;
  const metricsNetworks = config.metrics.allowedNetworks;
  registerHealth(application.app, {
    store,
    status: core.status,
    clock,
    metrics,
    canUseKey,
    isDraining,
    metricsNetworks,
  });
  if (!config.roles.has('api')) return;
  await application.mount('v2', faceV2, {
    core,
    clock,
    version: manifest.version,
    log: (error, request) => log.error('v2.failed', { requestId: request.id }, error),
  });
  await application.mount('validation-page', validationPage, {
    core,
    log: (error, request) => log.error('validationPage.failed', { requestId: request.id }, error),
  });
  await application.mount('status', faceStatus, statusOptions(parts));
  await application.mount('manage', faceManage, { ...manageOptions(parts, 'bearer'), prefix: MANAGE });
  registerDocs(application.app, [
    { title: 'CERTInext-compatible API v2', url: V2_DOCUMENT },
    { title: 'Management API', url: `${MANAGE}/openapi.json` },
  ]);
}

/** The plain HTTP listener: what relying parties fetch. */
export async function mountPlain(application: Application, parts: FaceParts): Promise<void> {
  await application.mount('status', faceStatus, statusOptions(parts));
}

/** The management socket. */
export async function mountSocket(application: Application, parts: FaceParts): Promise<void> {
  await application.mount('manage', faceManage, { ...manageOptions(parts, 'socket'), prefix: MANAGE });
}
