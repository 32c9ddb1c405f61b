/**
 * Pages over a total order by keyset: the cost of a page does not depend on how far into the list it lies, and the
 * last page costs what the first does.
 */
import { InvalidCursorError, type Page, type PageRequest } from '@certwright/core';
import type { SqlValue } from '../schema/columns.ts';
import type { Row } from './reader.ts';

type Key = readonly (number | string)[];

interface Cursor {
  readonly order: string;
  /** Rows after the key in the order of the list, or before it. */
  readonly side: 'after' | 'before';
  readonly key: Key;
}

const MAX_PAGE = 1_000;
/** Rows looked at in one go when some are passed over: few at first, then more, bounded for the event loop's sake. */
const FIRST_SCAN = 100;
const MAX_SCAN = 1_000;

/** What a list asks of the database for one slice. */
export interface Slice {
  /** Only rows beyond this key, in the direction of `descending`; undefined: from the very start. */
  readonly beyond: Key | undefined;
  readonly descending: boolean;
  readonly limit: number;
}

export interface Listing<T> {
  /** Names the order; a cursor of another order is refused. */
  readonly order: string;
  readonly keyLength: number;
  readonly descending: boolean;
  readonly fetch: (slice: Slice) => Promise<readonly Row[]>;
  readonly keyOf: (row: Row) => readonly SqlValue[];
  readonly decode: (row: Row) => T;
  /** Rows it says no to are passed over. */
  readonly accept?: (row: Row) => boolean;
}

const encodeCursor = ({ order, side, key }: Cursor): string =>
  Buffer.from(JSON.stringify([order, side === 'after' ? 1 : 0, ...key])).toString('base64url');

function cursorParts(text: string): readonly unknown[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw new InvalidCursorError();
  }
  if (!Array.isArray(parts)) throw new InvalidCursorError();
  return parts;
}

function decodeCursor(text: string, order: string, keyLength: number): Cursor {
  const [name, side, ...key] = cursorParts(text);
  const isKey = (value: unknown): value is number | string => Number.isSafeInteger(value) || typeof value === 'string';
  if (name !== order || (side !== 0 && side !== 1) || key.length !== keyLength || !key.every(isKey)) {
    throw new InvalidCursorError();
  }
  return { order, side: side === 1 ? 'after' : 'before', key };
}

/** The order that a cursor belongs to; for lists that choose among several. @throws InvalidCursorError */
export function cursorOrder(text: string): string {
  const [order] = cursorParts(text);
  if (typeof order !== 'string') throw new InvalidCursorError();
  return order;
}

/**
 * One page of the list.
 * @throws InvalidCursorError for a cursor that no page of this list has given out.
 */
export async function page<T>(listing: Listing<T>, request: PageRequest): Promise<Page<T>> {
  const limit = Math.max(1, Math.min(request.limit, MAX_PAGE));
  const { order, keyLength, accept } = listing;
  const cursor = request.cursor === undefined ? undefined : decodeCursor(request.cursor, order, keyLength);
  const forward = cursor === undefined ? request.from !== 'end' : cursor.side === 'after';
  const descending = listing.descending === forward;

  const found: Row[] = [];
  let beyond = cursor?.key;
  // one row more than the page tells whether there is another page
  let sliceLimit = accept === undefined ? limit + 1 : Math.max(limit + 1, FIRST_SCAN);
  for (;;) {
    const rows = await listing.fetch({ beyond, descending, limit: sliceLimit });
    for (const row of rows) if (accept?.(row) !== false) found.push(row);
    const last = rows.at(-1);
    if (found.length > limit || rows.length < sliceLimit || last === undefined) break;
    beyond = toKey(listing.keyOf(last));
    sliceLimit = Math.max(sliceLimit, Math.min(sliceLimit * 4, MAX_SCAN));
    await new Promise(setImmediate);
  }

  const hasMore = found.length > limit;
  const rows = found.slice(0, limit);
  if (!forward) rows.reverse();
  const [first, last] = [rows[0], rows.at(-1)];
  const at = (side: Cursor['side'], row: Row | undefined): string | null =>
    row === undefined ? null : encodeCursor({ order, side, key: toKey(listing.keyOf(row)) });
  const hasNext = forward ? hasMore : cursor !== undefined;
  const hasPrevious = forward ? cursor !== undefined : hasMore;
  return {
    rows: rows.map(listing.decode),
    next: hasNext ? at('after', last) : null,
    previous: hasPrevious ? at('before', first) : null,
  };
}

function toKey(cells: readonly SqlValue[]): Key {
  return cells.map((cell) => {
    if (typeof cell === 'number' || typeof cell === 'string') return cell;
    throw new TypeError('a key consists of numbers and text');
  });
}
