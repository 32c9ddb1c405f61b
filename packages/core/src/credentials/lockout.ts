import type { Instant } from '../ports/world.ts';
import { BoundedMap } from '../support.ts';

const WINDOW_MS = 10 * 60_000;
const MAX_FAILURES = 10;

/**
 * Counts authentication failures per account and source: ten within ten minutes close the door for the rest of the
 * window (contract platform section 5.5). In memory, per process.
 */
export class Lockout {
  readonly #failures = new BoundedMap<string, { count: number; since: Instant }>(50_000);

  /** Milliseconds until the next try is taken; 0 when it is taken now. */
  closedFor(key: string, now: Instant): number {
    const entry = this.#failures.get(key);
    if (entry === undefined) return 0;
    const left = entry.since + WINDOW_MS - now;
    if (left <= 0 || left > WINDOW_MS) {
      this.#failures.delete(key);
      return 0;
    }
    return entry.count >= MAX_FAILURES ? left : 0;
  }

  /** Records a failure: the first of a window, one of those that follow, or the one that closes the door. */
  fail(key: string, now: Instant): 'first' | 'repeated' | 'closing' {
    const entry = this.#failures.get(key) ?? { count: 0, since: now };
    entry.count++;
    this.#failures.set(key, entry);
    return entry.count === MAX_FAILURES ? 'closing' : entry.count === 1 ? 'first' : 'repeated';
  }

  succeed(key: string): void {
    this.#failures.delete(key);
  }
}
