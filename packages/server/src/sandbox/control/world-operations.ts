import { fail, ok, type Result } from '@certwright/pki';
import Type, { type Static } from 'typebox';
import type { Fault, FaultDraft, FaultEffect } from '../faults/list.ts';
import { type ControlDependencies, type Operation, operation } from './operation.ts';
import { type Refusal, wrongInput } from './problem.ts';
import * as wire from './schemas.ts';

/** Clock, faults, validation mode, reset. */
export function worldOperations(deps: ControlDependencies): readonly Operation[] {
  const { clock, wallNow, faults } = deps;
  const showClock = () => ({
    now: new Date(clock.now()).toISOString(),
    realTime: new Date(wallNow()).toISOString(),
    offsetSeconds: clock.offsetMs / 1_000,
  });
  return [
    operation({
      id: 'setValidationMode',
      method: 'PUT',
      path: '/validation',
      summary: 'Switches between real validation and accepting every challenge.',
      tag: 'Sandbox',
      body: wire.Validation,
      answer: wire.Validation,
      run({ body: { mode } }) {
        deps.setValidationMode(mode);
        return ok({ mode });
      },
    }),
    operation({
      id: 'getClock',
      method: 'GET',
      path: '/clock',
      summary: 'Shows the sandbox’s time.',
      tag: 'Sandbox',
      answer: wire.Clock,
      run: () => ok(showClock()),
    }),
    operation({
      id: 'moveClock',
      method: 'POST',
      path: '/clock',
      summary: 'Advances or sets the sandbox’s time and does the work that became due.',
      tag: 'Sandbox',
      body: wire.ClockMove,
      answer: wire.ClockMoved,
      async run({ body: { advance, set }, operator }) {
        if ((advance === undefined) === (set === undefined)) {
          return fail(wrongInput('advance', 'or set must be given, and not both'));
        }
        const from = clock.now();
        const moved = advance === undefined ? clock.set(Date.parse(set ?? '')) : clock.advance(advance);
        if (!moved.ok) return fail(wrongInput(moved.error.field, moved.error.message));
        await deps.recordClockMove(operator, from, moved.value);
        const jobsRun = await deps.runDueWork();
        return ok({ ...showClock(), jobsRun });
      },
    }),
    operation({
      id: 'addFault',
      method: 'POST',
      path: '/faults',
      summary: 'Disturbs the next requests that fit.',
      tag: 'Faults',
      body: wire.FaultRequest,
      status: 201,
      answer: Type.Ref('Fault'),
      run({ body }) {
        const effect = effectOf(body);
        if (!effect.ok) return effect;
        const { face, operation: named, times = 1 } = body;
        const draft: FaultDraft = {
          face,
          times,
          effect: effect.value,
          ...(named === undefined ? {} : { operation: named }),
        };
        const added = faults.add(draft);
        return added.ok ? ok(showFault(added.value)) : fail(wrongInput(added.error.field, added.error.message));
      },
    }),
    operation({
      id: 'listFaults',
      method: 'GET',
      path: '/faults',
      summary: 'Lists the faults that still wait for requests.',
      tag: 'Faults',
      answer: wire.Faults,
      run: () => ok({ faults: faults.list().map(showFault) }),
    }),
    operation({
      id: 'clearFaults',
      method: 'DELETE',
      path: '/faults',
      summary: 'Removes all faults.',
      tag: 'Faults',
      answer: wire.ClearedFaults,
      run() {
        const cleared = faults.list().length;
        faults.clear();
        return ok({ cleared });
      },
    }),
    operation({
      id: 'resetSandbox',
      method: 'POST',
      path: '/reset',
      summary: 'Puts everything back as it was when the sandbox was ready; access tokens and connections stay valid.',
      tag: 'Sandbox',
      answer: wire.Reset,
      async run() {
        await deps.reset();
        return ok({ reset: true as const, now: new Date(clock.now()).toISOString() });
      },
    }),
  ];
}

function effectOf(body: Static<typeof wire.FaultRequest>): Result<FaultEffect, Refusal> {
  const { status, code, detail, retryAfterSeconds, delayMs, drop, when = 'before' } = body;
  const isStatus = status !== undefined || code !== undefined;
  const chosen = [isStatus, delayMs !== undefined, drop !== undefined].filter(Boolean).length;
  if (chosen !== 1) return fail(wrongInput('status', 'or code, delayMs or drop must be given, exactly one of them'));
  if (!isStatus && (detail !== undefined || retryAfterSeconds !== undefined)) {
    return fail(wrongInput(detail === undefined ? 'retryAfterSeconds' : 'detail', 'goes only with status'));
  }
  if (drop !== undefined) {
    if (body.when !== undefined && body.when !== drop) return fail(wrongInput('when', 'contradicts drop'));
    return ok({ kind: 'drop', moment: drop });
  }
  if (delayMs !== undefined) return ok({ kind: 'delay', moment: when, delayMs });
  return ok({
    kind: 'status',
    moment: when,
    status: status ?? 422,
    ...(code === undefined ? {} : { code }),
    ...(detail === undefined ? {} : { detail }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function showFault({ id, face, operation: named, times, remaining, effect }: Fault): Static<typeof wire.Fault> {
  const { kind, moment, ...members } = effect;
  return {
    id,
    face,
    ...(named === undefined ? {} : { operation: named }),
    times,
    remaining,
    when: moment,
    ...(kind === 'drop' ? { drop: moment } : members),
  };
}
