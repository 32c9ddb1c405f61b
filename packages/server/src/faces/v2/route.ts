/** Puts operations on the application: what happens before a body is read, and how answers go out. */
import { STATUS_CODES } from 'node:http';
import type { Clock, Core } from '@certwright/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { negotiate } from '../../http/media-type.ts';
import { authenticate, callContext } from './caller.ts';
import type { Answer, Operation } from './operation.ts';
import { refusal, sendRefusal } from './problem.ts';
import { createRunner } from './runner.ts';
import { Problem, ref } from './schemas/common.ts';
import type { Validators } from './validate.ts';

export interface FaceV2Options {
  readonly core: Core;
  /** Time of the domain. */
  readonly clock: Clock;
  readonly version: string;
  /** Takes what nobody expected. */
  readonly log: (error: unknown, request: FastifyRequest) => void;
}

const BODY_LIMIT = 1 << 20;
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref(Problem) } },
});
export const PROBLEMS = { '4xx': problem('The request is refused.'), '5xx': problem('The server cannot answer.') };

/** The answers of an operation, for the document. */
function responses({ answers, otherTypes = {} }: Operation) {
  const documented = Object.entries(answers).map(([status, schema]) => {
    const content = { 'application/json': { schema }, ...otherTypes };
    return [status, status === '204' ? schema : { description: STATUS_CODES[status] ?? '', content }] as const;
  });
  return { ...Object.fromEntries(documented), ...PROBLEMS };
}

function pathParameters(path: string): { readonly params?: TSchema } {
  const names = [...path.matchAll(/:(\w+)/g)].flatMap(([, name]) => (name === undefined ? [] : [name]));
  if (names.length === 0) return {};
  return { params: Type.Object(Object.fromEntries(names.map((name) => [name, Type.String()]))) };
}

function requestHeaders({ method, answers, createsOrder }: Operation): { readonly headers?: TSchema } {
  if (method === 'GET') return {};
  return {
    headers: Type.Object({
      'Idempotency-Key': Type.Optional(
        Type.String({ maxLength: 255, description: 'The same key with the same request gets the same answer.' }),
      ),
      ...(createsOrder === true
        ? { 'X-Product-Code': Type.Optional(Type.String({ description: 'Catalog product; default by the body.' })) }
        : {}),
      ...(204 in answers
        ? { Prefer: Type.Optional(Type.String({ description: '`return=representation`: 200 with the resource.' })) }
        : {}),
    }),
  };
}

function sendAnswer(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  reply.code(status).headers(headers);
  if (body === '') return reply.send();
  return reply.send(typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

/** Adds an operation. */
export function addRoute(
  app: FastifyInstance,
  operation: Operation,
  { core }: Pick<FaceV2Options, 'core'>,
  validators: Validators,
): void {
  const run = createRunner(operation, core, validators);
  app.route({
    method: operation.method,
    url: operation.path,
    bodyLimit: BODY_LIMIT,
    schema: {
      operationId: operation.id,
      tags: [operation.tag],
      summary: operation.summary,
      ...pathParameters(operation.path),
      ...(operation.query === undefined ? {} : { querystring: operation.query }),
      ...(operation.body === undefined ? {} : { body: operation.body }),
      ...requestHeaders(operation),
      response: responses(operation),
    },
    onRequest: async (request, reply) => {
      if (!(await authenticate(core, request, reply))) return reply;
      if (operation.negotiates !== true && negotiate(request.headers.accept, ['application/json']) === undefined) {
        const detail = 'The only media type here is application/json';
        return sendRefusal(request, reply, refusal(406, 'not-acceptable', detail));
      }
      return undefined;
    },
    handler: async (request, reply) => {
      const replied = await run(request, callContext(request));
      return replied.ok ? sendAnswer(reply, replied.value) : sendRefusal(request, reply, replied.error);
    },
  });
}

export type UnbuiltOperation = Pick<Operation, 'id' | 'method' | 'path' | 'tag' | 'summary'>;

/** Adds a path of the contract that this server does not serve: 501 behind authentication, whatever the body. */
export function addUnbuiltRoute(
  app: FastifyInstance,
  { id, method, path, tag, summary }: UnbuiltOperation,
  { core }: Pick<FaceV2Options, 'core'>,
): void {
  app.route({
    method,
    url: path,
    schema: { operationId: id, tags: [tag], summary, ...pathParameters(path), response: PROBLEMS },
    onRequest: async (request, reply) => {
      if (!(await authenticate(core, request, reply))) return reply;
      return sendRefusal(request, reply, refusal(501, 'not-implemented', 'This server does not offer the operation'));
    },
    handler: (_request, reply) => reply,
  });
}
