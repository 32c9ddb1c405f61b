/** Who uses the management API: an operator over the socket, or an account's administrator over HTTPS. */
import type { Caller, Core, OperatorContext, Origin } from '@certwright/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendDomainError, sendProblem } from './errors.ts';

export type Actor =
  | { readonly kind: 'operator'; readonly ctx: OperatorContext }
  | { readonly kind: 'administrator'; readonly ctx: OperatorContext; readonly caller: Caller };

/**
 * Whose objects an operation touches: `installation` is for operators only; `account` operations restrict themselves to
 * the account of an administrator.
 */
export type Scope = 'installation' | 'account';

const OPERATOR_NAME = /^[A-Za-z0-9._@-]{1,64}$/;

function origin(request: FastifyRequest, ip: string): Origin {
  return { channel: 'manage', requestId: request.id, ip, originator: 'Certwright' };
}

/** Over the socket; the name is the client's word, kept for the audit trail. */
export function socketActor(request: FastifyRequest): Actor {
  const given = request.headers['x-operator'];
  const operator = typeof given === 'string' && OPERATOR_NAME.test(given) ? given : 'socket';
  return { kind: 'operator', ctx: { operator, origin: origin(request, 'socket') } };
}

/** Over HTTPS by bearer token; sends the refusal and gives undefined when the token is no administrator's. */
export async function bearerActor(
  core: Pick<Core, 'credentials'>,
  request: FastifyRequest,
  reply: FastifyReply,
  scope: Scope,
): Promise<Actor | undefined> {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const outcome = await core.credentials.authenticate(token);
  if (!outcome.ok) {
    sendDomainError(request, reply, outcome.error);
    return undefined;
  }
  const caller = outcome.value;
  const refusal =
    caller.role !== 'administrator' || caller.groupId !== null
      ? 'Only an administrator’s credential that is not bound to a group may use the management API'
      : scope === 'installation'
        ? 'This operation concerns the whole installation: use the management socket on the server'
        : undefined;
  if (refusal !== undefined) {
    sendProblem(request, reply, { status: 403, code: 'permission.denied', detail: refusal });
    return undefined;
  }
  const operator = `${caller.accountNumber}/${caller.credentialId}`;
  return { kind: 'administrator', caller, ctx: { operator, origin: origin(request, request.ip) } };
}

/** Whether the actor may touch objects of the account. */
export function mayTouch(actor: Actor, account: { readonly id: number } | { readonly number: string }): boolean {
  if (actor.kind === 'operator') return true;
  return 'id' in account ? account.id === actor.caller.accountId : account.number === actor.caller.accountNumber;
}
