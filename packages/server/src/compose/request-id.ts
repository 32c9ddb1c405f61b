import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Short and without anything that a log or a header could misread. */
const SANE = /^[A-Za-z0-9._:-]{8,64}$/;

/** The caller's `X-Request-Id` when it is sane, else a new one. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID();
}
