/** Kept counts: rows by account and value of the counted column, so that nothing is counted when it is asked for. */
import type { TableDefinition } from '../schema/columns.ts';

/** Account under which the sum over all accounts is kept. */
export const ALL_ACCOUNTS = 0;

/** Name of a count, e.g. `certificate.valid`, `domain`. */
export const counterName = (table: Pick<TableDefinition, 'label'>, value: string): string =>
  value === '' ? table.label : `${table.label}.${value}`;

export interface CounterDelta {
  readonly accountId: number;
  readonly name: string;
  readonly delta: number;
}

/** Adds up the changes of one batch. */
export class CounterDeltas {
  readonly #deltas = new Map<string, { accountId: number; name: string; delta: number }>();

  add(accountId: number, name: string, delta: number): void {
    this.#addOne(accountId, name, delta);
    this.#addOne(ALL_ACCOUNTS, name, delta);
  }

  #addOne(accountId: number, name: string, delta: number): void {
    const key = `${accountId} ${name}`;
    const entry = this.#deltas.get(key);
    if (entry === undefined) this.#deltas.set(key, { accountId, name, delta });
    else entry.delta += delta;
  }

  /** What has changed, in a fixed order, so that two writers never wait for each other crosswise. */
  changed(): readonly CounterDelta[] {
    return [...this.#deltas.entries()]
      .filter(([, { delta }]) => delta !== 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, entry]) => entry);
  }
}
