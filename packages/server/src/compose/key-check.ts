import type { SecretBox, Store } from '@certwright/core';

const NAME = 'platform.keyCheck';
const CONTEXT = 'platform-key-check';
const TEXT = 'certwright';

/** The platform key does not belong to the database: nothing in it could be opened. */
export class WrongKeyError extends Error {
  constructor(source: string) {
    super(
      `the platform key from ${source} is not the one that this database was made with; give the right key, the same in every process`,
    );
    this.name = 'WrongKeyError';
  }
}

/**
 * Compares the platform key with the one that the database was made with; the first process to ask leaves the mark.
 * `source` says where the key came from. Throws {@link WrongKeyError}.
 */
export async function checkPlatformKey(store: Store, secrets: SecretBox, source: string): Promise<void> {
  const known = await store.settings.byName(NAME);
  if (known === undefined) {
    const value = Buffer.from(secrets.seal(Buffer.from(TEXT), CONTEXT)).toString('base64');
    const outcome = await store.write({
      writes: [{ op: 'insert', table: 'setting', row: { id: await store.nextId(), name: NAME, value, version: 1 } }],
      bookkeeping: 'mark of the platform key',
    });
    if (outcome.ok) return;
    // another process was first
    return checkPlatformKey(store, secrets, source);
  }
  const opened = secrets.open(Buffer.from(known.value, 'base64'), CONTEXT);
  if (opened === undefined || Buffer.from(opened).toString() !== TEXT) throw new WrongKeyError(source);
}
