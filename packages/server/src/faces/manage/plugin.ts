/** The management API `/api/manage/v1`: Certwright's own, used by the command line. */
import { InvalidCursorError } from '@certwright/core';
import swagger from '@fastify/swagger';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { BodySyntaxError, classifyFailure } from '../../http/failure.ts';
import { parseJsonBody } from '../../http/json-body.ts';
import { PRIVATE_ANSWER_HEADERS } from '../../http/security-headers.ts';
import { type Actor, bearerActor, socketActor } from './actors.ts';
import { sendDomainError, sendProblem } from './errors.ts';
import { type ManageDependencies, type Operation, operations } from './operations.ts';
import { COMPONENTS, Problem, ref } from './schemas.ts';

export interface ManageOptions extends ManageDependencies {
  /** `socket`: whoever connects is an operator; `bearer`: by an administrator's token, own account only. */
  readonly access: 'socket' | 'bearer';
  readonly version: string;
  readonly log: (error: unknown, request: FastifyRequest) => void;
}

const BODY_LIMIT = 1 << 20;

/** Unknown members are errors: who manages a CA should not be left to guess what a mistyped option did. */
function validators() {
  const options = { allErrors: true, useDefaults: true, removeAdditional: false, strict: false } as const;
  const body = new Ajv({ ...options, coerceTypes: false });
  const text = new Ajv({ ...options, coerceTypes: true });
  for (const ajv of [body, text]) formats.default(ajv);
  return (part: string | undefined) => (part === 'body' ? body : text);
}

/** Registers the management API; mount it with the prefix `/api/manage/v1`. */
export const faceManage: FastifyPluginAsync<ManageOptions> = async (app, options) => {
  const actors = new WeakMap<FastifyRequest, Actor>();
  const validatorFor = validators();
  app.setValidatorCompiler(({ schema, httpPart }) => validatorFor(httpPart).compile(schema));
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, bytes: Buffer) => {
    const body = parseJsonBody(bytes);
    if (!body.ok) throw new BodySyntaxError(body.error);
    return body.value;
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(PRIVATE_ANSWER_HEADERS);
    done();
  });
  handleErrors(app, options);
  for (const component of COMPONENTS) app.addSchema(component);

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Certwright management API',
        version: options.version,
        description:
          'Operators use it over the management socket, without authentication. Over HTTPS it takes the bearer token of an administrator’s REST credential, who sees and changes the own account only.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `def-${index}`,
    },
  });

  for (const operation of operations(options)) addRoute(app, operation, options, actors);

  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
};

function addRoute(
  app: FastifyInstance,
  operation: Operation,
  options: ManageOptions,
  actors: WeakMap<FastifyRequest, Actor>,
): void {
  const { id, method, path, summary, tag, scope, params, query, body, status, answer } = operation;
  app.route({
    method,
    url: path,
    bodyLimit: BODY_LIMIT,
    schema: {
      operationId: id,
      summary,
      tags: [tag],
      ...(params === undefined ? {} : { params }),
      querystring: query ?? Type.Object({}, { additionalProperties: false }),
      ...(body === undefined ? {} : { body }),
      response: { [status]: answer, '4xx': ref(Problem), '5xx': ref(Problem) },
    },
    // before validation: who may not call learns nothing about the shape of requests
    async preValidation(request, reply) {
      const actor =
        options.access === 'socket' ? socketActor(request) : await bearerActor(options.core, request, reply, scope);
      if (actor !== undefined) actors.set(request, actor);
      return actor === undefined ? reply : undefined;
    },
    async handler(request, reply) {
      const actor = actors.get(request);
      if (actor === undefined) throw new Error('request without actor');
      const outcome = await operation.run({
        actor,
        params: request.params,
        query: request.query,
        body: request.body,
      });
      return outcome.ok ? reply.code(status).send(outcome.value) : sendDomainError(request, reply, outcome.error);
    },
  });
}

interface ValidationIssue {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

function fieldError({ keyword, instancePath, params, message }: ValidationIssue) {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const member = keyword === 'additionalProperties' ? params.additionalProperty : params.missingProperty;
  const field = [path, typeof member === 'string' ? member : ''].filter((part) => part !== '').join('.');
  const allowed =
    keyword === 'enum' && Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : '';
  const text = keyword === 'additionalProperties' ? 'is not known' : keyword === 'required' ? 'is missing' : message;
  return { field, message: `${text ?? 'is not valid'}${allowed}` };
}

type FrameworkError = Error & { readonly validation?: readonly ValidationIssue[] };

function handleErrors(app: FastifyInstance, { log }: ManageOptions): void {
  app.setErrorHandler((error: FrameworkError, request, reply) => {
    if (error.validation !== undefined) {
      const errors = error.validation.map(fieldError);
      const detail = errors.map(({ field, message }) => `${field} ${message}`.trim()).join('; ');
      return sendProblem(request, reply, { status: 400, code: 'request.invalid', detail, errors });
    }
    if (error instanceof InvalidCursorError) {
      const errors = [{ field: 'cursor', message: error.message }];
      return sendProblem(request, reply, { status: 400, code: 'request.invalid', detail: error.message, errors });
    }
    const failure = classifyFailure(error);
    switch (failure.kind) {
      case 'bug':
        log(error, request);
        return sendProblem(request, reply, {
          status: 500,
          code: 'internal',
          detail: 'An internal error; the log has it under this request id',
        });
      case 'unavailable':
        log(error, request);
        return sendProblem(request, reply, {
          status: 503,
          code: 'store.unavailable',
          detail: failure.detail,
          retryAfterMs: failure.retryAfterSeconds * 1000,
        });
      default:
        return sendProblem(request, reply, { status: failure.status, code: 'request.invalid', detail: failure.detail });
    }
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, { status: 404, code: 'notFound', detail: 'No such operation' }),
  );
}
