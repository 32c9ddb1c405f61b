/** Hands mail to the configured transfer agent over SMTP. */
import type { Mail, Mailer } from '@certwright/core';
import { createTransport } from 'nodemailer';
import { createConcurrencyLimiter } from '../concurrency.ts';

const MAX_RUNNING = 8;
const MAX_WAITING = 1_000;
const STEP_TIMEOUT_MS = 10_000;
const DEFAULT_TIMEOUT_MS = 30_000;
/** One plain addr-spec (RFC 5321 section 4.1.2, without quoted local parts): nothing that a header parser could split. */
const ADDRESS = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{1,63})*$/;

export interface MailerOptions {
  readonly host: string;
  readonly port: number;
  /** `none`: never TLS, `startTls`: required, `implicit`: TLS from the first byte, `opportunistic`: STARTTLS when offered. */
  readonly tls: 'none' | 'opportunistic' | 'startTls' | 'implicit';
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Sender of envelope and header, an address or `Name <address>`. */
  readonly from: string;
  /** Bound for one mail from connection to acceptance. */
  readonly timeoutMs?: number;
}

export type MailErrorCode = 'mail.addressRefused' | 'mail.rejected' | 'mail.unavailable' | 'mail.overloaded';

/** Why a mail was not accepted. `isPermanent`: trying the same mail again is useless (SMTP 5yz). */
export class MailError extends Error {
  readonly code: MailErrorCode;
  readonly isPermanent: boolean;
  constructor(code: MailErrorCode, isPermanent: boolean, message: string) {
    super(message);
    this.name = 'MailError';
    this.code = code;
    this.isPermanent = isPermanent;
  }
}

/** Makes a mailer; `send` rejects with a {@link MailError} when the server did not accept the mail in time. */
export function createMailer(options: MailerOptions): Mailer {
  const { host, port, tls, credentials, from, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const limiter = createConcurrencyLimiter(MAX_RUNNING, MAX_WAITING);
  const stepTimeoutMs = Math.min(STEP_TIMEOUT_MS, timeoutMs);
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'startTls',
    ignoreTLS: tls === 'none',
    // Opportunistic TLS defends against listening only: a certificate that fails is still better than none.
    tls: { rejectUnauthorized: tls !== 'opportunistic' },
    ...(credentials ? { auth: { user: credentials.user, pass: credentials.password } } : {}),
    connectionTimeout: stepTimeoutMs,
    greetingTimeout: stepTimeoutMs,
    dnsTimeout: stepTimeoutMs,
    socketTimeout: stepTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  async function deliver({ to, subject, text, html }: Mail): Promise<void> {
    try {
      await transport.sendMail({
        from,
        to: { name: '', address: to },
        subject,
        text,
        ...(html === undefined ? {} : { html }),
        // Marks the mail as machine-made, so that vacation notices stay away (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw toMailError(error);
    }
  }

  return {
    async send(mail: Mail): Promise<void> {
      if (mail.to.length > 254 || !ADDRESS.test(mail.to)) {
        throw new MailError('mail.addressRefused', true, 'the recipient is not a plain mail address');
      }
      const delivery = limiter.run(() => deliver(mail));
      if (!delivery) throw new MailError('mail.overloaded', false, 'too many mails wait for the mail server');
      await delivery;
    },
  };
}

/** Keeps the code and the status only: a server's words may repeat what it was sent. */
function toMailError(error: unknown): MailError {
  const { responseCode, code } =
    error instanceof Error ? (error as Error & { responseCode?: unknown; code?: unknown }) : {};
  if (typeof responseCode === 'number') {
    const isPermanent = responseCode >= 500 && code !== 'EAUTH';
    return new MailError('mail.rejected', isPermanent, `the mail server answered ${responseCode}`);
  }
  const detail = typeof code === 'string' ? code : 'no answer';
  return new MailError('mail.unavailable', false, `the mail server could not be used (${detail})`);
}
