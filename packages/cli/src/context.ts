/** Options that many commands share, and what a command's action is given. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { createClient, type ManageClient } from './client.ts';
import { type Io, json } from './output.ts';

interface SharedOptions {
  readonly json?: true;
  readonly data?: string;
  readonly socket?: string;
  readonly url?: string;
  readonly token?: string;
  readonly caFile?: string;
}

const DEFAULT_DATA = './certwright-data';

/** Adds `--json`. */
export function withJson(command: Command): Command {
  return command.addOption(new Option('--json', 'write one JSON document instead of text'));
}

/** Adds the options that say which server a command talks to. */
export function withServer(command: Command): Command {
  return withJson(command)
    .addOption(
      new Option('--data <dir>', 'data directory of the server on this machine')
        .env('CERTWRIGHT_DATA')
        .default(DEFAULT_DATA),
    )
    .addOption(
      new Option('--socket <path>', 'management socket, if not in the data directory').env('CERTWRIGHT_MANAGE_SOCKET'),
    )
    .addOption(new Option('--url <url>', 'address of a server to reach over HTTPS').env('CERTWRIGHT_URL'))
    .addOption(new Option('--token <token>', 'access token for --url').env('CERTWRIGHT_TOKEN'))
    .addOption(new Option('--ca-file <pem>', 'root certificate to trust for --url').env('CERTWRIGHT_CA_FILE'));
}

/** Adds `--limit`. */
export function withLimit(command: Command): Command {
  return command.addOption(
    new Option('--limit <rows>', 'most rows to show').argParser(wholeNumber(1, 100_000)).default(50),
  );
}

/** Parser of a whole number within bounds, for options. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`give a number from ${least} to ${most}.`);
    return value;
  };
}

export interface ClientContext {
  readonly client: ManageClient;
  /** Writes the value as JSON, or the text. */
  show(value: unknown, text: string): void;
  /** Writes a remark for people, on standard error. */
  remark(text: string): void;
}

/** The client and the output of a command, by its options. */
export function clientContext(command: Command, io: Io): ClientContext {
  const { json: asJson, data, ...rest } = command.opts<SharedOptions>();
  return {
    client: createClient({ data: data ?? DEFAULT_DATA, ...rest }),
    show: (value, text) => io.out(asJson ? json(value) : text),
    remark: (text) => {
      if (!asJson) io.err(text);
    },
  };
}

/** A command group that only holds commands. */
export function group(name: string, description: string, ...commands: readonly Command[]): Command {
  const parent = new Command(name).description(description);
  for (const command of commands) parent.addCommand(command);
  return parent;
}
