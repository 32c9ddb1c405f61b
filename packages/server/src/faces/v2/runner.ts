/** The checks between authentication and use case, in the contract's order (sections 3.1 and 4). */
import {
  type AnswerRecorder,
  type CallContext,
  type Core,
  domainError,
  type IdempotencyRecord,
  type Outcome,
  type StoredAnswer,
  StoreUnavailableError,
} from '@certwright/core';
import { fail, ok, type Result } from '@certwright/pki';
import type { FastifyRequest } from 'fastify';
import { claimScope, fingerprint, isIdempotencyKey } from './idempotency.ts';
import { normalise, normaliseQuery } from './normalise.ts';
import type { Answer, Answered, Call, Operation } from './operation.ts';
import { invalidFields, pathOf, type Refusal, refusal, refusalOf } from './problem.ts';
import type { Validators } from './validate.ts';

type Replied = Result<Answer, Refusal>;
type Params = Readonly<Record<string, string>>;

export type Runner = (request: FastifyRequest, ctx: CallContext) => Promise<Replied>;

const OPAQUE_ID = /^[A-Za-z0-9_-]{1,64}$/;
const REPRESENTATION = /(?:^|[\s,;])return\s*=\s*"?representation"?(?:[\s,;]|$)/i;

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.join(', ');
}

function wantsRepresentation(request: FastifyRequest, ctx: CallContext): Call<never, never, never>['representation'] {
  if (REPRESENTATION.test(headerOf(request, 'prefer') ?? '')) return 'preferred';
  return ctx.caller.settings.alwaysReturnRepresentation ? 'always' : 'none';
}

function stored({ status, headers, body }: Answer): StoredAnswer {
  if (typeof body !== 'string') throw new Error('an answer in bytes cannot be stored');
  return { status, headers, body };
}

/** A claimed key, and whether its answer went into a transaction. */
class Claim {
  readonly #record: IdempotencyRecord;
  #recorded = false;

  constructor(record: IdempotencyRecord) {
    this.#record = record;
  }

  recorder<T>(render: (result: T) => Answer): AnswerRecorder<T> {
    return {
      claim: this.#record,
      render: (result) => {
        this.#recorded = true;
        return stored(render(result));
      },
    };
  }

  /** Frees the key unless the call had its effect; a key whose answer was stored meanwhile stays as it is. */
  async settle(core: Core, replied: Replied | undefined): Promise<void> {
    if (replied?.ok === true && this.#recorded) return;
    try {
      await core.idempotency.release(this.#record);
    } catch (error) {
      // the lease ends by itself; what the call has to say matters more
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
}

/** Makes the function that answers calls of an operation; schemas are compiled here, once. */
export function createRunner(operation: Operation, core: Core, validators: Validators): Runner {
  const checkQuery = operation.query === undefined ? undefined : validators.query(operation.query);
  const checkBody = operation.body === undefined ? undefined : validators.body(operation.body);

  async function perform(
    request: FastifyRequest,
    ctx: CallContext,
    content: unknown,
    claim: Claim | undefined,
  ): Promise<Replied> {
    // sound: the router makes one text of each parameter in the path
    const params = request.params as Params;
    for (const id of Object.values(params)) {
      // what is no id names nothing
      if (!OPAQUE_ID.test(id)) return fail(refusal(404, 'not-found', 'Nothing of this id is under this account'));
    }
    const located = await operation.locate({ ctx, params });
    if (!located.ok) return fail(refusalOf(located.error, operation.exceptions));

    const query = checkQuery?.(normaliseQuery(request.query));
    if (query?.ok === false) return fail(invalidFields(query.errors));
    const body = checkBody?.(content);
    if (body?.ok === false) return fail(invalidFields(body.errors));

    const answered = await operation.run({
      ctx,
      params,
      query: query?.value,
      body: body?.value,
      object: located.value,
      accept: headerOf(request, 'accept'),
      productCode: headerOf(request, 'x-product-code')?.trim() ?? '',
      representation: wantsRepresentation(request, ctx),
      async effect<T>(act: (recorder?: AnswerRecorder<T>) => Outcome<T>, render: (result: T) => Answer): Answered {
        const outcome = await act(claim?.recorder(render));
        return outcome.ok ? ok(render(outcome.value)) : outcome;
      },
    });
    if (answered.ok) return answered;
    const { error } = answered;
    if ('kind' in error) return fail(error);
    return fail(refusalOf(error, operation.exceptions, operation.about?.(located.value, body?.value)));
  }

  /** Claims the request's Idempotency-Key when there is one. */
  async function claimKey(
    request: FastifyRequest,
    { caller }: CallContext,
    content: unknown,
  ): Promise<Result<Claim | undefined, Refusal> | { readonly replay: StoredAnswer }> {
    const key = headerOf(request, 'idempotency-key');
    if (key === undefined) {
      return operation.createsOrder === true && caller.settings.requireIdempotencyKey
        ? fail(
            refusalOf(domainError('idempotency.keyMissing', 'This account sends an Idempotency-Key with every order')),
          )
        : ok(undefined);
    }
    if (!isIdempotencyKey(key)) {
      const detail = 'An Idempotency-Key has 1 to 255 visible ASCII characters';
      return fail(refusalOf(domainError('idempotency.keyInvalid', detail)));
    }
    const claimed = await core.idempotency.claim(
      claimScope(caller.accountId, request.method, pathOf(request), key),
      fingerprint(content, headerOf(request, 'x-product-code')?.trim() ?? ''),
    );
    if (!claimed.ok) return fail(refusalOf(claimed.error));
    return claimed.value.kind === 'replay' ? { replay: claimed.value.answer } : ok(new Claim(claimed.value.claim));
  }

  return async (request, ctx) => {
    if (operation.method === 'GET') return perform(request, ctx, undefined, undefined);
    const content = normalise(request.body ?? {}, operation.normalise);
    if (!content.ok) return fail(invalidFields(content.errors));
    const claim = await claimKey(request, ctx, content.value);
    if ('replay' in claim) {
      const { status, headers, body } = claim.replay;
      return ok({ status, headers: { ...headers, 'idempotency-replayed': 'true' }, body });
    }
    if (!claim.ok) return claim;
    let replied: Replied | undefined;
    try {
      replied = await perform(request, ctx, content.value, claim.value);
      return replied;
    } finally {
      await claim.value?.settle(core, replied);
    }
  };
}
