/** Refusals as problem documents (contract section 3). */
import { STATUS_CODES } from 'node:http';
import type { DomainError, FieldError } from '@certwright/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorEntry, type ErrorExceptions, errorEntry } from './error-table.ts';
import { type DiagnosticsContext, diagnosticsOf } from './present/diagnostics.ts';
import type { DiagnosticsDocument, ProblemDocument } from './schemas/common.ts';

const TYPE_BASE = 'https://api.certinext.io/errors/';

/** A refusal in the face's own words: what no error of the core says. */
export interface Refusal extends ErrorEntry {
  readonly kind: 'refusal';
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly diagnostics?: DiagnosticsDocument;
  readonly existingDomainId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Slug =
  | 'validation-error'
  | 'unauthorized'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'payload-too-large'
  | 'unsupported-media-type'
  | 'internal-error'
  | 'not-implemented'
  | 'service-unavailable';

export const refusal = (
  status: number,
  slug: Slug,
  detail: string,
  more: Pick<Refusal, 'errors' | 'headers' | 'retryAfter'> = {},
): Refusal => ({ kind: 'refusal', status, slug, detail, ...more });

export const invalidFields = (errors: readonly FieldError[]): Refusal =>
  refusal(400, 'validation-error', 'Request validation failed', { errors });

export const unauthorized = (detail: string, hadToken: boolean): Refusal =>
  refusal(401, 'unauthorized', detail, {
    headers: { 'www-authenticate': `Bearer realm="certinext"${hadToken ? ', error="invalid_token"' : ''}` },
  });

/** Puts an error of the core into the words of the operation. */
export function refusalOf(
  error: DomainError,
  exceptions: ErrorExceptions = {},
  about: DiagnosticsContext = {},
): Refusal {
  const entry = errorEntry(error.code, exceptions);
  const retryAfter =
    error.retryAfterMs === undefined ? entry.retryAfter : Math.max(1, Math.ceil(error.retryAfterMs / 1000));
  return {
    kind: 'refusal',
    status: entry.status,
    slug: entry.slug,
    ...(entry.ems === undefined ? {} : { ems: entry.ems }),
    detail: error.detail,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(error.fields === undefined ? {} : { errors: error.fields }),
    ...(error.existingId === undefined ? {} : { existingDomainId: error.existingId }),
    ...(error.diagnostics === undefined
      ? {}
      : { diagnostics: diagnosticsOf(error.diagnostics, { ...about, caaPrecheck: error.code.startsWith('caa.') }) }),
  };
}

export const pathOf = (request: FastifyRequest): string => {
  const { url } = request;
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
};

/** The document of a refusal; `code` is the EMS code, else the slug. */
export function problemDocument(refused: Refusal, instance: string, requestId: string): ProblemDocument {
  const { status, slug, ems, detail, errors, diagnostics, existingDomainId } = refused;
  return {
    type: TYPE_BASE + slug,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: ems === undefined ? detail : `[${ems}] ${detail}`,
    instance,
    code: ems ?? slug,
    requestId,
    ...(errors === undefined ? {} : { errors: [...errors] }),
    ...(diagnostics === undefined ? {} : { diagnostics }),
    ...(existingDomainId === undefined ? {} : { existingDomainId }),
  };
}

export function sendRefusal(request: FastifyRequest, reply: FastifyReply, refused: Refusal): FastifyReply {
  if (refused.headers !== undefined) reply.headers(refused.headers);
  if (refused.retryAfter !== undefined) reply.header('retry-after', String(refused.retryAfter));
  const document = problemDocument(refused, pathOf(request), request.id);
  // bytes, because the framework adds a charset to text, which the media type does not have
  return reply
    .code(refused.status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(document)));
}
