interface Flight<T> {
  readonly label: string;
  readonly promise: Promise<T>;
}

/** At most one task a key at a time. Callers with the label of the running task share its result; others wait their turn. */
export class SingleFlight<T> {
  readonly #flights = new Map<string | number, Flight<T>>();

  async run(key: string | number, label: string, task: () => Promise<T>): Promise<T> {
    for (;;) {
      const current = this.#flights.get(key);
      if (current === undefined) break;
      if (current.label === label) return current.promise;
      await current.promise.catch(() => undefined);
    }
    const promise = task().finally(() => this.#flights.delete(key));
    this.#flights.set(key, { label, promise });
    return promise;
  }
}
