import { StoreUnavailableError } from '@certwright/core';
import pg from 'pg';
import type { Snapshot } from '../backend.ts';
import type { Row } from '../read/reader.ts';
import { arrayQuery, cells, connectionConfig, type Parameter, placeholder } from './connection.ts';
import { classifyPostgresError } from './errors.ts';

const IDLE_MS = 60_000;

/** The error for the caller: the store's own when the server cannot be used, else the error as it is. */
export function toStoreError(cause: unknown, unknown: boolean): Error {
  const failure = classifyPostgresError(cause);
  if (failure.kind === 'unavailable' || failure.kind === 'retry') {
    const message = failure.kind === 'retry' ? 'transactions block each other' : failure.message;
    return new StoreUnavailableError(`The store cannot be used: ${message}`, { unknown, cause });
  }
  return cause instanceof Error ? cause : new Error('unknown error of the database');
}

const isConnectionLost = (error: unknown): boolean => {
  const failure = classifyPostgresError(error);
  return failure.kind === 'unavailable' && failure.isConnectionLost;
};

/** Connections for everything but the merged write sets. */
export class PostgresPool {
  readonly #pool: pg.Pool;

  constructor(url: string, max: number) {
    this.#pool = new pg.Pool({ ...connectionConfig(url), max, idleTimeoutMillis: IDLE_MS });
    // an idle connection that breaks is dropped by the pool; who needs one gets a new one
    this.#pool.on('error', () => undefined);
  }

  /** Runs a statement that may be repeated: a read. A connection lost on the way is replaced once. */
  async read(text: string, values: readonly Parameter[], isHot: boolean): Promise<readonly Row[]> {
    const query = arrayQuery(text, values, isHot);
    try {
      return cells((await this.#pool.query(query)).rows);
    } catch (error) {
      if (!isConnectionLost(error)) throw toStoreError(error, false);
    }
    try {
      return cells((await this.#pool.query(query)).rows);
    } catch (error) {
      throw toStoreError(error, false);
    }
  }

  /** Runs a single statement that writes, as a transaction of its own. Rejects with the error of pg. */
  async write(text: string, values: readonly Parameter[]): Promise<readonly Row[]> {
    return cells((await this.#pool.query(arrayQuery(text, values, true))).rows);
  }

  /** A connection of the pool in a repeatable-read transaction. */
  async snapshot(): Promise<Snapshot> {
    try {
      const client = await this.#pool.connect();
      await client.query('begin transaction isolation level repeatable read read only');
      return {
        placeholder,
        hex: (expression) => `encode(${expression}, 'hex')`,
        rows: async (text, values) => {
          try {
            return cells((await client.query(arrayQuery(text, values, true))).rows);
          } catch (error) {
            throw toStoreError(error, false);
          }
        },
        close: async () => {
          const failed = await client.query('commit').then(
            () => false,
            () => true,
          );
          client.release(failed);
        },
      };
    } catch (error) {
      throw toStoreError(error, false);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
