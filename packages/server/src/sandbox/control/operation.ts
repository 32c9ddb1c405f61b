/** What an operation of the control API is: method, path, schemas and what it does, as data. */
import type { Core, Instant, OperatorContext } from '@certwright/core';
import type { Result } from '@certwright/pki';
import type { Static, TSchema } from 'typebox';
import type { SandboxClock } from '../clock.ts';
import type { FaultList } from '../faults/list.ts';
import type { HostTable } from '../hosts.ts';
import type { SandboxDns } from '../internet/dns/server.ts';
import type { SandboxHttpHost } from '../internet/http/host.ts';
import type { SandboxMailServer } from '../internet/mail/server.ts';
import type { Refusal } from './problem.ts';

/** What the control API moves. */
export interface ControlDependencies {
  readonly core: Pick<Core, 'orders' | 'accounts'>;
  /** Undefined when the validator asks another DNS server. */
  readonly dns: SandboxDns | undefined;
  readonly http: SandboxHttpHost;
  readonly mail: SandboxMailServer;
  readonly hosts: HostTable;
  readonly clock: SandboxClock;
  readonly wallNow: () => number;
  /** Puts a move of the clock in the audit trail. */
  readonly recordClockMove: (operator: OperatorContext, from: Instant, to: Instant) => Promise<void>;
  readonly faults: FaultList;
  readonly setValidationMode: (mode: 'real' | 'accept') => void;
  readonly accountNumber: (accountId: number) => Promise<string | undefined>;
  /** Does the work that is due by the sandbox's clock; returns how many jobs that were. */
  readonly runDueWork: () => Promise<number>;
  /** Puts everything back as it was when the sandbox was ready. */
  readonly reset: () => Promise<void>;
}

interface Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly operator: OperatorContext;
}

interface OperationParts<P extends TSchema, Q extends TSchema, B extends TSchema, A extends TSchema> {
  readonly id: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly status?: 201;
  readonly answer: A;
  run(input: Input<Static<P>, Static<Q>, Static<B>>): Promise<Result<Static<A>, Refusal>> | Result<Static<A>, Refusal>;
}

/** An operation whose input has passed its schemas. */
export interface Operation extends Omit<OperationParts<TSchema, TSchema, TSchema, TSchema>, 'run'> {
  run(input: Input<unknown, unknown, unknown>): Promise<Result<unknown, Refusal>>;
}

/** Types an operation by its schemas. */
export function operation<P extends TSchema, Q extends TSchema, B extends TSchema, A extends TSchema>(
  parts: OperationParts<P, Q, B, A>,
): Operation {
  // sound because the plugin runs an operation only with what its own schemas have accepted
  return { ...parts, run: async (input) => parts.run(input as Input<Static<P>, Static<Q>, Static<B>>) };
}
