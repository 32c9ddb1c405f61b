/** Cache headers and conditional requests (RFC 9110, RFC 9111, RFC 5019 section 6). */
import type { IncomingHttpHeaders } from 'node:http';

/** What a cache may know about an answer; instants in ms since the epoch. */
export interface Freshness {
  readonly etag: string;
  readonly lastModified?: number;
  /** When the content itself says that it is over. */
  readonly expires: number;
  /** How long caches may keep it from `now` on. */
  readonly maxAgeMs: number;
}

export const httpDate = (instant: number): string => new Date(instant).toUTCString();

/** `public` because status is for everybody, `no-transform` because it is signed. */
export function cacheControl(maxAgeMs: number): string {
  return `public, no-transform, must-revalidate, max-age=${Math.max(0, Math.floor(maxAgeMs / 1000))}`;
}

/** Whether the client's copy is the current one, so that 304 is the answer. */
export function isCurrentCopy(headers: IncomingHttpHeaders, etag: string, lastModified: number | undefined): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    return ifNoneMatch.split(',').some((candidate) => {
      const tag = candidate.trim();
      return tag === '*' || tag === etag || tag === `W/${etag}`;
    });
  }
  const since = headers['if-modified-since'];
  if (since === undefined || lastModified === undefined) return false;
  return Date.parse(since) >= Math.floor(lastModified / 1000) * 1000;
}
