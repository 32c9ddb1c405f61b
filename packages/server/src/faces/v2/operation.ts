/** An operation of API v2 as data: what it takes, which object it is about, what it does. */
import type { AnswerRecorder, CallContext, DomainError, Outcome } from '@certwright/core';
import { ok, type Result } from '@certwright/pki';
import Type, { type Static, type TSchema } from 'typebox';
import type { ErrorExceptions } from './error-table.ts';
import type { NormaliseOptions } from './normalise.ts';
import type { DiagnosticsContext } from './present/diagnostics.ts';
import type { Refusal } from './problem.ts';

/** What is sent: JSON text, or bytes of a certificate. An empty body has no content type. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export const JSON_TYPE = 'application/json;charset=UTF-8';

export function json(status: 200 | 201, document: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': JSON_TYPE, ...headers }, body: JSON.stringify(document) };
}

export const noContent = (): Answer => ({ status: 204, headers: {}, body: '' });

export type Answered<T = Answer> = Promise<Result<T, DomainError | Refusal>>;

/** A call that has passed authentication, syntax and idempotency checks. */
export interface Call<Q, B, O> {
  readonly ctx: CallContext;
  /** Path parameters by name, opaque ids all of them. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  /** What `locate` has found. */
  readonly object: O;
  readonly accept: string | undefined;
  /** Blank or absent: resolve from the body. */
  readonly productCode: string;
  /** Whether the caller wants the resource instead of 204: it said so, or its account always does. */
  readonly representation: 'preferred' | 'always' | 'none';
  /**
   * Runs a use case that changes something, so that its answer is stored under the caller's Idempotency-Key in the
   * transaction of the effect.
   */
  effect<T>(act: (recorder?: AnswerRecorder<T>) => Outcome<T>, render: (result: T) => Answer): Answered;
}

export interface LocateCall {
  readonly ctx: CallContext;
  readonly params: Readonly<Record<string, string>>;
}

interface OperationParts<Q extends TSchema, B extends TSchema, O> {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Below `/api/certinext/v2`, with `:name` parameters. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly normalise?: NormaliseOptions;
  /** Answers by status, for the OpenAPI document. */
  readonly answers: Readonly<Record<number, TSchema>>;
  /** Media types of an answer beside JSON, for the OpenAPI document. */
  readonly otherTypes?: Readonly<Record<string, { readonly schema: TSchema }>>;
  /** The account may insist on an Idempotency-Key here. */
  readonly createsOrder?: boolean;
  /** The operation chooses its own media type by the Accept header. */
  readonly negotiates?: boolean;
  readonly exceptions?: ErrorExceptions;
  /** Finds the object of the path before the fields are looked at (404 goes before 400). */
  readonly locate: (call: LocateCall) => Outcome<O>;
  /** What diagnostics of a refusal are about. */
  readonly about?: (object: O, body: Static<B>) => DiagnosticsContext;
  readonly run: (call: Call<Static<Q>, Static<B>, O>) => Answered;
}

/** An operation whose types are known to itself only. */
export interface Operation extends Omit<OperationParts<TSchema, TSchema, unknown>, 'locate' | 'about' | 'run'> {
  readonly locate: (call: LocateCall) => Outcome<unknown>;
  readonly about?: (object: unknown, body: unknown) => DiagnosticsContext;
  readonly run: (call: Call<unknown, unknown, unknown>) => Answered;
}

/**
 * Hides the types of an operation. Sound because the plugin calls `about` and `run` only with what `locate` has
 * returned and what the schemas have accepted.
 */
export function operation<Q extends TSchema, B extends TSchema, O>(parts: OperationParts<Q, B, O>): Operation {
  const { about, run, ...rest } = parts;
  return {
    ...rest,
    ...(about === undefined
      ? {}
      : { about: (object: unknown, body: unknown) => about(object as O, body as Static<B>) }),
    run: (call) => run(call as Call<Static<Q>, Static<B>, O>),
  };
}

/** For operations on the account itself. */
export const noObject = async (): Outcome<undefined> => ok(undefined);

/** Documents an answer without a body. */
export const NoContent = Type.Null({ description: 'Done, no body.' });

/** A member that is there or not at all. */
export function optional<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]: V });
}
