/** The control API of a sandbox: without authentication, for the machine it runs on only. */
import { isIP } from 'node:net';
import type { OperatorContext } from '@certwright/core';
import swagger from '@fastify/swagger';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { sendProblem } from '../../faces/manage/errors.ts';
import { BodySyntaxError } from '../../http/failure.ts';
import { parseJsonBody } from '../../http/json-body.ts';
import { decisionOperations } from './decision-operations.ts';
import { internetOperations } from './internet-operations.ts';
import type { ControlDependencies, Operation } from './operation.ts';
import { handleErrors, sendRefusal } from './problem.ts';
import { Fault, Order, Problem } from './schemas.ts';
import { worldOperations } from './world-operations.ts';

export interface ControlOptions extends ControlDependencies {
  readonly version: string;
  readonly logError: (error: unknown, request: FastifyRequest) => void;
}

const BODY_LIMIT = 4 << 20;
const problemRef = Type.Ref('Problem');

/** Registers the control API at the root of an application of its own. */
export const controlApi: FastifyPluginAsync<ControlOptions> = async (app, options) => {
  refuseStrangers(app);
  readEveryBodyAsJson(app);
  handleErrors(app, options.logError);
  const validatorFor = validators();
  app.setValidatorCompiler(({ schema, httpPart }) => validatorFor(httpPart).compile(schema));
  for (const component of [Problem, Fault, Order]) app.addSchema(component);

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Certwright sandbox control API',
        version: options.version,
        description: 'Moves the world around a sandbox: its DNS, web host and mail, its clock, faults and approvals.',
      },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `def-${index}`,
    },
  });
  const inTurn = createTurns();
  const operations = [...internetOperations(options), ...worldOperations(options), ...decisionOperations(options)];
  for (const operation of operations) addRoute(app, operation, inTurn);
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
};

function addRoute(app: FastifyInstance, operation: Operation, inTurn: Turns): void {
  const { id, method, path, summary, tag, params, query, body, status = 200, answer } = operation;
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
      response: { [status]: answer, '4xx': problemRef, '5xx': problemRef },
    },
    async handler(request, reply) {
      const run = () =>
        operation.run({
          params: request.params,
          query: request.query,
          body: request.body ?? {},
          operator: operatorOf(request),
        });
      const outcome = await (method === 'GET' ? run() : inTurn(run));
      return outcome.ok ? reply.code(status).send(outcome.value) : sendRefusal(request, reply, outcome.error);
    },
  });
}

type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** One change at a time: a reset must not meet a clock that is just being moved. */
function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

function operatorOf(request: FastifyRequest): OperatorContext {
  return {
    operator: 'sandbox',
    origin: { channel: 'sandbox-control', requestId: request.id, ip: request.ip, originator: 'Certwright sandbox' },
  };
}

/** A web page open on this machine must not reach the API through a name that it points here, nor by a cross-site form. */
function refuseStrangers(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (isLoopbackName(request.hostname) && (origin === undefined || isLoopbackOrigin(origin))) return;
    return sendProblem(request, reply, {
      status: 403,
      code: 'permission.denied',
      detail: 'The control API is for programs on this machine, which call it by 127.0.0.1 or localhost',
    });
  });
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackName(new URL(origin).hostname);
}

function isLoopbackName(name: string): boolean {
  const bare = name.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Programs such as curl send JSON under the type of a form; an empty body is an empty object. */
function readEveryBodyAsJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes: Buffer, done) => {
    const parsed = parseJsonBody(bytes);
    if (parsed.ok) done(null, parsed.value);
    else done(new BodySyntaxError(parsed.error));
  });
  // a request without any body
  app.addHook('preValidation', async (request) => {
    request.body ??= {};
  });
}

/** Unknown members are errors: who tests should not be left to guess what a mistyped option did. */
function validators() {
  const options = { allErrors: true, useDefaults: true, removeAdditional: false, strict: false } as const;
  const body = new Ajv({ ...options, coerceTypes: false });
  const text = new Ajv({ ...options, coerceTypes: true });
  for (const ajv of [body, text]) formats.default(ajv);
  return (part: string | undefined) => (part === 'body' ? body : text);
}
