/** `certwright sandbox`: a whole platform with a world of its own around it. */
import type { OperatorContext } from '@certwright/core';
import { fastify } from 'fastify';
import manifest from '../../package.json' with { type: 'json' };
import type { DnsServerAddress } from '../adapters/dns/resolver.ts';
import { startPlatform } from '../compose/platform.ts';
import { requestId } from '../compose/request-id.ts';
import type { Platform } from '../compose/types.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { coreLog, createLogger } from '../logging/logger.ts';
import { type Cleanup, createCleanup } from './cleanup.ts';
import { createSandboxClock } from './clock.ts';
import { type ControlOptions, controlApi } from './control/plugin.ts';
import { type KeptValues, newTsigSecret, openDirectory, type SandboxDirectory } from './directory.ts';
import { createOperationRegistry, installFaults } from './faults/hooks.ts';
import { createFaultList } from './faults/list.ts';
import { startInternet, TSIG_ALGORITHM, TSIG_NAME } from './internet.ts';
import { preload } from './preload.ts';
import type { ReadyLine } from './ready-line.ts';

export interface SandboxOptions {
  /** Of the main listener; the others follow it. 0: every port at random. Default 8440. */
  readonly port?: number;
  /** The main listener speaks plain HTTP. */
  readonly plainHttp?: boolean;
  /** DNS server that the validator asks instead of the sandbox's own. */
  readonly resolver?: DnsServerAddress;
  /** Directory to keep everything in; without it nothing stays. */
  readonly data?: string;
  readonly logLevel?: Config['log']['level'];
}

export interface Sandbox {
  readonly ready: ReadyLine;
  /** Stops everything and removes temporary files. Repeatable. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const DEFAULT_PORT = 8440;
/** Distance of each listener's port from the main one; 1 is the listener with client certificates. */
const OFFSET = { main: 0, plain: 2, control: 3, dns: 4 } as const;
/** The identity in CAA records that clients of the vendor know. */
const CAA_IDENTITY = 'emsign.com';

/** Whoever ends a sandbox does not wait for answers that a fault delays. */
const DRAIN_TIMEOUT = 'PT2S';

const sandboxOperator: OperatorContext = {
  operator: 'sandbox',
  origin: { channel: 'sandbox', requestId: '', ip: '', originator: 'Certwright sandbox' },
};

/** Starts a sandbox and resolves when everything in its ready line works. Rejects with a sentence for the user. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const cleanup = createCleanup();
  try {
    return { ready: await start(options, cleanup), close: () => cleanup.run() };
  } catch (error) {
    await cleanup.run().catch(() => undefined);
    throw error;
  }
}

async function start(options: SandboxOptions, cleanup: Cleanup): Promise<ReadyLine> {
  const { port = DEFAULT_PORT, resolver } = options;
  const portOf = (listener: keyof typeof OFFSET): number => (port === 0 ? 0 : port + OFFSET[listener]);
  const directory = openDirectory(options.data);
  cleanup.add(() => directory.remove());
  const tsigSecret = directory.kept?.tsigSecret ?? newTsigSecret();

  const internet = await startInternet({ resolver, dnsPort: portOf('dns'), tsigSecret, cleanup });
  const wall = { now: () => Date.now() };
  const clock = createSandboxClock(wall);
  const operations = createOperationRegistry();
  const faults = createFaultList(operations.has);
  let validationMode: 'real' | 'accept' = 'real';

  const config = sandboxConfig(options, directory, portOf('main'), portOf('plain'));
  const logger = createLogger({ level: config.log.level });
  const log = coreLog(logger);
  const platform = await startPlatform(config, {
    clock,
    perspectives: [internet.perspective],
    mailer: internet.mailer,
    validationMode: () => validationMode,
    acceptAnyCaProfile: true,
    makeFirstAccount: false,
    logger,
    addHooks(app) {
      operations.observe(app);
      installFaults(app, faults);
    },
  });
  cleanup.add(() => platform.close());

  const { core, store } = platform;
  const kept = await loadOrPreload(directory, platform, tsigSecret);
  const snapshot = await platform.snapshot();

  async function runDueWork(): Promise<number> {
    const before = await core.jobs.runDue();
    await core.status.renewResponders();
    await core.status.publishDueCrls();
    return before + (await core.jobs.runDue());
  }

  async function reset(): Promise<void> {
    await core.jobs.stop();
    try {
      faults.clear();
      internet.reset();
      clock.reset();
      validationMode = 'real';
      await snapshot.restore();
    } finally {
      core.jobs.start();
    }
    await runDueWork();
  }

  const control = await openControl(portOf('control'), cleanup, {
    core,
    ...internet,
    clock,
    faults,
    wallNow: wall.now,
    async recordClockMove({ operator, origin }, from, to) {
      await store.write({
        writes: [],
        audit: [
          {
            at: to,
            accountId: null,
            actor: `operator:${operator}`,
            channel: origin.channel,
            activity: 'clock.moved',
            objectType: 'platform',
            objectId: 'clock',
            outcome: 'success',
            requestId: origin.requestId,
            ip: origin.ip,
            details: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
          },
        ],
      });
    },
    setValidationMode(mode) {
      validationMode = mode;
    },
    accountNumber: async (id) => (await store.accounts.byId(id))?.number,
    runDueWork,
    reset,
    version: manifest.version,
    logError: (error, request) => log.error('sandbox.controlFailed', { requestId: request.id }, error),
  });

  const { dns } = internet;
  return {
    ready: true,
    baseUrl: platform.urls.publicUrl,
    httpUrl: platform.urls.publicHttpUrl,
    caCertificate: platform.rootCertificateFile,
    ...kept.preloaded,
    ...(dns === undefined
      ? {}
      : {
          dns: {
            address: `${dns.address}:${dns.port}`,
            tsigName: TSIG_NAME,
            tsigAlgorithm: TSIG_ALGORITHM,
            tsigSecret,
          },
        }),
    control,
  };
}

function sandboxConfig(
  { plainHttp = false, logLevel = 'info' }: SandboxOptions,
  directory: SandboxDirectory,
  mainPort: number,
  plainPort: number,
): Config {
  const loaded = loadConfig({
    env: {},
    flags: {
      data: directory.path,
      listen: `${LOOPBACK}:${mainPort}`,
      httpListen: `${LOOPBACK}:${plainPort}`,
      'tls.mode': plainHttp ? 'off' : 'own',
      'ca.name': 'Certwright Sandbox',
      'validation.caaIdentities': CAA_IDENTITY,
      'limits.drainTimeout': DRAIN_TIMEOUT,
      'log.level': logLevel,
    },
  });
  if (loaded.ok) return loaded.value;
  throw new Error(loaded.error.map(({ where, message }) => `${where} ${message}`).join('; '));
}

async function loadOrPreload(directory: SandboxDirectory, platform: Platform, tsigSecret: string): Promise<KeptValues> {
  if (directory.kept !== undefined) return directory.kept;
  const { core, store } = platform;
  const preloaded = await preload({ core, store, operator: sandboxOperator, wallNow: Date.now });
  const values = { preloaded, tsigSecret };
  directory.keep(values);
  return values;
}

/** Opens the control API and returns its base URL. */
async function openControl(port: number, cleanup: Cleanup, options: ControlOptions): Promise<string> {
  const app = fastify({ forceCloseConnections: true, genReqId: requestId, requestIdHeader: false });
  cleanup.add(() => app.close());
  await app.register(controlApi, options);
  return app.listen({ host: LOOPBACK, port });
}
