import type { Config } from '@certwright/server';
import type { CertwrightStore } from '@certwright/store';

/** Opens the configured database beside servers that may run on it. */
export async function openBesideServer({ data, databaseUrl }: Config): Promise<CertwrightStore> {
  const { openPostgresStore, openSqliteStore } = await import('@certwright/store');
  return databaseUrl === null
    ? openSqliteStore({ directory: data, readOnly: true })
    : openPostgresStore({ url: databaseUrl, writers: 1, readers: 1 });
}
