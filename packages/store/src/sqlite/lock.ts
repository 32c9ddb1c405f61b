import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError } from '@certwright/core';

/**
 * Takes the lock of a data directory until it is released or the process ends, however it ends: the operating system
 * drops it with the process.
 * @throws StoreUnavailableError when another process holds it.
 */
export function lockDirectory(path: string): { release(): void } {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // an exclusive transaction holds a lock of the operating system on the file and writes nothing
    db.exec('begin exclusive');
  } catch (cause) {
    db.close();
    throw new StoreUnavailableError(
      'Another certwright process uses this data directory; several processes need PostgreSQL',
      { unknown: false, cause },
    );
  }
  return { release: () => db.close() };
}
