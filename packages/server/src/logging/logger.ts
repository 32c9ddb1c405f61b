/** JSON lines for operators. Levels: error = somebody must act, warn = look tomorrow, info = state changed, debug. */
import type { CoreLog } from '@certwright/core';
import { destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Members whose values never reach the log, at the top level and one below. */
const SECRET_MEMBERS = [
  'authorization',
  'cookie',
  'password',
  'passphrase',
  'secret',
  'clientSecret',
  'client_secret',
  'accessKey',
  'authKey',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'token',
  'preVettingToken',
  'privateKey',
  'databaseUrl',
];
const MAX_CAUSES = 5;

export interface LogOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug' | 'silent';
  /** File descriptor or something to write lines to; default: standard error, in the background. */
  readonly stream?: { write(line: string): void };
}

/** Makes the logger of a process. Bodies are never given to it; members that carry secrets are blanked. */
export function createLogger({ level, stream }: LogOptions): Logger {
  return pino(
    {
      level,
      messageKey: 'event',
      errorKey: 'error',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      base: { pid: process.pid },
      redact: { paths: SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      serializers: { error: describeError },
    },
    stream ?? destination({ dest: 2, sync: false, minLength: 0 }),
  );
}

interface ErrorDescription {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

/** What may be logged of an error: its own further members could hold parameters of a query or a request. */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an error object' };
  const { cause } = error;
  return {
    type: error.name,
    message: error.message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(cause !== undefined && depth < MAX_CAUSES ? { cause: describeError(cause, depth + 1) } : {}),
  };
}

/** The core's log port on this logger. */
export function coreLog(logger: Logger): CoreLog {
  return {
    info: (event, fields) => logger.info(fields, event),
    warn: (event, fields) => logger.warn(fields, event),
    error: (event, fields, error) => logger.error(error === undefined ? fields : { ...fields, error }, event),
  };
}
