/** The sandbox's domain time: runs like the wall clock, at a distance from it that can be changed. */
import type { Clock, Instant } from '@certwright/core';
import { fail, ok, type Result } from '@certwright/pki';
import { addDuration } from './duration.ts';

/** What certificates can say and what arithmetic on dates stands: 2000 to 2199. */
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

export interface ClockRefusal {
  readonly field: 'advance' | 'set';
  readonly message: string;
}

export interface SandboxClock extends Clock {
  /** Milliseconds by which domain time is ahead of real time. */
  readonly offsetMs: number;
  /** Moves time by an ISO 8601 duration, backwards with a minus sign; returns the new time. */
  advance(duration: string): Result<Instant, ClockRefusal>;
  /** Sets the time; it runs on from there. */
  set(instant: Instant): Result<Instant, ClockRefusal>;
  /** Back to real time. */
  reset(): void;
}

/** Makes a clock that shows the time of `wall` until it is moved. */
export function createSandboxClock(wall: Clock): SandboxClock {
  let offsetMs = 0;

  function moveTo(field: ClockRefusal['field'], instant: Instant, real: Instant): Result<Instant, ClockRefusal> {
    if (!(instant >= EARLIEST && instant < LATEST)) {
      return fail({ field, message: 'would leave the years 2000 to 2199' });
    }
    offsetMs = instant - real;
    return ok(instant);
  }

  return {
    now: () => wall.now() + offsetMs,
    get offsetMs() {
      return offsetMs;
    },
    advance(duration) {
      const real = wall.now();
      const moved = addDuration(real + offsetMs, duration);
      if (moved === undefined) {
        return fail({ field: 'advance', message: 'must be an ISO 8601 duration such as P60D or PT30M' });
      }
      return moveTo('advance', moved, real);
    },
    set: (instant) => moveTo('set', instant, wall.now()),
    reset() {
      offsetMs = 0;
    },
  };
}
