/** Bounds how much outside work runs at once; what does not fit in the queue is refused, never piled up. */
export interface ConcurrencyLimiter {
  /** Runs the task now or in turn; undefined when as many tasks wait as may wait. */
  run<T>(task: () => Promise<T>): Promise<T> | undefined;
}

/** Makes a limiter for at most `maxRunning` tasks at once and `maxWaiting` behind them, first come, first served. */
export function createConcurrencyLimiter(maxRunning: number, maxWaiting: number): ConcurrencyLimiter {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function runNow<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      // The place is handed over, so `running` only falls when nobody waits.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  return {
    run<T>(task: () => Promise<T>): Promise<T> | undefined {
      if (running < maxRunning) {
        running += 1;
        return runNow(task);
      }
      if (waiting.length >= maxWaiting) return undefined;
      return new Promise<void>((start) => waiting.push(start)).then(() => runNow(task));
    },
  };
}
