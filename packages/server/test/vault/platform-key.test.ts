import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createSecretBox,
  keyFromEnvironment,
  keyFromFile,
  keyFromPassphrase,
  type PlatformKey,
  PlatformKeyError,
  platformKey,
} from '../../src/adapters/vault/index.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const same = (a: PlatformKey, b: PlatformKey): boolean => hex(a.id) === hex(b.id);

describe('platform key', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certwright-vault-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('is made in a file that only its owner may read, and read again from there', async () => {
    const path = join(folder, 'new', 'platform.key');
    const made = await keyFromFile(path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.ok(same(await keyFromFile(path), made));
    assert.deepEqual(await readdir(join(folder, 'new')), ['platform.key']);
  });

  it('is the same for all who make the file at once', async () => {
    const path = join(folder, 'race.key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => keyFromFile(path)));
    assert.equal(new Set(keys.map((key) => hex(key.id))).size, 1);
  });

  it('is refused from a file that others may read, with the command that mends it', async () => {
    const path = join(folder, 'wide.key');
    await keyFromFile(path);
    await chmod(path, 0o640);
    await assert.rejects(keyFromFile(path), (error) => {
      assert.ok(error instanceof PlatformKeyError);
      assert.match(error.message, /mode 0640.*chmod 600/);
      return true;
    });
  });

  it('is read through a symbolic link, as orchestrators mount secrets, under the same rule', async () => {
    const [target, link] = [join(folder, 'target.key'), join(folder, 'link.key')];
    const key = await keyFromFile(target);
    await symlink(target, link);
    assert.ok(same(await keyFromFile(link), key));
    await chmod(target, 0o644);
    await assert.rejects(keyFromFile(link), /mode 0644/);
  });

  it('is refused from a file with something else, which is neither shown nor replaced', async () => {
    const broken = join(folder, 'broken.key');
    await writeFile(broken, 'not-the-key-you-want', { mode: 0o600 });
    await assert.rejects(keyFromFile(broken), (error) => {
      assert.ok(error instanceof PlatformKeyError);
      assert.doesNotMatch(error.message, /not-the-key/);
      return true;
    });
    assert.equal(await readFile(broken, 'utf8'), 'not-the-key-you-want');
  });

  it('comes from an environment variable as base64, base64url or hex', (t) => {
    const bytes = randomBytes(32);
    t.after(() => {
      delete process.env.CERTWRIGHT_TEST_KEY;
    });
    const forms = [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
    for (const form of forms) {
      process.env.CERTWRIGHT_TEST_KEY = form;
      assert.ok(same(keyFromEnvironment('CERTWRIGHT_TEST_KEY'), platformKey(bytes)));
    }
    for (const bad of ['', 'secret', bytes.toString('hex').slice(2), `${bytes.toString('base64')}AAAA`]) {
      process.env.CERTWRIGHT_TEST_KEY = bad;
      assert.throws(
        () => keyFromEnvironment('CERTWRIGHT_TEST_KEY'),
        (error) => {
          assert.ok(error instanceof PlatformKeyError);
          assert.ok(bad === '' || !error.message.includes(bad));
          return true;
        },
      );
    }
  });

  it('comes from a passphrase and the salt that the first process left', async () => {
    const settings = new Map<string, { id: number; name: string; value: string; version: number }>();
    const store: Parameters<typeof keyFromPassphrase>[1] = {
      settings: { byName: async (name) => settings.get(name) },
      nextId: () => settings.size + 1,
      async write({ writes }) {
        for (const write of writes) {
          assert.ok(write.op === 'insert' && write.table === 'setting');
          if (settings.has(write.row.name))
            return { ok: false, error: { kind: 'duplicate', constraint: 'setting.name' } };
          settings.set(write.row.name, write.row);
        }
        return { ok: true };
      },
    };
    const [first, second] = await Promise.all([
      keyFromPassphrase('a long passphrase', store),
      keyFromPassphrase('a long passphrase', store),
    ]);
    assert.ok(same(first, second));
    assert.ok(!same(first, await keyFromPassphrase('another passphrase', store)));
    await assert.rejects(keyFromPassphrase('short', store), PlatformKeyError);
  });

  it('yields unrelated keys for different purposes, and none of them is its id', () => {
    const key = platformKey(randomBytes(32));
    const derived = ['one', 'two', 'key id'].map((purpose) => hex(key.derive(purpose)));
    assert.equal(new Set(derived).size, 3);
    assert.equal(key.derive('one').length, 32);
    assert.throws(() => platformKey(randomBytes(16)), PlatformKeyError);
  });
});

describe('secret box', () => {
  const box = createSecretBox(platformKey(randomBytes(32)));
  const secret = Buffer.from('a secret');

  it('opens what it sealed, under the same context only', () => {
    const sealed = box.seal(secret, 'key 1');
    assert.deepEqual(Buffer.from(box.open(sealed, 'key 1') ?? []), secret);
    assert.equal(box.open(sealed, 'key 2'), undefined);
    assert.equal(Buffer.from(sealed).includes(secret), false);
    assert.notDeepEqual(box.seal(secret, 'key 1'), sealed);
    assert.deepEqual(Buffer.from(box.open(box.seal(new Uint8Array(), ''), '') ?? [1]), Buffer.alloc(0));
  });

  it('does not open anything that was changed or cut, nor the boxes of another key', () => {
    const sealed = box.seal(secret, 'key 1');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(box.open(changed, 'key 1'), undefined, `octet ${at}`);
      assert.equal(box.open(sealed.subarray(0, at), 'key 1'), undefined, `cut at ${at}`);
    }
    assert.equal(createSecretBox(platformKey(randomBytes(32))).open(sealed, 'key 1'), undefined);
  });

  it('hashes under its key, apart by context', () => {
    const digest = box.keyedHash('token', 'access');
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.equal(box.keyedHash('token', 'access'), digest);
    assert.notEqual(box.keyedHash('token', 'refresh'), digest);
    assert.notEqual(box.keyedHash('x:token', 'a'), box.keyedHash('token', 'a:x'));
    assert.notEqual(createSecretBox(platformKey(randomBytes(32))).keyedHash('token', 'access'), digest);
  });
});
