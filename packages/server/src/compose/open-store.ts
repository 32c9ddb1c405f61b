import { type CertwrightStore, openSqliteStore } from '@certwright/store';
import type { Config } from '../config/index.ts';

/** Opens the configured database, brings its schema up to date, and for SQLite locks the directory. */
export async function openConfiguredStore(config: Pick<Config, 'data' | 'databaseUrl'>): Promise<CertwrightStore> {
  if (config.databaseUrl !== null) throw new Error('PostgreSQL is not supported by this build');
  return openSqliteStore({ directory: config.data });
}
