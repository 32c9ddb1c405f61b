import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SqlValue } from '../schema/columns.ts';

const MAX_STATEMENTS = 500;
const BUSY_TIMEOUT_MS = 5_000;

export interface SqliteOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** Page cache of the connection. */
  readonly cacheKiB: number;
  /** Upper limit of the file's size in pages of 4 KiB; for tests of a full disk. */
  readonly maxPages?: number;
}

type Cell = Uint8Array | string | number | null;

/** One connection with its prepared statements; rows come as arrays of cells. */
export class SqliteConnection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor({ path, readOnly, cacheKiB, maxPages }: SqliteOptions) {
    this.#db = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS });
    if (!readOnly) {
      this.#db.exec('pragma journal_mode = wal');
      // FULL: a commit that was acknowledged survives a power cut
      this.#db.exec('pragma synchronous = full');
      // fewer, larger checkpoints: each costs two more flushes, and writes a page once however often it was changed
      this.#db.exec('pragma wal_autocheckpoint = 16000');
      this.#db.exec('pragma journal_size_limit = 67108864');
      if (maxPages !== undefined) this.#db.exec(`pragma max_page_count = ${maxPages}`);
    }
    this.#db.exec(`pragma cache_size = -${cacheKiB}`);
    this.#db.exec('pragma temp_store = memory');
  }

  get isTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** The connection itself, for what has no SQL (backup). */
  get handle(): DatabaseSync {
    return this.#db;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= MAX_STATEMENTS) {
        // forgets the oldest; the hot ones are prepared again at once
        const [oldest] = this.#statements.keys();
        if (oldest !== undefined) this.#statements.delete(oldest);
      }
      statement = this.#db.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  all(sql: string, parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[] {
    // setReturnArrays makes rows arrays, which the types of node:sqlite do not know
    const rows: unknown = this.#prepare(sql).all(...parameters);
    return rows as readonly (readonly Cell[])[];
  }

  /** Runs a statement and returns how many rows it changed. */
  run(sql: string, parameters: readonly SqlValue[]): number {
    return Number(this.#prepare(sql).run(...parameters).changes);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}
