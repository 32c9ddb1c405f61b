import type { Config } from '@certwright/server';
import type { CertwrightStore } from '@certwright/store';

/** Opens the configured database beside a server that may run; nothing can be written. */
export async function openForReading({ data, databaseUrl }: Config): Promise<CertwrightStore> {
  const { openSqliteStore } = await import('@certwright/store');
  return openSqliteStore({ directory: data, readOnly: true });
}
