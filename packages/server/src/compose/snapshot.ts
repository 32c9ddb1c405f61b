/** The state of an embedded database at one moment, to be put back while the platform runs. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CertwrightStore } from '@certwright/store';

const FILE = 'snapshot.db';

/** Copies the database into the data directory; a copy of an earlier run is replaced. Rejects on PostgreSQL. */
export async function takeSnapshot(
  store: Pick<CertwrightStore, 'backupTo' | 'restoreFrom'>,
  directory: string,
): Promise<{ restore(): Promise<void> }> {
  const { backupTo, restoreFrom } = store;
  if (backupTo === undefined || restoreFrom === undefined) {
    throw new Error('a snapshot needs the embedded database; PostgreSQL has its own means');
  }
  const file = join(directory, FILE);
  rmSync(file, { force: true });
  await backupTo(file);
  return { restore: () => restoreFrom(file) };
}
