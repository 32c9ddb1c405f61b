import { Command, Option } from 'commander';
import { clientContext, group, withLimit, withServer } from '../context.ts';
import { details, type Io, shortTime, table } from '../output.ts';

interface Order {
  readonly number: string | null;
  readonly requestNumber: string;
  readonly accountNumber: string;
  readonly family: string;
  readonly productCode: string;
  readonly phase: string;
  readonly label: string;
  readonly names: readonly string[];
  readonly requirements: readonly {
    readonly kind: string;
    readonly met: boolean;
    readonly pending?: readonly string[];
  }[];
  readonly requestor: { readonly name: string; readonly email: string };
  readonly closingReason: string;
  readonly createdAt: string;
  readonly issuedAt: string | null;
}

interface OrderDetail {
  readonly order: Order;
  readonly productName: string;
  readonly organization: { readonly number: string; readonly name: string; readonly validation: string } | null;
  readonly certificate: { readonly serial: string; readonly state: string; readonly notAfter: string } | null;
}

const PHASES = [
  'draft',
  'organization',
  'dcv',
  'csr',
  'agreement',
  'approval',
  'issuing',
  'issued',
  'onHold',
  'revoked',
  'expired',
  'cancelled',
  'rejected',
];

function orderText({ order, productName, organization, certificate }: OrderDetail): string {
  return details([
    ['Order', order.number ?? `draft ${order.requestNumber}`],
    ['Account', order.accountNumber],
    ['Product', `${order.productCode} ${productName}`],
    ['Phase', order.phase],
    ['Names', order.names.join(', ')],
    ['Requestor', `${order.requestor.name} <${order.requestor.email}>`],
    ...(organization === null
      ? []
      : [['Organization', `${organization.number} ${organization.name} (${organization.validation})`] as const]),
    ['Created', shortTime(order.createdAt)],
    ...order.requirements.map(
      ({ kind, met, pending }) =>
        [`  ${kind}`, met ? 'met' : `open${pending === undefined ? '' : `: ${pending.join(', ')}`}`] as const,
    ),
    ...(order.closingReason === '' ? [] : [['Reason', order.closingReason] as const]),
    ...(certificate === null
      ? []
      : [
          ['Certificate', certificate.serial] as const,
          ['  state', certificate.state] as const,
          ['  expires', shortTime(certificate.notAfter)] as const,
        ]),
  ]);
}

/** `certwright order …` */
export function orderCommands(io: Io): Command {
  const list = withLimit(withServer(new Command('list')))
    .description('list orders, newest first')
    .option('--account <number>', 'of this account only')
    .addOption(new Option('--phase <phase>', 'that stand there').choices(PHASES))
    .addOption(new Option('--family <family>', 'of this product family').choices(['ssl', 'signature', 'private-pki']))
    .action(async (options: { account?: string; phase?: string; family?: string; limit: number }, command: Command) => {
      const { client, show, remark } = clientContext(command, io);
      const { account, phase, family, limit } = options;
      const page = await client.list<Order>('/orders', { accountNumber: account, phase, family }, limit);
      show(
        page,
        page.items.length === 0
          ? 'No orders.\n'
          : table(page.items, [
              { title: 'ORDER', value: (row) => row.number },
              { title: 'ACCOUNT', value: (row) => row.accountNumber },
              { title: 'PRODUCT', value: (row) => row.productCode },
              { title: 'PHASE', value: (row) => row.phase },
              { title: 'CREATED', value: (row) => shortTime(row.createdAt) },
              { title: 'NAME', value: (row) => row.label },
            ]),
      );
      if (page.next !== null) remark('More orders exist; raise --limit to see them.\n');
    });

  const showOrder = withServer(new Command('show'))
    .description('show an order, what it waits for and its certificate')
    .argument('<number>', 'order number')
    .action(async (number: string, _options: unknown, command: Command) => {
      const { client, show } = clientContext(command, io);
      const found = await client.get<OrderDetail>(`/orders/${encodeURIComponent(number)}`);
      show(found, orderText(found));
    });

  const approve = withServer(new Command('approve'))
    .description('approve an order that waits for approval')
    .argument('<number>', 'order number')
    .action(async (number: string, _options: unknown, command: Command) => {
      const { client, show } = clientContext(command, io);
      const approved = await client.post<OrderDetail>(`/orders/${encodeURIComponent(number)}/approve`);
      show(approved, `Order ${number} is approved; it is now in phase ${approved.order.phase}.\n`);
    });

  const reject = withServer(new Command('reject'))
    .description('refuse an order for good')
    .argument('<number>', 'order number')
    .requiredOption('--reason <text>', 'why; the requestor sees it')
    .action(async (number: string, { reason }: { reason: string }, command: Command) => {
      const { client, show } = clientContext(command, io);
      const rejected = await client.post<OrderDetail>(`/orders/${encodeURIComponent(number)}/reject`, { reason });
      show(rejected, `Order ${number} is rejected.\n`);
    });

  return group('order', 'certificate orders', list, showOrder, approve, reject);
}
