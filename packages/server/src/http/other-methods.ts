import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/**
 * Answers every method that `supported` does not name on the path, before any body is read. `refuse` gets the value for
 * the Allow header; HEAD counts as supported beside GET.
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  path: string,
  supported: readonly string[],
  refuse: (request: FastifyRequest, reply: FastifyReply, allow: string) => FastifyReply,
): void {
  const allowed = supported.includes('GET') ? ['GET', 'HEAD', ...supported.filter((one) => one !== 'GET')] : supported;
  const allow = allowed.join(', ');
  app.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url: path,
    schema: { hide: true },
    onRequest: async (request, reply) => refuse(request, reply, allow),
    handler: (_request, reply) => reply,
  });
}
