import type { Invalidation } from '@certwright/core';
import type { Reader, Row } from './read/reader.ts';
import type { SqlValue } from './schema/columns.ts';
import type { InvalidationHub } from './write/invalidations.ts';
import type { Unit, UnitResult } from './write/unit.ts';

/** One consistent view of the database, for long reads. */
export interface Snapshot {
  /** Parameter number `at`, from 0, in the text of a query. */
  placeholder(at: number): string;
  /** SQL that gives octets as hex text: in great numbers far cheaper to hand over than octets. */
  hex(expression: string): string;
  rows(sql: string, parameters: readonly SqlValue[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** What a database does for the store; all else is the same for both. */
export interface Backend {
  readonly kind: 'sqlite' | 'postgres';
  readonly reader: Reader;
  /** Caches of this process; the back end itself tells it of changes by other processes. */
  readonly invalidations: InvalidationHub;
  /**
   * Commits the unit; `invalidate` is told to the other processes in the same transaction.
   * @throws StoreUnavailableError
   */
  submit(unit: Unit, invalidate: readonly Invalidation[]): Promise<UnitResult>;
  openSnapshot(): Promise<Snapshot>;
  /** Consistent copy of the database into a new file while it is used; absent where the database has its own tools. */
  readonly backupTo?: (file: string) => Promise<void>;
  /** Puts the state back to such a copy while the database is used; caches are told. */
  readonly restoreFrom?: (file: string) => Promise<void>;
  close(): Promise<void>;
}
