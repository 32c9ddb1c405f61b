import { type Argon2Parameters, argon2, hkdfSync, randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Store } from '@certwright/core';

/** The key under which everything secret is kept: only its derivatives are ever used. */
export interface PlatformKey {
  /** Names the key without telling anything about it: 8 octets. */
  readonly id: Uint8Array;
  /** A key of 32 octets for one purpose (HKDF-SHA-256, RFC 5869). */
  derive(purpose: string): Uint8Array;
}

/** The platform key cannot be had; the message says what to do and never shows the key. */
export class PlatformKeyError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'PlatformKeyError';
  }
}

const KEY_BYTES = 32;
const ID_BYTES = 8;
const SALT_BYTES = 16;
const SALT_SETTING = 'platform.passphraseSalt';
const MIN_PASSPHRASE = 12;
/** argon2id with 64 MiB and three passes: some 0.2 s once at start. */
const ARGON2 = { parallelism: 1, tagLength: KEY_BYTES, memory: 65_536, passes: 3 } as const;

const deriveArgon2 = promisify<'argon2id', Argon2Parameters, Buffer>((algorithm, parameters, done) =>
  argon2(algorithm, parameters, done),
);

/** Wraps 32 octets of key material. @throws PlatformKeyError when there are more or fewer */
export function platformKey(material: Uint8Array): PlatformKey {
  if (material.length !== KEY_BYTES)
    throw new PlatformKeyError(`the platform key has ${KEY_BYTES} bytes, not ${material.length}`);
  const own = Uint8Array.from(material);
  const derive = (purpose: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', own, '', `certwright ${purpose}`, length));
  return { id: derive('key id', ID_BYTES), derive: (purpose) => derive(purpose, KEY_BYTES) };
}

/** 32 octets written as hex or as base64 (either alphabet, padded or not); undefined when `text` is neither. */
function decodeKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return undefined;
  const bytes = Buffer.from(trimmed, 'base64');
  return bytes.length === KEY_BYTES ? bytes : undefined;
}

/** The platform key from the value of the environment variable `name`. @throws PlatformKeyError */
export function keyFromEnvironment(name: string): PlatformKey {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new PlatformKeyError(`the environment variable ${name}, which should hold the platform key, is not set`);
  const key = decodeKey(value);
  if (key === undefined)
    throw new PlatformKeyError(
      `${name} does not hold a platform key: 32 bytes as base64 or hex are expected, e.g. from "openssl rand -base64 32"`,
    );
  return platformKey(key);
}

/**
 * The platform key from a file that only its owner may read; made with a fresh key when it is not there.
 * When several processes make it at once, all get the same key. @throws PlatformKeyError
 */
export async function keyFromFile(path: string): Promise<PlatformKey> {
  for (const mayMake of [true, false]) {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if (errorCode(error) === 'ENOENT' && mayMake) {
        await makeKeyFile(path);
        continue;
      }
      throw new PlatformKeyError(`the key file ${path} cannot be read (${errorCode(error)})`, error);
    }
    try {
      return platformKey(await readKeyFile(file, path));
    } finally {
      await file.close();
    }
  }
  throw new PlatformKeyError(`the key file ${path} cannot be made`);
}

async function readKeyFile(file: FileHandle, path: string): Promise<Uint8Array> {
  const { mode, size } = await file.stat();
  const wide = mode & 0o077;
  // Windows has no such permissions
  if (wide !== 0 && process.platform !== 'win32') {
    const found = (mode & 0o777).toString(8).padStart(4, '0');
    throw new PlatformKeyError(`others may read the key file ${path} (mode ${found}); run: chmod 600 ${path}`);
  }
  const key = size <= 256 ? decodeKey(await file.readFile('latin1')) : undefined;
  if (key === undefined)
    throw new PlatformKeyError(
      `${path} does not hold a platform key (32 bytes as base64 or hex); restore it from its copy: without it the keys and secrets in the database are lost`,
    );
  return key;
}

/** Writes the key beside its place and links it there: the name appears with its content whole, and only once. */
async function makeKeyFile(path: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    const folder = await open(dirname(path), 'r');
    try {
      // a key that a power cut takes away takes everything sealed under it with it
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (errorCode(error) !== 'EEXIST')
      throw new PlatformKeyError(`the key file ${path} cannot be made (${errorCode(error)})`, error);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * The platform key from a passphrase (argon2id). The salt lives in the database, so that every process derives the
 * same key; the first one to ask makes it. @throws PlatformKeyError for a passphrase of fewer than 12 characters
 */
export async function keyFromPassphrase(
  passphrase: string,
  store: Pick<Store, 'settings' | 'write' | 'nextId'>,
): Promise<PlatformKey> {
  const normal = passphrase.normalize('NFC');
  if (normal.length < MIN_PASSPHRASE)
    throw new PlatformKeyError(`the passphrase of the platform key needs at least ${MIN_PASSPHRASE} characters`);
  const nonce = await passphraseSalt(store);
  return platformKey(await deriveArgon2('argon2id', { ...ARGON2, message: normal, nonce }));
}

async function passphraseSalt(store: Pick<Store, 'settings' | 'write' | 'nextId'>): Promise<Buffer> {
  const known = await store.settings.byName(SALT_SETTING);
  if (known !== undefined) return Buffer.from(known.value, 'base64');
  const salt = randomBytes(SALT_BYTES);
  const row = { id: await store.nextId(), name: SALT_SETTING, value: salt.toString('base64'), version: 1 };
  const outcome = await store.write({
    writes: [{ op: 'insert', table: 'setting', row }],
    bookkeeping: 'salt of the platform key',
  });
  // another process was first: its salt counts
  return outcome.ok ? salt : passphraseSalt(store);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
