/** Messages between the server's thread and the thread that writes. */
import type { Unavailable, Unit, UnitResult } from '../write/unit.ts';

export interface WorkerSettings {
  readonly path: string;
  readonly maxPages: number | null;
}

/** A batch; `null` asks the worker to close the database and end. */
export type WorkerRequest = { readonly units: readonly Unit[] } | null;

export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'results'; readonly results: readonly UnitResult[] }
  | { readonly kind: 'unavailable'; readonly reason: Unavailable };
