import { existsSync } from 'node:fs';
import type { SecretBox, Store } from '@certwright/core';
import {
  createSecretBox,
  keyFromEnvironment,
  keyFromFile,
  keyFromPassphrase,
  type PlatformKey,
  sealedUnder,
} from '../adapters/vault/index.ts';
import type { Config, KeySource } from '../config/index.ts';

const MARK = 'platform.keyCheck';
const CONTEXT = 'platform-key-check';
const TEXT = 'certwright';

/** The platform key is missing or does not belong to the database; the message says what to do. */
export class WrongKeyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WrongKeyError';
  }
}

/**
 * Opens the platform key and compares it with the one that the database was made with; the first process on a database
 * leaves the mark. Throws {@link WrongKeyError} and PlatformKeyError.
 */
export async function openPlatformKey(store: Store, config: Pick<Config, 'key' | 'databaseUrl'>): Promise<SecretBox> {
  const { key: source, databaseUrl } = config;
  if (source.kind === 'file' && !existsSync(source.path)) {
    // a new key beside old data would only hide that the right one is missing
    if ((await store.settings.byName(MARK)) !== undefined) {
      throw new WrongKeyError(
        `the key file ${source.path} is missing, and the database holds keys and secrets that were sealed under it; restore the file from its copy`,
      );
    }
    if (databaseUrl !== null) {
      throw new WrongKeyError(
        `the key file ${source.path} does not exist; every process on this database needs the same one: make it once with \`(umask 077; openssl rand -base64 32 > ${source.path})\``,
      );
    }
  }
  const key = await readKey(store, source);
  const secrets = createSecretBox(key);
  await checkMark(store, secrets, key, describeSource(source));
  return secrets;
}

function readKey(store: Store, source: KeySource): Promise<PlatformKey> | PlatformKey {
  switch (source.kind) {
    case 'file':
      return keyFromFile(source.path);
    case 'environment':
      return keyFromEnvironment(source.variable);
    case 'passphrase':
      return keyFromPassphrase(source.passphrase, store);
  }
}

function describeSource(source: KeySource): string {
  switch (source.kind) {
    case 'file':
      return `the file ${source.path}`;
    case 'environment':
      return `the environment variable ${source.variable}`;
    case 'passphrase':
      return 'the passphrase';
  }
}

async function checkMark(store: Store, secrets: SecretBox, key: PlatformKey, source: string): Promise<void> {
  const known = await store.settings.byName(MARK);
  if (known === undefined) {
    const value = Buffer.from(secrets.seal(Buffer.from(TEXT), CONTEXT)).toString('base64');
    const outcome = await store.write({
      writes: [{ op: 'insert', table: 'setting', row: { id: await store.nextId(), name: MARK, value, version: 1 } }],
      bookkeeping: 'mark of the platform key',
    });
    if (outcome.ok) return;
    // another process was first
    return checkMark(store, secrets, key, source);
  }
  const sealed = Buffer.from(known.value, 'base64');
  const opened = secrets.open(sealed, CONTEXT);
  if (opened !== undefined && Buffer.from(opened).toString() === TEXT) return;
  const [given, needed] = [Buffer.from(key.id).toString('hex'), sealedUnder(sealed) ?? 'unknown'];
  throw new WrongKeyError(
    `${source} holds platform key ${given}, but this database was made with platform key ${needed}; give that one, the same in every process`,
  );
}
