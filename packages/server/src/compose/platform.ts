/** The composition root: puts store, adapters, core and faces together, in the order in which they need each other. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Core, createCore, type SecretBox } from '@certwright/core';
import { toPem } from '@certwright/pki';
import type { CertwrightStore } from '@certwright/store';
import type { FastifyInstance } from 'fastify';
import { publicSuffix } from '../adapters/public-suffix.ts';
import { createThreadedVerifier, type ThreadedVerifier } from '../adapters/signatures/verifier.ts';
import { createKeyVault } from '../adapters/vault/index.ts';
import type { Config } from '../config/index.ts';
import { type Listener, openListener } from '../listeners/listener.ts';
import { openManageSocket } from '../listeners/manage-socket.ts';
import { coreLog, createLogger } from '../logging/logger.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { createApplication } from './application.ts';
import { asAccount } from './as-account.ts';
import { readBlocklists } from './blocklists.ts';
import { mountMain, mountPlain, mountSocket } from './faces.ts';
import { begin } from './first-start.ts';
import { registerGauges } from './gauges.ts';
import { openPlatformKey } from './key-check.ts';
import { platformUrls } from './names.ts';
import { openConfiguredStore } from './open-store.ts';
import { takeSnapshot } from './snapshot.ts';
import { keepCertificate } from './tls.ts';
import type { Platform, PlatformOverrides } from './types.ts';
import { createMailTransfer, createPerspective, systemClock, systemRandom } from './world.ts';

/** What was opened so far: all that closing has to undo, also when the start fails half-way. */
interface Opened {
  readonly listeners: Listener[];
  readonly timers: NodeJS.Timeout[];
  readonly apps: FastifyInstance[];
  core?: Core;
  verifier?: ThreadedVerifier;
  store?: CertwrightStore;
}

/**
 * Starts a platform and resolves once it serves. Whatever cannot be had (address, database, key, certificate) rejects
 * with an error whose message is meant for the operator; nothing stays open then.
 */
export async function startPlatform(config: Config, overrides: PlatformOverrides = {}): Promise<Platform> {
  const opened: Opened = { listeners: [], timers: [], apps: [] };
  try {
    return await start(config, overrides, opened);
  } catch (error) {
    await close(opened, 0);
    throw error;
  }
}

