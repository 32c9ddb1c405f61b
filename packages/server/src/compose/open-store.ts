import { type CertwrightStore, openPostgresStore, openSqliteStore } from '@certwright/store';
import type { Config } from '../config/index.ts';

/** Opens the configured database, brings its schema up to date, and for SQLite locks the directory. */
export function openConfiguredStore(config: Pick<Config, 'data' | 'databaseUrl'>): Promise<CertwrightStore> {
  return config.databaseUrl === null
    ? openSqliteStore({ directory: config.data })
    : openPostgresStore({ url: config.databaseUrl });
}
