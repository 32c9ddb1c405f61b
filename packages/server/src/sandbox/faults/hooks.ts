/** Lets faults happen to an application as a whole; the faces behind it know nothing of them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { faultAnswer } from './answer.ts';
import type { Fault, FaultList } from './list.ts';

/** A delayed answer must not keep a sandbox alive that ends. */
const WITHOUT_HOLDING = { ref: false } as const;

/** Registry of the operation ids of all applications, filled while their routes are registered. */
export function createOperationRegistry(): {
  readonly has: (operationId: string) => boolean;
  readonly observe: (app: FastifyInstance) => void;
} {
  const known = new Set<string>();
  return {
    has: (operationId) => known.has(operationId),
    observe(app) {
      app.addHook('onRoute', ({ schema }) => {
        const operationId = operationIdOf(schema);
        if (operationId !== undefined) known.add(operationId);
      });
    },
  };
}

/** Adds the hooks to the root of an application; call it before the faces are registered, or they will not have them. */
export function installFaults(app: FastifyInstance, faults: FaultList): void {
  /** Faults that wait for the handler's effect. */
  const pending = new WeakMap<FastifyRequest, Fault>();

  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const operationId = operationIdOf(request.routeOptions.schema);
    const fault = faults.take({ method: request.method, path, operationId });
    if (fault === undefined) return;
    request.log.info({ faultId: fault.id, effect: fault.effect.kind }, 'sandbox.fault');
    if (fault.effect.moment === 'after') {
      pending.set(request, fault);
      return;
    }
    switch (fault.effect.kind) {
      case 'delay':
        await delay(fault.effect.delayMs, undefined, WITHOUT_HOLDING);
        return;
      case 'drop':
        reply.hijack();
        request.raw.socket.destroy();
        return;
      case 'status': {
        const { status, headers, body } = faultAnswer(path, request.id, fault.effect);
        return reply.code(status).headers(headers).send(body);
      }
    }
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const fault = pending.get(request);
    if (fault === undefined) return payload;
    pending.delete(request);
    switch (fault.effect.kind) {
      case 'delay':
        await delay(fault.effect.delayMs, undefined, WITHOUT_HOLDING);
        return payload;
      case 'drop':
        request.raw.socket.destroy();
        return payload;
      case 'status':
        return replaceAnswer(request, reply, fault.effect);
    }
  });
}

function replaceAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  effect: Parameters<typeof faultAnswer>[2],
): string {
  const path = request.url.split('?', 1)[0] ?? '';
  const { status, headers, body } = faultAnswer(path, request.id, effect);
  for (const name of ['etag', 'last-modified', 'expires', 'location']) reply.removeHeader(name);
  reply.code(status).headers({ ...headers, 'content-length': String(Buffer.byteLength(body)) });
  return body;
}

function operationIdOf(schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null || !('operationId' in schema)) return undefined;
  return typeof schema.operationId === 'string' ? schema.operationId : undefined;
}
