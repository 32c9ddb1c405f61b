/** API v2, compatible with CERTInext: `/oauth/token`, `/api/certinext/v2`, `/v3/api-docs/certinext-v2`. */
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { BodySyntaxError, classifyFailure } from '../../http/failure.ts';
import { parseJsonBody } from '../../http/json-body.ts';
import { refuseOtherMethods } from '../../http/other-methods.ts';
import { PRIVATE_ANSWER_HEADERS } from '../../http/security-headers.ts';
import { decorateRequests } from './caller.ts';
import { JSON_TYPE, type Operation } from './operation.ts';
import { accountOperations } from './operations/accounts.ts';
import { domainOperations } from './operations/domains.ts';
import { API_BASE } from './operations/orders.ts';
import { privatePkiOperations } from './operations/private-pki.ts';
import { sslOperations } from './operations/ssl.ts';
import { addTokenEndpoint } from './operations/token.ts';
import { UNBUILT } from './operations/unbuilt.ts';
import { type Refusal, refusal, sendRefusal } from './problem.ts';
import { addRoute, addUnbuiltRoute, type FaceV2Options, type UnbuiltOperation } from './route.ts';
import { ACCOUNT_COMPONENTS } from './schemas/accounts.ts';
import { DcvDiagnostics, FieldError, Problem } from './schemas/common.ts';
import { DOMAIN_COMPONENTS } from './schemas/domains.ts';
import { ORDER_COMPONENTS } from './schemas/orders.ts';
import { createValidators } from './validate.ts';

export type { FaceV2Options } from './route.ts';

const COMPONENTS = [
  FieldError,
  DcvDiagnostics,
  Problem,
  ...ACCOUNT_COMPONENTS,
  ...ORDER_COMPONENTS,
  ...DOMAIN_COMPONENTS,
];

const HEADERS = {
  ...PRIVATE_ANSWER_HEADERS,
  'strict-transport-security': 'max-age=31536000',
  'x-api-version': '2.0.0',
};

/** Registers the face at the root of an application: its paths are fixed by the contract. */
export const faceV2: FastifyPluginAsync<FaceV2Options> = async (app, options) => {
  // answers are shaped by hand and requests are checked in the contract's order: the schemas only document them here
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS);
    done();
  });
  decorateRequests(app);
  handleErrors(app, options);
  for (const component of COMPONENTS) app.addSchema(component);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'CERTInext-compatible API v2',
        version: options.version,
        description:
          'Orders, domain control validation and certificates over the paths and documents of CERTInext API v2.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          clientBasic: { type: 'http', scheme: 'basic' },
        },
      },
      security: [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `def-${index}`,
    },
  });

  await app.register(async (scope) => {
    addTokenEndpoint(scope, options.core);
    refuseMethods(scope, [{ method: 'POST', path: '/oauth/token' }]);
  });
  await app.register(async (scope) => addApi(scope, options), { prefix: API_BASE });
  addDocument(app);
};

function addApi(app: FastifyInstance, options: FaceV2Options): void {
  const { core, clock } = options;
  const now = () => clock.now();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    const parsed = parseJsonBody(body);
    if (parsed.ok) done(null, parsed.value);
    else done(new BodySyntaxError(parsed.error));
  });
  app.setNotFoundHandler((request, reply) =>
    sendRefusal(request, reply, refusal(404, 'not-found', 'There is no such path')),
  );

  const validators = createValidators(COMPONENTS);
  const operations: readonly Operation[] = [
    ...accountOperations(core),
    ...sslOperations({ orders: core.orders, domains: core.domains, now }),
    ...privatePkiOperations({ orders: core.orders, now }),
    ...domainOperations({ domains: core.domains, now }),
  ];
  for (const operation of operations) addRoute(app, operation, options, validators);
  for (const operation of UNBUILT) addUnbuiltRoute(app, operation, options);
  refuseMethods(app, [...operations, ...UNBUILT]);
}

/** 405 with Allow for the methods that a known path does not have. */
function refuseMethods(app: FastifyInstance, routes: readonly Pick<UnbuiltOperation, 'method' | 'path'>[]): void {
  const byPath = Map.groupBy(routes, ({ path }) => path);
  for (const [path, members] of byPath) {
    const methods = members.map(({ method }) => method);
    refuseOtherMethods(app, path, methods, (request, reply, allow) =>
      sendRefusal(
        request,
        reply,
        refusal(405, 'method-not-allowed', `${request.method} is not supported on this path`, { headers: { allow } }),
      ),
    );
  }
}

/** The OpenAPI document, generated once from the schemas of the routes. */
function addDocument(app: FastifyInstance): void {
  const path = '/v3/api-docs/certinext-v2';
  let text: string | undefined;
  app.get(
    path,
    {
      schema: {
        operationId: 'getOpenApiDocument',
        tags: ['Service'],
        summary: 'This document, as served',
        security: [{}],
        response: { 200: { type: 'object' } },
      },
    },
    (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return reply.header('content-type', JSON_TYPE).send(text);
    },
  );
  refuseMethods(app, [{ method: 'GET', path }]);
}

function failureRefusal(error: unknown): Refusal {
  const failure = classifyFailure(error);
  switch (failure.kind) {
    case 'syntax':
    case 'request':
      return refusal(failure.status, 'validation-error', failure.detail);
    case 'tooLarge':
      return refusal(failure.status, 'payload-too-large', failure.detail);
    case 'mediaType':
      return refusal(failure.status, 'unsupported-media-type', failure.detail);
    case 'unavailable':
      return refusal(503, 'service-unavailable', failure.detail, { retryAfter: failure.retryAfterSeconds });
    case 'bug':
      return refusal(500, 'internal-error', 'An internal error; the log has it under this request id');
  }
}

function handleErrors(app: FastifyInstance, { log }: FaceV2Options): void {
  app.setErrorHandler((error, request, reply) => {
    const refused = failureRefusal(error);
    if (refused.status >= 500) log(error, request);
    return sendRefusal(request, reply, refused);
  });
}
