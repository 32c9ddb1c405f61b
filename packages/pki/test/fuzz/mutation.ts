/** Seeded mutation of byte strings: the same seed gives the same inputs. */

/** Numbers from 0 to 2^32-1 (mulberry32); good enough to choose mutations, for nothing else. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Octets that mean something at the borders of DER: lengths, tags, signs. */
const TELLING = [0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x1f, 0x24, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xff];
const MAX_BYTES = 80_000;

type Mutation = (bytes: Buffer, next: () => number, other: Buffer) => Buffer;

const at = (bytes: Buffer, next: () => number): number => next() % Math.max(1, bytes.length);

const MUTATIONS: readonly Mutation[] = [
  (bytes, next) => {
    const place = at(bytes, next);
    bytes[place] = (bytes[place] ?? 0) ^ (1 << (next() % 8));
    return bytes;
  },
  (bytes, next) => {
    bytes[at(bytes, next)] = TELLING[next() % TELLING.length] ?? 0;
    return bytes;
  },
  (bytes, next) => {
    const place = at(bytes, next);
    bytes[place] = (bytes[place] ?? 0) + (next() % 2 === 0 ? 1 : 255);
    return bytes;
  },
  (bytes, next) => bytes.subarray(0, at(bytes, next)),
  (bytes, next) => {
    const place = at(bytes, next);
    return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1 + (next() % 8))]);
  },
  (bytes, next) => {
    const place = at(bytes, next);
    const inserted = Buffer.from(Array.from({ length: 1 + (next() % 8) }, () => next() & 0xff));
    return Buffer.concat([bytes.subarray(0, place), inserted, bytes.subarray(place)]);
  },
  (bytes, next) => {
    const place = at(bytes, next);
    const slice = bytes.subarray(place, place + (next() % 64));
    const copies = Array.from({ length: 1 + (next() % 64) }, () => slice);
    return Buffer.concat([bytes.subarray(0, place), ...copies, bytes.subarray(place)]);
  },
  (bytes, next, other) => Buffer.concat([bytes.subarray(0, at(bytes, next)), other.subarray(at(other, next))]),
];

/** One to eight random changes to a member of the corpus. */
export function mutate(corpus: readonly Buffer[], next: () => number): Buffer {
  const pick = (): Buffer => corpus[next() % corpus.length] ?? Buffer.alloc(0);
  let bytes: Buffer = Buffer.from(pick());
  for (let count = 1 + (next() % 8); count > 0; count--) {
    const change = MUTATIONS[next() % MUTATIONS.length];
    if (change !== undefined) bytes = Buffer.from(change(bytes, next, pick()).subarray(0, MAX_BYTES));
  }
  return bytes;
}
