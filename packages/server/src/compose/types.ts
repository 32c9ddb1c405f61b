import type { CallContext, Clock, Core, Mailer, Perspective, Store } from '@certwright/core';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../logging/logger.ts';
import type { FirstAccount } from './first-start.ts';
import type { PlatformUrls } from './names.ts';

/** What the sandbox, the demo and tests put in the place of the real world. */
export interface PlatformOverrides {
  /** Time of the domain; tokens, leases and the listener's certificate keep real time. */
  readonly clock?: Clock;
  readonly perspectives?: readonly [Perspective, ...Perspective[]];
  readonly mailer?: Mailer;
  readonly validationMode?: () => 'real' | 'accept';
  readonly acceptAnyCaProfile?: boolean;
  /** False: only the CA and the platform's own account are made; the caller makes its accounts. */
  readonly makeFirstAccount?: boolean;
  /** False: no management socket. */
  readonly manageSocket?: boolean;
  readonly logger?: Logger;
  /** Adds hooks to the main and to the plain HTTP application, before anything else is registered there. */
  readonly addHooks?: (app: FastifyInstance) => void;
}

/** A running platform. */
export interface Platform {
  readonly core: Core;
  readonly store: Store;
  /** Main application: every face. */
  readonly app: FastifyInstance;
  readonly urls: PlatformUrls;
  /** Bound ports; 0 when the role is not this process's. */
  readonly ports: { readonly main: number; readonly plain: number };
  /** Path of the management socket; null when there is none. */
  readonly manageSocket: string | null;
  /** Root certificate, PEM. */
  readonly rootCertificate: string;
  /** File that holds it. */
  readonly rootCertificateFile: string;
  /** Set at the first start, in the process that made the account. */
  readonly firstAccount: FirstAccount | null;
  /** The platform's own account. */
  readonly platformAccount: string;
  /**
   * Calls the core as an account's administrator, by a credential that lives as long as the call.
   * Throws when the account cannot be used.
   */
  asAccount<T>(accountNumber: string, work: (ctx: CallContext) => Promise<T>): Promise<T>;
  /**
   * Keeps the state as it is now, to be put back while the platform runs. Audit trail and access tokens are not rewound.
   * SQLite only.
   */
  snapshot(): Promise<{ restore(): Promise<void> }>;
  /** Stops accepting, finishes what is in flight, stops the jobs and closes the store. Repeatable. */
  close(): Promise<void>;
}
