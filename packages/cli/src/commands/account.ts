import { Command } from 'commander';
import { clientContext, group, withLimit, withServer } from '../context.ts';
import { details, type Io, shortTime, table } from '../output.ts';

interface Account {
  readonly number: string;
  readonly name: string;
  readonly status: string;
  readonly currency: string;
  readonly createdAt: string;
}

/** `certwright account …` */
export function accountCommands(io: Io): Command {
  const create = withServer(new Command('create'))
    .description('make an account with its default group and administrator')
    .requiredOption('--name <name>', 'name of the account')
    .requiredOption('--admin-email <address>', 'mail address of its administrator')
    .option('--admin-name <name>', 'name of its administrator', 'Administrator')
    .action(async (options: { name: string; adminName: string; adminEmail: string }, command: Command) => {
      const { client, show } = clientContext(command, io);
      const created = await client.post<{ account: Account; groupNumber: string }>('/accounts', {
        name: options.name,
        administratorName: options.adminName,
        administratorEmail: options.adminEmail,
      });
      show(
        created,
        `${details([
          ['Account number', created.account.number],
          ['Name', created.account.name],
          ['Default group', created.groupNumber],
        ])}Next: certwright credential create --account ${created.account.number}\n`,
      );
    });

  const list = withLimit(withServer(new Command('list')))
    .description('list accounts')
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const { client, show, remark } = clientContext(command, io);
      const page = await client.list<Account>('/accounts', {}, limit);
      show(
        page,
        page.items.length === 0
          ? 'No accounts.\n'
          : table(page.items, [
              { title: 'NUMBER', value: (row) => row.number },
              { title: 'NAME', value: (row) => row.name },
              { title: 'STATUS', value: (row) => row.status },
              { title: 'CREATED', value: (row) => shortTime(row.createdAt) },
            ]),
      );
      if (page.next !== null) remark('More accounts exist; raise --limit to see them.\n');
    });

  return group('account', 'accounts of the installation', create, list);
}
