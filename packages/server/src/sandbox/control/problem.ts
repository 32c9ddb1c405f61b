/** Errors of the control API: problem+json that names the wrong input. */
import { type DomainError, domainError } from '@certwright/core';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendDomainError, sendProblem } from '../../faces/manage/errors.ts';
import { classifyFailure } from '../../http/failure.ts';

export interface InputError {
  readonly field: string;
  readonly message: string;
}

/** What a handler answers instead of a result. */
export type Refusal =
  | { readonly kind: 'input'; readonly errors: readonly InputError[] }
  | { readonly kind: 'domain'; readonly error: DomainError }
  | { readonly kind: 'status'; readonly status: number; readonly code: string; readonly detail: string };

export const wrongInput = (field: string, message: string): Refusal => ({
  kind: 'input',
  errors: [{ field, message }],
});

export function sendRefusal(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  switch (refusal.kind) {
    case 'input': {
      const detail = refusal.errors.map(({ field, message }) => `${field} ${message}`.trim()).join('; ');
      return sendDomainError(request, reply, domainError('request.invalid', detail, { fields: refusal.errors }));
    }
    case 'domain':
      return sendDomainError(request, reply, refusal.error);
    case 'status':
      return sendProblem(request, reply, refusal);
  }
}

type Issue = NonNullable<FastifyError['validation']>[number];

function inputError({ keyword, instancePath, params, message }: Issue): InputError {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const member = keyword === 'additionalProperties' ? params.additionalProperty : params.missingProperty;
  const field = [path, typeof member === 'string' ? member : ''].filter((part) => part !== '').join('.');
  switch (keyword) {
    case 'additionalProperties':
      return { field, message: 'is not known' };
    case 'required':
      return { field, message: 'is missing' };
    case 'enum':
      return {
        field,
        message: `must be one of ${Array.isArray(params.allowedValues) ? params.allowedValues.join(', ') : 'a list'}`,
      };
    case 'pattern':
      return { field, message: 'is not well-formed' };
    default:
      return { field, message: message ?? 'is not valid' };
  }
}

/** Error and not-found handlers; `logError` is told of bugs only. */
export function handleErrors(app: FastifyInstance, logError: (error: unknown, request: FastifyRequest) => void): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.validation !== undefined) {
      // the branches of a union repeat what the union says
      const issues = error.validation.filter(({ schemaPath }) => !schemaPath.includes('/anyOf/'));
      return sendRefusal(request, reply, { kind: 'input', errors: issues.map(inputError) });
    }
    const failure = classifyFailure(error);
    switch (failure.kind) {
      case 'bug':
        logError(error, request);
        return sendProblem(request, reply, { status: 500, code: 'internal', detail: 'An internal error; see the log' });
      case 'unavailable': {
        const { detail, retryAfterSeconds } = failure;
        const retryAfterMs = retryAfterSeconds * 1_000;
        return sendProblem(request, reply, { status: 503, code: 'store.unavailable', detail, retryAfterMs });
      }
      default:
        return sendProblem(request, reply, { status: failure.status, code: 'request.invalid', detail: failure.detail });
    }
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, {
      status: 404,
      code: 'notFound',
      detail: `The control API has no ${request.method} ${request.url.split('?', 1)[0]}; see /openapi.json`,
    }),
  );
}
