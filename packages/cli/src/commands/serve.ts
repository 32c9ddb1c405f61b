import type { Config, Platform } from '@certwright/server';
import { Command, Option } from 'commander';
import { withJson } from '../context.ts';
import { CliError, EXIT } from '../exit-codes.ts';
import { returnStartupMemory } from '../memory.ts';
import { details, type Io } from '../output.ts';

/** Options of a server's configuration and the keys they set. */
const FLAGS: readonly (readonly [flag: string, key: string, description: string])[] = [
  ['--data <dir>', 'data', 'directory of database, key file and management socket'],
  ['--listen <address>', 'listen', 'address of the HTTPS listener, host:port'],
  ['--http-listen <address>', 'httpListen', 'address of the plain HTTP listener (OCSP, CRL), host:port'],
  ['--public-url <url>', 'publicUrl', 'base URL by which clients reach the HTTPS listener'],
  ['--public-http-url <url>', 'publicHttpUrl', 'base URL of OCSP and CRLs in certificates'],
  ['--database-url <url>', 'databaseUrl', 'PostgreSQL URL instead of SQLite'],
  ['--roles <list>', 'roles', 'what this process does: api,status,jobs'],
  ['--log-level <level>', 'log.level', 'error, warn, info, debug or silent'],
];

interface ConfigOptions {
  readonly config?: string;
  readonly set?: Readonly<Record<string, string>>;
}

/** Adds `--config`, `--set` and the flags of frequent keys. */
export function withConfig(command: Command): Command {
  command.addOption(new Option('--config <file>', 'configuration file (YAML)').env('CERTWRIGHT_CONFIG'));
  for (const [flag, , description] of FLAGS) command.option(flag, description);
  return command.addOption(
    new Option('--set <key=value>', 'set any configuration key; may be repeated').argParser(
      (text: string, before: Record<string, string> | undefined) => {
        const at = text.indexOf('=');
        if (at < 1) throw new CliError(EXIT.usage, `--set takes key=value, not ${text}`, { code: 'usage' });
        return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
      },
    ),
  );
}

/** Loads the configuration that a command's options mean; all problems end it together. */
export async function configOf(command: Command, io: Io): Promise<Config> {
  const { loadConfig } = await import('@certwright/server');
  const options = command.opts<ConfigOptions & Record<string, unknown>>();
  const flags: Record<string, string> = { ...options.set };
  for (const option of command.options) {
    const key = FLAGS.find(([flag]) => flag === option.flags)?.[1];
    const value = options[option.attributeName()];
    if (key !== undefined && typeof value === 'string') flags[key] = value;
  }
  const loaded = loadConfig({ ...(options.config === undefined ? {} : { file: options.config }), env: io.env, flags });
  if (loaded.ok) return loaded.value;
  const list = loaded.error.map(({ where, message }) => `\n  ${where} ${message}`).join('');
  throw new CliError(EXIT.usage, `the configuration has ${loaded.error.length} problem(s):${list}`, {
    code: 'config.invalid',
    hint: 'All keys: certwright config schema',
  });
}

/** `certwright serve` */
export function serveCommand(io: Io): Command {
  return withConfig(withJson(new Command('serve')))
    .description('run the certificate authority and its APIs until SIGTERM or SIGINT')
    .action(async (options: { json?: true }, command: Command) => {
      const config = await configOf(command, io);
      // database, journal and keys are for their owner only, also in a directory that is not
      process.umask(0o077);
      const { startPlatform } = await import('@certwright/server');
      const platform = await startPlatform(config);
      returnStartupMemory();
      // before the line below, for who reads it may send the signal at once
      const stopped = untilStopped(platform, io);
      // one line, so that a program that starts the server can wait for it
      io.out(options.json ? `${JSON.stringify(announcement(platform))}\n` : welcome(platform));
      await stopped;
    });
}

function announcement(platform: Platform) {
  const { urls, manageSocket, rootCertificateFile, firstAccount } = platform;
  return { ready: true, ...urls, manageSocket, caCertificate: rootCertificateFile, firstAccount };
}

function welcome(platform: Platform): string {
  const { urls, rootCertificateFile, firstAccount } = platform;
  const lines = [
    'Certwright is ready.\n',
    details([
      ['  API', `${urls.publicUrl}/api/certinext/v2`],
      ['  Documentation', `${urls.publicUrl}/docs`],
      ['  OCSP and CRLs', urls.publicHttpUrl],
      ['  Root certificate', rootCertificateFile],
    ]),
  ];
  if (firstAccount !== null) {
    lines.push(
      '\nFirst start: this account and its credential were made. The secret is not shown again.\n',
      details([
        ['  Account number (client_id)', firstAccount.accountNumber],
        ['  Client secret', firstAccount.clientSecret],
        ['  Administrator', firstAccount.administratorEmail],
        ['  Log in at', `${urls.publicUrl}/oauth/token`],
      ]),
    );
  }
  return lines.join('');
}

/**
 * Waits for the first SIGTERM or SIGINT and closes the platform: what is in flight is finished. A second signal exits
 * at once.
 */
export async function untilStopped(platform: { close(): Promise<unknown> }, io: Io): Promise<void> {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) {
      io.err('certwright: second signal, stopping at once\n');
      process.exit(EXIT.failed);
    }
    isStopping = true;
    ask();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    await asked;
    await platform.close();
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  }
}
