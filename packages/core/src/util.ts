export type NonEmpty<T> = readonly [T, ...T[]];

/** Compile-time proof that a switch covers its union; reached at run time only by a bug. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
