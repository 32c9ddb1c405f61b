import { Argument, Command, CommanderError } from 'commander';
import { accountCommands } from './commands/account.ts';
import { auditCommands } from './commands/audit.ts';
import { backupCommand, restoreCommand } from './commands/backup.ts';
import { caCommands } from './commands/ca.ts';
import { certificateCommands } from './commands/certificate.ts';
import { configCommands } from './commands/config.ts';
import { credentialCommands } from './commands/credential.ts';
import { orderCommands } from './commands/order.ts';
import { organizationCommands } from './commands/organization.ts';
import { demoCommand, sandboxCommand } from './commands/sandbox.ts';
import { serveCommand } from './commands/serve.ts';
import { VERSION, versionCommand } from './commands/version.ts';
import { completionScript, type Shell } from './completion.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { errorText, type Io } from './output.ts';

/** The whole command tree. */
export function buildProgram(io: Io): Command {
  const program = new Command('certwright')
    .description('certificate lifecycle management: a CA, its APIs and its operation')
    .version(VERSION, '--version', 'show the version')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(add --help for the options)')
    .showSuggestionAfterError();

  const completion = new Command('completion')
    .description('write a completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh']))
    .action((shell: Shell) => io.out(completionScript(program, shell)));

  const commands = [
    serveCommand(io),
    sandboxCommand(io),
    demoCommand(io),
    configCommands(io),
    accountCommands(io),
    credentialCommands(io),
    caCommands(io),
    orderCommands(io),
    organizationCommands(io),
    certificateCommands(io),
    auditCommands(io),
    backupCommand(io),
    restoreCommand(io),
    versionCommand(io),
    completion,
  ];
  for (const command of commands) program.addCommand(command);
  prepare(program, io);
  return program;
}

/** Errors of the command line are thrown, texts go through `io`; for every command of the tree. */
function prepare(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });
  for (const child of command.commands) prepare(child, io);
}

/** Runs one command line (without the program's name) and returns the exit code. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const asJson = args.includes('--json');
  try {
    await buildProgram(io).parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // commander has written its message already
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const known = error instanceof CliError ? error : unexpected(error);
    io.err(errorText(known, asJson));
    return known.exitCode;
  }
}

/** Errors of start-up carry a sentence for the operator; anything else is shown with its name. */
function unexpected(error: unknown): CliError {
  if (!(error instanceof Error)) return new CliError(EXIT.failed, 'an unknown error occurred', { code: 'internal' });
  const { cause } = error;
  const why =
    cause instanceof Error && cause.message !== '' && !error.message.includes(cause.message) ? cause.message : '';
  return new CliError(EXIT.failed, error.message, {
    code: 'failed',
    ...(why === '' ? {} : { hint: `Cause: ${why}` }),
  });
}
