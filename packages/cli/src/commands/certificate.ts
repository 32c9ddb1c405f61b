import { Command, Option } from 'commander';
import { clientContext, group, withLimit, withServer } from '../context.ts';
import { type Io, shortTime, table } from '../output.ts';

interface Certificate {
  readonly serial: string;
  readonly label: string;
  readonly state: string;
  readonly profile: string;
  readonly notAfter: string;
}

interface ListOptions {
  readonly account?: string;
  readonly domain?: string;
  readonly serial?: string;
  readonly status?: string;
  readonly expiresBefore?: string;
  readonly limit: number;
}

/** `certwright cert …` */
export function certificateCommands(io: Io): Command {
  const list = withLimit(withServer(new Command('list')))
    .description('search the inventory')
    .option('--account <number>', 'of this account only')
    .option('--domain <name>', 'for this name or a name below it')
    .option('--serial <hex>', 'with this serial number')
    .addOption(new Option('--status <status>', 'in this state').choices(['valid', 'hold', 'revoked', 'expired']))
    .option('--expires-before <time>', 'that expire before this RFC 3339 time')
    .action(async (options: ListOptions, command: Command) => {
      const { client, show, remark } = clientContext(command, io);
      const { account, domain, serial, status, expiresBefore, limit } = options;
      const query = { accountNumber: account, domain, serial, status, expiresBefore };
      const page = await client.list<Certificate>('/certificates', query, limit);
      show(
        page,
        page.items.length === 0
          ? 'No certificates.\n'
          : table(page.items, [
              { title: 'SERIAL', value: (row) => row.serial },
              { title: 'STATE', value: (row) => row.state },
              { title: 'EXPIRES', value: (row) => shortTime(row.notAfter) },
              { title: 'PROFILE', value: (row) => row.profile },
              { title: 'NAME', value: (row) => row.label },
            ]),
      );
      if (page.next !== null) remark('More certificates exist; raise --limit to see them.\n');
    });

  return group('cert', 'issued certificates', list);
}
