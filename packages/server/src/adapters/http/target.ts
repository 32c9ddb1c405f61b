/** Which URLs the validation authority may fetch (TLS BR 3.2.2.4.18 and 3.2.2.4.19). */
import { isIP } from 'node:net';
import type { HttpFailureReason } from '@certwright/core';

/** Bounds what is kept of a hostile Location header. */
const MAX_URL_CHARACTERS = 2_048;
/** "via the HTTP response codes 301, 302, 307 or 308": 300 and 303 are not followed. */
const REDIRECT_STATUSES = new Set([301, 302, 307, 308]);

export interface HttpTarget {
  readonly url: URL;
  readonly isTls: boolean;
  readonly port: number;
  /** Host name in ASCII without trailing dot, or the address of an IP literal without brackets. */
  readonly host: string;
  readonly isAddress: boolean;
}

export type TargetOutcome =
  | { readonly kind: 'target'; readonly target: HttpTarget }
  | { readonly kind: 'refused'; readonly reason: HttpFailureReason; readonly detail: string };

/** Reads the URL of a first request: http or https on its default port, no user information. */
export function parseTarget(text: string): TargetOutcome {
  return judge(text, undefined, 'malformed');
}

/** Reads the Location of a redirect, relative to the URL that sent it; the same rules hold for its result. */
export function parseRedirect(location: string, from: URL): TargetOutcome {
  return judge(location, from, 'redirectForbidden');
}

export function isRedirect(status: number): boolean {
  return REDIRECT_STATUSES.has(status);
}

function judge(text: string, base: URL | undefined, reason: HttpFailureReason): TargetOutcome {
  const refuse = (detail: string): TargetOutcome => ({ kind: 'refused', reason, detail });
  if (text.length > MAX_URL_CHARACTERS) return refuse('the URL is too long');
  const url = URL.parse(text, base);
  if (!url) return refuse('the URL is malformed');
  const isTls = url.protocol === 'https:';
  if (!isTls && url.protocol !== 'http:') return refuse('only http and https are followed');
  if (url.username !== '' || url.password !== '') return refuse('the URL holds user information');
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const isFirst = base === undefined;
  if (isFirst && url.port !== '') return refuse('the first request goes to the default port of its scheme');
  if (port !== 80 && port !== 443) return refuse('only the ports 80 and 443 are followed');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (host === '') return refuse('the URL has no host');
  return { kind: 'target', target: { url, isTls, port, host, isAddress: isIP(host) !== 0 } };
}
