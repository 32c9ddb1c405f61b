/** Who calls: the bearer token of a request (contract section 2). */
import type { CallContext, Core } from '@certwright/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendRefusal, unauthorized } from './problem.ts';

const CONTEXT = 'certinextCall';
const BEARER = /^Bearer +(\S+) *$/i;

export const CHANNEL = 'rest-v2';
export const ORIGINATOR = 'CERTInext API';

/** Declares what {@link authenticate} leaves on a request; once per application. */
export function decorateRequests(app: FastifyInstance): void {
  app.decorateRequest(CONTEXT, null);
}

/** Leaves the caller's context on the request. Without a valid token sends 401 and returns false. */
export async function authenticate(core: Core, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const { authorization } = request.headers;
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (token === undefined) {
    const detail = 'Bearer token is missing; get one at /oauth/token';
    sendRefusal(request, reply, unauthorized(detail, authorization !== undefined));
    return false;
  }
  const caller = await core.credentials.authenticate(token);
  if (!caller.ok) {
    sendRefusal(request, reply, unauthorized(caller.error.detail, true));
    return false;
  }
  const context: CallContext = {
    caller: caller.value,
    origin: { channel: CHANNEL, requestId: request.id, ip: request.ip, originator: ORIGINATOR },
  };
  request.setDecorator(CONTEXT, context);
  return true;
}

/** The context that {@link authenticate} has left. */
export const callContext = (request: FastifyRequest): CallContext => request.getDecorator<CallContext>(CONTEXT);
