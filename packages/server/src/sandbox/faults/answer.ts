/** The answers that faults give in place of a face, in the error format that the face's clients read. */
import { STATUS_CODES } from 'node:http';
import { type FaultEffect, faceOf } from './list.ts';

interface FaultAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const DEFAULT_RETRY_SECONDS = 1;
/** Error words of RFC 6749 for the statuses of the token endpoint. */
const TOKEN_ERRORS: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'invalid_client',
  403: 'unauthorized_client',
  429: 'temporarily_unavailable',
  503: 'temporarily_unavailable',
};
/** Slugs of the API v2 contract's section 3.2. */
const SLUGS: Readonly<Record<number, string>> = {
  400: 'validation-error',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  409: 'conflict',
  415: 'unsupported-media-type',
  422: 'unprocessable',
  429: 'rate-limited',
  500: 'internal-error',
  501: 'not-implemented',
};

/** Status, headers and body for a request path. 429 and 503 always say when to come back. */
export function faultAnswer(
  path: string,
  requestId: string,
  effect: Extract<FaultEffect, { kind: 'status' }>,
): FaultAnswer {
  const { status, code, detail = 'This answer was asked for as a fault of the sandbox', retryAfterSeconds } = effect;
  const isTemporary = status === 429 || status === 503;
  const retry = retryAfterSeconds ?? (isTemporary ? DEFAULT_RETRY_SECONDS : undefined);
  const headers = {
    'cache-control': 'no-store',
    ...(retry === undefined ? {} : { 'retry-after': String(retry) }),
  };
  switch (faceOf(path)) {
    case 'token': {
      const error = code ?? TOKEN_ERRORS[status] ?? 'server_error';
      return {
        status,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ error, error_description: detail }),
      };
    }
    case 'status':
      return { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body: `${detail}\n` };
    default: {
      const slug = SLUGS[status] ?? 'fault';
      const isEms = code?.startsWith('EMS-') ?? false;
      const problem = {
        type: `https://api.certinext.io/errors/${isEms ? slug : (code ?? slug)}`,
        title: STATUS_CODES[status] ?? 'Fault',
        status,
        detail: isEms ? `[${code}] ${detail}` : detail,
        instance: path,
        code: code ?? slug,
        requestId,
      };
      return {
        status,
        headers: { ...headers, 'content-type': 'application/problem+json' },
        body: JSON.stringify(problem),
      };
    }
  }
}
