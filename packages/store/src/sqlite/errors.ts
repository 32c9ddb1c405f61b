import { constraintName } from '../write/constraints.ts';

/** Primary result codes (sqlite.org/rescode.html) that say that the database cannot be used now. */
const UNAVAILABLE: ReadonlyMap<number, string> = new Map([
  [5, 'the database is locked by another process'],
  [6, 'the database is locked'],
  [7, 'out of memory'],
  [8, 'the database is read-only'],
  [10, 'the disk reports an input/output error'],
  [11, 'the database file is damaged'],
  [13, 'the disk is full'],
  [14, 'the database file cannot be opened'],
  [26, 'the database file is damaged'],
]);

const CONSTRAINT_PRIMARYKEY = 1555;
const CONSTRAINT_UNIQUE = 2067;

export type SqliteFailure =
  | { readonly kind: 'duplicate'; readonly constraint: string }
  | { readonly kind: 'unavailable'; readonly message: string; readonly isDiskFull: boolean }
  | { readonly kind: 'bug'; readonly message: string };

/** What an error of node:sqlite means for the caller. */
export function classifySqliteError(error: unknown): SqliteFailure {
  const message = error instanceof Error ? error.message : 'unknown error';
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
  if (code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARYKEY) {
    const [, name = ''] = /failed: (?:index ')?([^']*)/.exec(message) ?? [];
    return { kind: 'duplicate', constraint: constraintName(name) };
  }
  const primary = code & 0xff;
  const reason = UNAVAILABLE.get(primary);
  if (reason !== undefined) return { kind: 'unavailable', message: reason, isDiskFull: primary === 13 };
  return { kind: 'bug', message };
}
