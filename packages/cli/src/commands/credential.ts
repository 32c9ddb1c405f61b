import { Command, Option } from 'commander';
import { clientContext, group, wholeNumber, withServer } from '../context.ts';
import { details, type Io, shortTime, table } from '../output.ts';

interface Credential {
  readonly id: number;
  readonly authType: 'accessKey' | 'oauth';
  readonly label: string;
  readonly status: string;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

/** `certwright credential …` */
export function credentialCommands(io: Io): Command {
  const create = withServer(new Command('create'))
    .description('make an API credential; its secret is shown once')
    .requiredOption('--account <number>', 'account number')
    .addOption(new Option('--type <type>', 'kind of secret').choices(['oauth', 'access-key']).default('oauth'))
    .option('--label <text>', 'what the credential is for', 'made by certwright credential create')
    .option('--group <number>', 'bind it to one group')
    .action(async (options: { account: string; type: string; label: string; group?: string }, command: Command) => {
      const { client, show } = clientContext(command, io);
      const created = await client.post<{ credential: Credential; accountNumber: string; secret: string }>(
        `/accounts/${encodeURIComponent(options.account)}/credentials`,
        {
          authType: options.type === 'oauth' ? 'oauth' : 'accessKey',
          label: options.label,
          ...(options.group === undefined ? {} : { groupNumber: options.group }),
        },
      );
      const isOauth = created.credential.authType === 'oauth';
      show(
        created,
        `${details([
          ['Credential', created.credential.id],
          [isOauth ? 'Client id' : 'Account number', created.accountNumber],
          [isOauth ? 'Client secret' : 'Access key', created.secret],
        ])}The secret is not shown again.\n`,
      );
    });

  const list = withServer(new Command('list'))
    .description('list the API credentials of an account')
    .requiredOption('--account <number>', 'account number')
    .action(async ({ account }: { account: string }, command: Command) => {
      const { client, show } = clientContext(command, io);
      const page = await client.get<{ items: readonly Credential[] }>(
        `/accounts/${encodeURIComponent(account)}/credentials`,
      );
      show(
        page,
        page.items.length === 0
          ? 'No credentials.\n'
          : table(page.items, [
              { title: 'ID', value: (row) => row.id },
              { title: 'TYPE', value: (row) => (row.authType === 'oauth' ? 'oauth' : 'access-key') },
              { title: 'STATUS', value: (row) => row.status },
              { title: 'CREATED', value: (row) => shortTime(row.createdAt) },
              { title: 'REVOKED', value: (row) => shortTime(row.revokedAt) },
              { title: 'LABEL', value: (row) => row.label },
            ]),
      );
    });

  const revoke = withServer(new Command('revoke'))
    .description('revoke an API credential and its tokens at once')
    .argument('<id>', 'number of the credential', wholeNumber(1, 999_999_999_999))
    .action(async (id: number, _options: unknown, command: Command) => {
      const { client, show } = clientContext(command, io);
      const revoked = await client.post<Credential>(`/credentials/${id}/revoke`);
      show(revoked, `Credential ${revoked.id} is ${revoked.status}.\n`);
    });

  return group('credential', 'API credentials of accounts', create, list, revoke);
}
