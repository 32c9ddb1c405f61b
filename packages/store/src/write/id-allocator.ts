/** Ids in blocks from a row of the database (hi/lo): unique across processes, rising within one. */

const BLOCK = 1_000;
/** The next block is fetched when this many ids are left. */
const LOW_WATER = 500;

export class IdAllocator {
  readonly #allocate: (count: number) => Promise<number>;
  #next = 0;
  #end = 0;
  #reserve: { readonly start: number; readonly end: number } | undefined;
  #fetching: Promise<void> | undefined;

  /** `allocate` takes that many ids from the database and returns the last. */
  constructor(allocate: (count: number) => Promise<number>) {
    this.#allocate = allocate;
  }

  /** A number while the block lasts, else a promise of one. */
  next(): number | Promise<number> {
    if (this.#next >= this.#end && this.#reserve !== undefined) {
      ({ start: this.#next, end: this.#end } = this.#reserve);
      this.#reserve = undefined;
    }
    if (this.#next < this.#end) {
      const id = this.#next++;
      // fetched ahead; a failure shows when the ids have run out and is tried again then
      if (this.#end - this.#next <= LOW_WATER && this.#reserve === undefined) this.#fetch().catch(() => undefined);
      return id;
    }
    return this.#fetch().then(() => this.next());
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#allocate(BLOCK)
      .then((last) => {
        this.#reserve = { start: last - BLOCK + 1, end: last + 1 };
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }
}
