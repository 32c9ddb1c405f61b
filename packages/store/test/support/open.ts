import { type CertwrightStore, openPostgresStore, openSqliteStore } from '@certwright/store';

/** Opens the store at a harness's location. */
export const openAt = (kind: string, location: string): Promise<CertwrightStore> =>
  kind === 'sqlite' ? openSqliteStore({ directory: location }) : openPostgresStore({ url: location });
