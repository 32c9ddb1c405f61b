import type { DomainError, ErrorCode } from '@certwright/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { Problem } from './schemas.ts';

/** Status of each code of the core; a code that is not named is a refusal of the request's content. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'request.invalid': 400,
  'permission.denied': 403,
  notFound: 404,
  'token.invalid': 401,
  'credential.invalid': 401,
  'order.wrongState': 409,
  'order.approvalNotOpen': 409,
  'order.notIssued': 409,
  'organization.notVettable': 409,
  'ca.unknown': 404,
  conflict: 409,
  overloaded: 503,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not permitted',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Not possible in this state',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Refused',
  500: 'Internal error',
  503: 'Not available',
};

/** HTTP status of an error of the core in this face. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 422;
}

type ProblemFields = Pick<Static<typeof Problem>, 'status' | 'code' | 'detail'> & {
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly retryAfterMs?: number;
};

/** Sends problem+json (RFC 9457) with the request id. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, fields: ProblemFields): FastifyReply {
  const { status, code, detail, errors, retryAfterMs } = fields;
  if (status === 401) reply.header('WWW-Authenticate', 'Bearer realm="certwright"');
  if (retryAfterMs !== undefined) reply.header('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  const problem = {
    type: `urn:certwright:error:${code}`,
    title: TITLES[status] ?? 'Refused',
    status,
    detail,
    instance: request.url.split('?')[0] ?? '',
    code,
    requestId: request.id,
    ...(errors === undefined ? {} : { errors }),
  };
  return reply.code(status).type('application/problem+json').send(problem);
}

/** Sends an error of the core. */
export function sendDomainError(request: FastifyRequest, reply: FastifyReply, error: DomainError): FastifyReply {
  return sendProblem(request, reply, {
    status: statusOf(error.code),
    code: error.code,
    detail: error.detail,
    ...(error.fields === undefined ? {} : { errors: error.fields }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
