import { StoreUnavailableError } from '@certwright/core';

/** What went wrong outside a use case, for a face to say in its own format. */
export type Failure =
  | { readonly kind: 'syntax' | 'tooLarge' | 'mediaType' | 'request'; readonly status: number; readonly detail: string }
  | { readonly kind: 'unavailable'; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly kind: 'bug' };

/** A body that cannot be read; thrown by body parsers. */
export class BodySyntaxError extends Error {
  readonly statusCode = 400;
}

const RETRY_AFTER_S = 1;

const has = <K extends string>(value: object, key: K): value is Readonly<Record<K, unknown>> => key in value;

/** Sorts what a handler, a hook or the framework has thrown. Only the framework's own 4xx speak to the caller. */
export function classifyFailure(error: unknown): Failure {
  if (error instanceof StoreUnavailableError) {
    const detail = error.unknown
      ? 'The database was lost during the commit; look whether the change took effect before trying again'
      : 'The database cannot be reached; nothing was changed, try again';
    return { kind: 'unavailable', detail, retryAfterSeconds: RETRY_AFTER_S };
  }
  if (error instanceof BodySyntaxError) return { kind: 'syntax', status: 400, detail: error.message };
  if (typeof error === 'object' && error !== null && has(error, 'code') && has(error, 'statusCode')) {
    const { code, statusCode: status } = error;
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      return { kind: 'tooLarge', status: 413, detail: 'The body is larger than this operation takes' };
    }
    if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      return { kind: 'mediaType', status: 415, detail: 'The content type of the body is not supported here' };
    }
    if (typeof code === 'string' && code.startsWith('FST_') && typeof status === 'number') {
      if (status >= 400 && status < 500) {
        return { kind: 'request', status, detail: 'The request cannot be read: headers and body do not agree' };
      }
    }
  }
  return { kind: 'bug' };
}
