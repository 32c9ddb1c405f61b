/** What every HTTP application of the platform has: request ids, a log line and a measurement per request. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fastify from 'fastify';
import type { Listener, RequestHandler } from '../listeners/listener.ts';
import type { Logger } from '../logging/logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { requestId } from './request-id.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Label of the route's face in log and metrics. */
    face?: string;
  }
}

/** OCSP requests in the path of a GET are long. */
const MAX_PARAM_LENGTH = 8_192;
const BODY_LIMIT = 1 << 20;

export interface Application {
  readonly app: FastifyInstance;
  /** Mounts a face; its routes carry its name in log and metrics. */
  mount<O extends object>(
    face: string,
    plugin: FastifyPluginAsync<O>,
    options: O & { readonly prefix?: string },
  ): Promise<void>;
  /** Finishes the application and lets the listener hand requests to it. */
  open(): Promise<void>;
}

interface ApplicationOptions {
  readonly listener: Listener;
  readonly trustedProxies: readonly string[];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export function createApplication({ listener, trustedProxies, logger, metrics }: ApplicationOptions): Application {
  let handler: RequestHandler | undefined;
  const app = fastify({
    serverFactory(handle) {
      handler = handle;
      return listener.server;
    },
    genReqId: requestId,
    requestIdHeader: false,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // closing belongs to the listener, which drains
    forceCloseConnections: false,
    return503OnClosing: false,
    logger: false,
    // a path that cannot be decoded never reaches a route or an error handler
    frameworkErrors(_error, request, reply) {
      const body = JSON.stringify({
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'The path has a broken percent-encoding or a parameter that is too long',
        instance: '/',
        code: 'validation-error',
        requestId: request.id,
      });
      reply.raw.writeHead(400, { 'Content-Type': 'application/problem+json', 'X-Request-Id': request.id }).end(body);
    },
  });

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    done();
  });

  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type('application/problem+json')
      .send({
        type: 'about:blank',
        title: 'Not found',
        status: 404,
        detail: `There is nothing at ${request.method} ${request.url.split('?')[0] ?? ''}`,
        requestId: request.id,
      }),
  );

  app.addHook('onResponse', (request, reply, done) => {
    const { config, url } = request.routeOptions;
    const face = config.face ?? 'system';
    const route = url ?? 'none';
    const { statusCode, elapsedTime } = reply;
    metrics.request(face, request.method, route, statusCode, elapsedTime / 1000);
    const isRead = request.method === 'GET' || request.method === 'HEAD' || face === 'status';
    const level = statusCode >= 500 ? 'error' : isRead ? 'debug' : 'info';
    if (logger.isLevelEnabled(level)) {
      logger[level](
        {
          requestId: request.id,
          face,
          method: request.method,
          route,
          status: statusCode,
          durationMs: Math.round(elapsedTime * 100) / 100,
          ip: request.ip,
        },
        'http.request',
      );
    }
    done();
  });

  return {
    app,
    async mount(face, plugin, options) {
      await app.register(async (scope) => {
        scope.addHook('onRoute', (route) => {
          route.config = { ...route.config, face };
        });
        await scope.register(plugin, options);
      });
    },
    async open() {
      await app.ready();
      if (handler === undefined) throw new Error('the application has no handler');
      listener.attach(handler);
    },
  };
}
