/** What must be undone at the end, in the reverse order of its making. */
export interface Cleanup {
  add(undo: () => Promise<unknown> | unknown): void;
  /** Undoes everything, once; a step that fails does not keep the others from running. Rejects with the first failure. */
  run(): Promise<void>;
}

export function createCleanup(): Cleanup {
  const steps: (() => Promise<unknown> | unknown)[] = [];
  let running: Promise<void> | undefined;

  async function undoAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  return {
    add: (undo) => steps.push(undo),
    run() {
      running ??= undoAll();
      return running;
    },
  };
}
