import pg from 'pg';
import { constraintName } from '../write/constraints.ts';

export type PostgresFailure =
  | { readonly kind: 'duplicate'; readonly constraint: string }
  /** The same transaction may succeed when it is run again. */
  | { readonly kind: 'retry' }
  /** `isConnectionLost`: nothing is known of what was sent last. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly isConnectionLost: boolean }
  | { readonly kind: 'bug'; readonly message: string };

/** Conditions of the server (PostgreSQL appendix A) under which it cannot be used now. */
const UNAVAILABLE: ReadonlyMap<string, string> = new Map([
  ['53000', 'the database server has too few resources'],
  ['53100', 'the disk of the database server is full'],
  ['53200', 'the database server is out of memory'],
  ['53300', 'the database server has no connection to spare'],
  ['53400', 'the database server has reached a limit'],
  ['55P03', 'another transaction holds the rows for too long'],
  ['57014', 'the database server took too long'],
  ['58030', 'the database server reports an input/output error'],
  ['25006', 'the database server is read-only'],
  ['28P01', 'the database server refuses the password'],
  ['28000', 'the database server refuses the user'],
  ['3D000', 'the database does not exist'],
]);

/** What an error of pg means for the caller. */
export function classifyPostgresError(error: unknown): PostgresFailure {
  const message = error instanceof Error ? error.message : 'unknown error';
  if (error instanceof TypeError || error instanceof RangeError) return { kind: 'bug', message };
  // what is not the server's own report is a failed connection; its codes (EPIPE) can look like an SQLSTATE
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) {
    return { kind: 'unavailable', message: 'the database server cannot be reached', isConnectionLost: true };
  }
  const { code } = error;
  if (code === '23505') {
    return { kind: 'duplicate', constraint: constraintName(error.constraint ?? '') };
  }
  if (code === '40001' || code === '40P01') return { kind: 'retry' };
  if (code.startsWith('08') || code.startsWith('57P')) {
    return { kind: 'unavailable', message: 'the database server closed the connection', isConnectionLost: true };
  }
  const reason = UNAVAILABLE.get(code);
  if (reason !== undefined) return { kind: 'unavailable', message: reason, isConnectionLost: false };
  return { kind: 'bug', message: `${code}: ${message}` };
}