async function start(config: Config, overrides: PlatformOverrides, opened: Opened): Promise<Platform> {
  const { roles, limits, trustedProxies } = config;
  const logger = overrides.logger ?? createLogger({ level: config.log.level });
  const log = coreLog(logger);
  const metrics = createMetrics();
  const clock = overrides.clock ?? systemClock;
  const holder = randomBytes(12).toString('hex');

  // addresses first: a taken port must not leave a half-made installation behind
  const listen = async (key: 'listen' | 'httpListen', tls: boolean): Promise<Listener> => {
    const listener = await openListener(config[key], { tls, limits, key });
    opened.listeners.push(listener);
    return listener;
  };
  const main = await listen('listen', config.tls.mode !== 'off');
  const plain = roles.has('status') ? await listen('httpListen', false) : undefined;
  const urls = platformUrls(config, main, plain ?? config.httpListen);

  mkdirSync(config.data, { recursive: true, mode: 0o700 });
  const bareStore = await openConfiguredStore(config);
  opened.store = bareStore;
  const store = metrics.observeStore(bareStore);
  const secrets: SecretBox = await openPlatformKey(store, config);
  const vault = createKeyVault({ secrets, load: (keyId) => store.authorities.key(keyId) });
  const verifier = createThreadedVerifier();
  opened.verifier = verifier;

  const core = createCore({
    store,
    clock,
    wallClock: systemClock,
    random: systemRandom,
    vault: metrics.observeVault(vault),
    verifier,
    secrets,
    perspectives: overrides.perspectives ?? [createPerspective(config)],
    mailer: overrides.mailer ?? createMailTransfer(config),
    publicSuffix,
    settings: {
      publicUrl: urls.publicUrl,
      publicHttpUrl: urls.publicHttpUrl,
      caaIdentities:
        config.validation.caaIdentities.length > 0
          ? config.validation.caaIdentities
          : [new URL(urls.publicUrl).hostname],
      validationMode: overrides.validationMode ?? (() => 'real'),
      domainReuseDays: config.validation.domainReuseDays,
      ocspLifetimeMs: config.ocsp.lifetimeMs,
      ocspCacheEntries: config.ocsp.cacheEntries,
      keyChecks: readBlocklists(config.blockedKeys.files),
      acceptAnyCaProfile: overrides.acceptAnyCaProfile ?? false,
    },
    log,
  });
  opened.core = core;
  const makeFirstAccount = overrides.makeFirstAccount ?? true;
  const beginning = await begin({ core, store, wallClock: systemClock, holder, config, makeFirstAccount });
  const { platformAccount, firstAccount, authorities } = beginning;
  const rootCertificate = toPem('CERTIFICATE', authorities.root.certificate);
  const rootCertificateFile = join(config.data, 'root-ca.pem');
  writeFileSync(rootCertificateFile, rootCertificate);
  // a trust anchor is for everybody to read, whatever the umask
  chmodSync(rootCertificateFile, 0o644);

  const application = (listener: Listener, proxies: readonly string[]) => {
    const made = createApplication({ listener, trustedProxies: proxies, logger, metrics });
    opened.apps.push(made.app);
    return made;
  };
  /** An application that the outside reaches; the management socket is not part of it. */
  const publicApplication = (listener: Listener) => {
    const made = application(listener, trustedProxies);
    overrides.addHooks?.(made.app);
    return made;
  };
  const parts = { config, core, store, clock, metrics, log, urls, canUseKey: (id: number) => vault.canUse(id) };
  const mainApplication = publicApplication(main);
  overrides.addHooks?.(mainApplication.app);
  await mountMain(mainApplication, { ...parts, isDraining: () => main.draining });
  const plainApplication = plain === undefined ? undefined : publicApplication(plain);
  if (plainApplication !== undefined) {
    overrides.addHooks?.(plainApplication.app);
    await mountPlain(plainApplication, parts);
  }

  const socket = (overrides.manageSocket ?? true) ? await openManageSocket(config.manageSocket, limits) : undefined;
  if (socket !== undefined) {
    opened.listeners.push(socket);
    const socketApplication = application(socket, []);
    await mountSocket(socketApplication, parts);
    await socketApplication.open();
  } else if (overrides.manageSocket ?? true) {
    log.warn('manage.socketTaken', { path: config.manageSocket, hint: 'another process serves it; set manageSocket' });
  }

  const certificate = keepCertificate({
    ...{ tls: config.tls, listener: main, core, store, secrets, log, holder, platformAccount },
    publicUrl: urls.publicUrl,
    issuer: authorities.issuing.certificate,
    wallClock: systemClock,
  });
  if (certificate !== undefined) {
    await certificate.refresh();
    const again = () => certificate.refresh().catch((error: unknown) => log.error('tls.refreshFailed', {}, error));
    opened.timers.push(setInterval(again, certificate.everyMs).unref());
  }
  registerGauges(metrics, { core, store, clock });
  await mainApplication.open();
  await plainApplication?.open();
  if (roles.has('jobs')) core.jobs.start();
  log.info('platform.ready', { ...urls, roles: [...roles], database: bareStore.kind });

  let closing: Promise<void> | undefined;
  return {
    core,
    store,
    app: mainApplication.app,
    urls,
    ports: { main: main.port, plain: plain?.port ?? 0 },
    manageSocket: socket === undefined ? null : config.manageSocket,
    rootCertificate,
    rootCertificateFile,
    firstAccount,
    platformAccount,
    snapshot: () => takeSnapshot(bareStore, config.data),
    asAccount: (accountNumber, work) => asAccount(core, accountNumber, 'platform', work),
    close() {
      closing ??= (async () => {
        log.info('platform.closing', {});
        const cut = await close(opened, limits.drainTimeoutMs);
        log.info('platform.closed', { requestsCut: cut });
        logger.flush();
      })();
      return closing;
    },
  };
}

/** Ends in the order in which nothing is missed: no new requests, those in flight, jobs, applications, store. */
async function close(opened: Opened, drainMs: number): Promise<number> {
  const cut = await Promise.all(opened.listeners.map((listener) => listener.drain(drainMs)));
  for (const timer of opened.timers) clearInterval(timer);
  await opened.core?.jobs.stop();
  await Promise.all(opened.apps.map((app) => app.close()));
  await opened.verifier?.close();
  await opened.store?.close();
  return cut.reduce((sum, count) => sum + count, 0);
}
