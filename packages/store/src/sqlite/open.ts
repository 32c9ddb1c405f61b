import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { backup } from 'node:sqlite';
import { StoreUnavailableError } from '@certwright/core';
import type { Backend, Snapshot } from '../backend.ts';
import { SCHEMA, type Schema } from '../schema/migrations.ts';
import { type CertwrightStore, createStore } from '../store.ts';
import { InvalidationHub } from '../write/invalidations.ts';
import { SqliteConnection } from './database.ts';
import { classifySqliteError } from './errors.ts';
import { lockDirectory } from './lock.ts';
import { migrateSqlite, requireCurrentSchema } from './migrate.ts';
import { restoreFrom } from './restore.ts';
import { TurnReader } from './turn-reader.ts';
import { SqliteWriter } from './writer.ts';

export interface SqliteStoreOptions {
  /** Folder for `certwright.db` and `lock.db`; made when missing. */
  readonly directory: string;
  /** Opens beside a running server, for reading only; no lock is taken, writing is refused. */
  readonly readOnly?: boolean;
  /** Upper limit of the database in pages of 4 KiB, as a quota would set it. */
  readonly maxPages?: number;
  /** Another schema than the program's own, for tests of migrations. */
  readonly schema?: Schema;
}

const READER_CACHE_KIB = 16 * 1024;
const SNAPSHOT_CACHE_KIB = 4 * 1024;
/** Pages copied in one go by a backup; the event loop and writers run in between. */
const BACKUP_PAGES = 256;

const placeholder = (): string => '?';

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const failure = classifySqliteError(cause);
    if (failure.kind !== 'unavailable') throw cause;
    throw new StoreUnavailableError(`The store cannot be read: ${failure.message}`, { unknown: false, cause });
  }
}

const connectReader = (path: string, cacheKiB: number): SqliteConnection =>
  reading(() => new SqliteConnection({ path, readOnly: true, cacheKiB }));

async function openSnapshot(path: string): Promise<Snapshot> {
  const connection = connectReader(path, SNAPSHOT_CACHE_KIB);
  // the transaction begins with its first read
  connection.exec('begin');
  return {
    placeholder,
    hex: (expression) => `hex(${expression})`,
    rows: async (sql, parameters) => reading(() => connection.all(sql, parameters)),
    close: async () => connection.close(),
  };
}

async function openBackend(options: SqliteStoreOptions): Promise<Backend> {
  const { directory, readOnly = false, maxPages, schema = SCHEMA } = options;
  const path = join(directory, 'certwright.db');
  const invalidations = new InvalidationHub();
  if (readOnly && !existsSync(path)) {
    throw new StoreUnavailableError('There is no database in this data directory', { unknown: false });
  }
  if (!readOnly) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = readOnly ? undefined : lockDirectory(join(directory, 'lock.db'));
  let writer: SqliteWriter | undefined;
  try {
    if (!readOnly) {
      const migrator = new SqliteConnection({ path, readOnly: false, cacheKiB: SNAPSHOT_CACHE_KIB });
      try {
        migrateSqlite(migrator, schema);
      } finally {
        migrator.close();
      }
      writer = await SqliteWriter.start({ path, maxPages: maxPages ?? null });
    }
    const connection = connectReader(path, READER_CACHE_KIB);
    if (readOnly) requireCurrentSchema(connection, schema);
    const reads = new TurnReader(connection);
    writer?.onAnswer(() => reads.end());
    return {
      kind: 'sqlite',
      invalidations,
      reader: {
        dialect: 'sqlite',
        rows: async (sql, parameters) => reading(() => reads.all(sql, parameters)),
      },
      async submit(unit) {
        if (writer === undefined) throw new StoreUnavailableError('The store is open for reading', { unknown: false });
        return writer.submit(unit);
      },
      openSnapshot: () => openSnapshot(path),
      async backupTo(file) {
        if (existsSync(file)) throw new Error('the backup file exists already');
        const source = connectReader(path, SNAPSHOT_CACHE_KIB);
        try {
          // one read transaction: otherwise each commit of the server would start the copy anew
          source.exec('begin');
          source.all('select count(*) from "schema_version"', []);
          await backup(source.handle, file, { rate: BACKUP_PAGES });
        } finally {
          source.close();
        }
      },
      async restoreFrom(file) {
        if (readOnly) throw new StoreUnavailableError('The store is open for reading', { unknown: false });
        reads.end();
        reading(() => restoreFrom(path, file));
        invalidations.emit([{ kind: 'everything' }]);
      },
      async close() {
        await writer?.close();
        reads.end();
        connection.close();
        lock?.release();
      },
    };
  } catch (error) {
    await writer?.close();
    lock?.release();
    throw error;
  }
}

/**
 * Opens the embedded database, makes or migrates it, and starts the writing thread.
 * @throws StoreUnavailableError when another process uses the directory or the file cannot be used; SchemaError when
 * the database is newer than this program.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<CertwrightStore> {
  return createStore(await openBackend(options));
}
