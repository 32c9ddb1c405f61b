/** The mail exchanger of the sandbox's own internet: accepts mail for every address and keeps it for tests to read. */
import { once } from 'node:events';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { parseMail } from './mime.ts';

const MAX_MESSAGES = 1_000;
const MAX_MESSAGE_BYTES = 1 << 20;
const MAX_TOTAL_BYTES = 64 << 20;
const MAX_RECIPIENTS = 100;
const MAX_CLIENTS = 64;
const MAX_WAITERS = 1_000;
const MAX_WAIT_MS = 300_000;
const SOCKET_TIMEOUT_MS = 30_000;

export interface SandboxMail {
  /** Counts up from 1 over the life of the server. */
  readonly id: number;
  /** Envelope sender, '' for the null path. */
  readonly sender: string;
  /** Envelope recipients. */
  readonly recipients: readonly string[];
  /** The From, To and Subject headers, decoded. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** Real time, milliseconds since 1970. */
  readonly receivedAt: number;
}

export interface SandboxMailServer {
  readonly address: string;
  readonly port: number;
  /** The last mails, oldest first; only those to one address when given. */
  messages(to?: string): SandboxMail[];
  /** The newest mail to an address, or the next one within the time; undefined when none comes. */
  waitFor(to: string, timeoutMs: number): Promise<SandboxMail | undefined>;
  /** Forgets all mail and keeps the port; who waits, waits on. */
  reset(): void;
  close(): Promise<void>;
}

interface Waiter {
  readonly to: string;
  readonly finish: (mail: SandboxMail | undefined) => void;
}

/** Starts the server. Rejects when the port is taken. */
export async function createSandboxMailServer(
  options: { readonly address?: string; readonly port?: number; readonly now?: () => number } = {},
): Promise<SandboxMailServer> {
  const { address = '127.0.0.1', port = 0, now = Date.now } = options;
  const kept: { readonly mail: SandboxMail; readonly bytes: number }[] = [];
  const waiters = new Set<Waiter>();
  let keptBytes = 0;
  let lastId = 0;

  function keep(raw: Buffer, session: SMTPServerSession): void {
    const { mailFrom, rcptTo } = session.envelope;
    lastId += 1;
    const mail: SandboxMail = {
      id: lastId,
      sender: mailFrom ? mailFrom.address : '',
      recipients: rcptTo.map((recipient) => recipient.address),
      ...parseMail(raw),
      receivedAt: now(),
    };
    kept.push({ mail, bytes: raw.length });
    keptBytes += raw.length;
    while (kept.length > MAX_MESSAGES || keptBytes > MAX_TOTAL_BYTES) keptBytes -= kept.shift()?.bytes ?? 0;
    for (const waiter of [...waiters]) if (isTo(mail, waiter.to)) waiter.finish(mail);
  }

  const server = new SMTPServer({
    name: 'mail.sandbox',
    banner: 'Certwright sandbox',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: MAX_MESSAGE_BYTES,
    maxClients: MAX_CLIENTS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    closeTimeout: 1,
    onRcptTo(_address, session, callback) {
      const isFull = session.envelope.rcptTo.length >= MAX_RECIPIENTS;
      callback(isFull ? replyError(452, 'too many recipients') : null);
    },
    onData(stream, session, callback) {
      readMessage(stream).then(
        (raw) => {
          if (raw) keep(raw, session);
          callback(raw ? null : replyError(552, 'the message is too large'));
        },
        () => callback(replyError(451, 'the message could not be read')),
      );
    },
  });
  server.on('error', () => undefined);
  const listening = server.listen(port, address);
  await once(listening, 'listening');
  const bound = listening.address();

  return {
    address,
    port: typeof bound === 'object' && bound ? bound.port : port,
    messages: (to) => kept.map(({ mail }) => mail).filter((mail) => to === undefined || isTo(mail, to)),
    waitFor(to, timeoutMs) {
      const newest = kept.findLast(({ mail }) => isTo(mail, to));
      if (newest || waiters.size >= MAX_WAITERS) return Promise.resolve(newest?.mail);
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiter.finish(undefined), Math.min(timeoutMs, MAX_WAIT_MS));
        const waiter: Waiter = {
          to,
          finish(mail) {
            clearTimeout(timer);
            waiters.delete(waiter);
            resolve(mail);
          },
        };
        waiters.add(waiter);
      });
    },
    reset() {
      kept.length = 0;
      keptBytes = 0;
    },
    async close() {
      for (const waiter of [...waiters]) waiter.finish(undefined);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function isTo(mail: SandboxMail, address: string): boolean {
  return mail.recipients.some((recipient) => recipient.toLowerCase() === address.toLowerCase());
}

/** Undefined when the message is too large; it is read to its end in any case, as SMTP demands, but not kept. */
async function readMessage(stream: SMTPServerDataStream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_MESSAGE_BYTES) chunks.push(chunk);
  }
  return length <= MAX_MESSAGE_BYTES ? Buffer.concat(chunks) : undefined;
}

function replyError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
