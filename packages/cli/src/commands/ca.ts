import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { clientContext, group, wholeNumber, withServer } from '../context.ts';
import { CliError, EXIT } from '../exit-codes.ts';
import { details, type Io, shortTime, table } from '../output.ts';

interface Authority {
  readonly slug: string;
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly keyAlgorithm: string;
  readonly notAfter: string;
  readonly hasKey: boolean;
}

interface ImportOptions {
  readonly slug: string;
  readonly name: string;
  readonly cert: string;
  readonly key: string;
  readonly chain?: string;
  readonly passphraseFile?: string;
  readonly crlPartitions: number;
  readonly crlLifetimeDays: number;
}

/** Reads a small text file named on the command line. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CliError(EXIT.usage, `${file} cannot be read`, { hint: 'Check the path and its permissions.' });
  }
}

/** `certwright ca …` */
export function caCommands(io: Io): Command {
  const list = withServer(new Command('list'))
    .description('list certification authorities')
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = clientContext(command, io);
      const page = await client.get<{ items: readonly Authority[] }>('/authorities');
      show(
        page,
        table(page.items, [
          { title: 'SLUG', value: (row) => row.slug },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'STATUS', value: (row) => row.status },
          { title: 'KEY', value: (row) => (row.hasKey ? row.keyAlgorithm : `${row.keyAlgorithm} (not here)`) },
          { title: 'EXPIRES', value: (row) => shortTime(row.notAfter) },
          { title: 'NAME', value: (row) => row.name },
        ]),
      );
    });

  const importCa = withServer(new Command('import'))
    .description('take in an existing CA with its key')
    .requiredOption('--slug <slug>', 'short name in the status URLs, e.g. issuing-2')
    .requiredOption('--name <name>', 'name for people')
    .requiredOption('--cert <pem>', 'file with the CA certificate')
    .requiredOption('--key <pem>', 'file with its private key')
    .option('--chain <pem>', 'file with the certificates above it, nearest first')
    .option('--passphrase-file <file>', 'file with the passphrase of the private key')
    .addOption(
      new Option('--crl-partitions <n>', 'number of CRL partitions').argParser(wholeNumber(1, 1024)).default(1),
    )
    .addOption(new Option('--crl-lifetime-days <n>', 'days until nextUpdate').argParser(wholeNumber(1, 366)).default(7))
    .action(async (options: ImportOptions, command: Command) => {
      const { client, show } = clientContext(command, io);
      const imported = await client.post<Authority>('/authorities', {
        slug: options.slug,
        name: options.name,
        certificate: readText(options.cert),
        privateKey: readText(options.key),
        ...(options.chain === undefined ? {} : { chain: readText(options.chain) }),
        ...(options.passphraseFile === undefined
          ? {}
          : { passphrase: readText(options.passphraseFile).replace(/\r?\n$/, '') }),
        crlPartitions: options.crlPartitions,
        crlLifetimeSeconds: options.crlLifetimeDays * 86_400,
      });
      show(
        imported,
        details([
          ['Slug', imported.slug],
          ['Kind', imported.kind],
          ['Key', imported.keyAlgorithm],
          ['Expires', shortTime(imported.notAfter)],
        ]),
      );
    });

  return group('ca', 'certification authorities', list, importCa);
}
