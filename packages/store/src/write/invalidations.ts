import type { Invalidation } from '@certwright/core';

type Change = Invalidation | { readonly kind: 'everything' };
type Listener = (change: Change) => void;

/** Tells this process's caches what was changed. */
export class InvalidationHub {
  readonly #listeners = new Set<Listener>();

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(changes: readonly Change[]): void {
    for (const change of changes) for (const listener of this.#listeners) listener(change);
  }
}
