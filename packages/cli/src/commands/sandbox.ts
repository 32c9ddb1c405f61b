import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../context.ts';
import { DEMO_DIRECTORY, demonstrate } from '../demo/demo.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../output.ts';
import { untilStopped } from './serve.ts';

interface SandboxFlags {
  readonly port?: number;
  readonly plainHttp?: true;
  readonly resolver?: { readonly address: string; readonly port: number };
  readonly data?: string;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug' | 'silent';
}

/** `certwright sandbox`: prints one line of JSON when everything in it works, and nothing else. */
export function sandboxCommand(io: Io): Command {
  return new Command('sandbox')
    .description('run a throw-away platform with its own DNS, web host and mail, for tests of clients')
    .addOption(
      new Option('--port <port>', 'port of the main listener, the others follow it; 0: all at random')
        .argParser(wholeNumber(0, 65_000))
        .default(8440),
    )
    .option('--plain-http', 'speak plain HTTP on the main listener')
    .addOption(
      new Option('--resolver <address:port>', 'DNS server to ask in place of the sandbox’s own').argParser(parseServer),
    )
    .option('--data <dir>', 'directory to keep everything in; without it nothing stays')
    .addOption(
      new Option('--log-level <level>', 'least level of the log on standard error')
        .choices(['error', 'warn', 'info', 'debug', 'silent'])
        .default('info'),
    )
    .action(async (flags: SandboxFlags) => {
      process.umask(0o077);
      const { startSandbox } = await import('@certwright/server');
      const sandbox = await leavingNothing(() => startSandbox(flags));
      // who reads the line may send the signal at once
      const stopped = untilStopped(sandbox, io);
      io.out(`${JSON.stringify(sandbox.ready)}\n`);
      await stopped;
    });
}

/** `certwright demo`: the main job before one's eyes. */
export function demoCommand(io: Io): Command {
  return new Command('demo')
    .description('order, prove, issue, check and revoke a certificate in a sandbox, step by step')
    .option('--once', 'exit when done instead of staying up')
    .option('--output <dir>', 'directory for the certificate, its chain and its key', DEMO_DIRECTORY)
    .action(async ({ once = false, output }: { once?: boolean; output: string }) => {
      const sandbox = await leavingNothing(() => demonstrate({ once, directory: output, io }));
      if (sandbox !== undefined) await untilStopped(sandbox, io);
    });
}

/** A signal that comes before the work is done ends the process, but not without its clean-up at exit. */
async function leavingNothing<T>(work: () => Promise<T>): Promise<T> {
  const exit = (): never => process.exit(EXIT.failed);
  const signals = ['SIGTERM', 'SIGINT'] as const;
  for (const signal of signals) process.once(signal, exit);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, exit);
  }
}

function parseServer(text: string): { address: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (isIP(address) === 0 || !(port >= 1 && port <= 65_535)) {
    throw new InvalidArgumentError('give an IP address and a port, such as 127.0.0.1:5353.');
  }
  return { address, port };
}
