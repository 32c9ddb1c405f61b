import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { CONFIG_KEYS, type Config, type ConfigProblem, loadConfig } from '../../src/config/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'certwright-config-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(yaml: string): string {
  const path = join(folder, `config-${files++}.yaml`);
  writeFileSync(path, yaml);
  return path;
}

type Sources = { yaml?: string; env?: Record<string, string>; flags?: Record<string, string> };

function load({ yaml, env = {}, flags = {} }: Sources) {
  return loadConfig({ ...(yaml === undefined ? {} : { file: file(yaml) }), env, flags });
}

function good(sources: Sources): Config {
  const loaded = load(sources);
  assert.ok(loaded.ok, loaded.ok ? '' : JSON.stringify(loaded.error));
  return loaded.value;
}

function problems(sources: Sources): readonly ConfigProblem[] {
  const loaded = load(sources);
  assert.ok(!loaded.ok, 'was accepted');
  return loaded.error;
}

test('an empty configuration is a safe local set-up', () => {
  for (const config of [good({}), good({ yaml: '' }), good({ yaml: '# nothing\n' }), good({ yaml: '{}' })]) {
    assert.equal(config.data, resolve('certwright-data'));
    assert.deepEqual(config.listen, { host: '127.0.0.1', port: 8440 });
    assert.deepEqual(config.httpListen, { host: '127.0.0.1', port: 8442 });
    assert.equal(config.databaseUrl, null);
    assert.deepEqual(config.key, { kind: 'file', path: resolve('certwright-data/platform.key'), isDefault: true });
    assert.deepEqual(config.tls, { mode: 'own', names: [] });
    assert.deepEqual(config.dns.allowedNetworks, []);
    assert.deepEqual([...config.roles], ['api', 'status', 'jobs']);
    assert.equal(config.ca.algorithm, 'ec-p256');
    assert.equal(config.ca.crlLifetimeMs, 7 * 86_400_000);
    assert.equal(config.limits.drainTimeoutMs, 30_000);
  }
});

test('the plain listener follows the host of the main one', () => {
  assert.deepEqual(good({ yaml: 'listen: :8440' }).httpListen, { host: '::', port: 8442 });
});

test('flags win over the environment, the environment over the file', () => {
  const yaml = 'log:\n  level: error\nca:\n  name: From file\n  algorithm: rsa-2048\n';
  const env = { CERTWRIGHT_LOG_LEVEL: 'warn', CERTWRIGHT_CA_NAME: 'From environment' };
  const config = good({ yaml, env, flags: { 'log.level': 'debug' } });
  assert.equal(config.log.level, 'debug');
  assert.equal(config.ca.name, 'From environment');
  assert.equal(config.ca.algorithm, 'rsa-2048');
});

test('every key has an environment variable of its own and a description', () => {
  const variables = new Set(CONFIG_KEYS.map((key) => key.variable));
  assert.equal(variables.size, CONFIG_KEYS.length);
  for (const key of CONFIG_KEYS) {
    assert.match(key.variable, /^CERTWRIGHT_[A-Z0-9_]+$/);
    assert.notEqual(key.description, '', key.path);
  }
  assert.ok(variables.has('CERTWRIGHT_CA_CRL_LIFETIME') && variables.has('CERTWRIGHT_DNS_ALLOWED_NETWORKS'));
});

test('each key can be set by its variable and by its flag with its default', () => {
  for (const key of CONFIG_KEYS) {
    if (key.default === undefined) continue;
    const text = Array.isArray(key.default) ? key.default.join(',') : String(key.default);
    if (text === '') continue;
    good({ env: { [key.variable]: text } });
    good({ flags: { [key.path]: text } });
  }
});

test('lists and numbers come as text from the environment', () => {
  const config = good({
    env: {
      CERTWRIGHT_DNS_SERVERS: '192.0.2.1, [2001:db8::1]:5353',
      CERTWRIGHT_CA_CRL_PARTITIONS: '16',
      CERTWRIGHT_ROLES: 'api',
    },
  });
  assert.deepEqual(config.dns.servers, [
    { address: '192.0.2.1', port: 53 },
    { address: '2001:db8::1', port: 5353 },
  ]);
  assert.equal(config.ca.crlPartitions, 16);
  assert.deepEqual([...config.roles], ['api']);
  assert.match(problems({ env: { CERTWRIGHT_CA_CRL_PARTITIONS: 'many' } })[0]?.message ?? '', /integer/);
});

test('unknown keys are errors, with a hint; so are unknown variables and flags', () => {
  assert.deepEqual(problems({ yaml: 'listn: 1\nca:\n  crl_lifetime: P1D\n' }), [
    { where: 'listn', message: 'is not a known key' },
    { where: 'ca.crl_lifetime', message: 'is not a known key; did you mean ca.crlLifetime?' },
  ]);
  assert.deepEqual(problems({ env: { CERTWRIGHT_PUBLIC_ULR: 'https://ca.example' } }), [
    { where: 'CERTWRIGHT_PUBLIC_ULR', message: 'is not a known variable' },
  ]);
  assert.equal(problems({ flags: { 'ca.colour': 'blue' } })[0]?.where, 'ca.colour');
});

test('variables of a cluster’s service links and of the command line are no unknown ones', () => {
  good({
    env: {
      CERTWRIGHT_SERVICE_HOST: '192.0.2.1',
      CERTWRIGHT_SERVICE_PORT_HTTPS: '8440',
      CERTWRIGHT_PORT: 'tcp://192.0.2.1:8440',
      CERTWRIGHT_PORT_8440_TCP_ADDR: '192.0.2.1',
      CERTWRIGHT_TOKEN: 'x',
      CERTWRIGHT_URL: 'https://ca.example',
    },
  });
});

test('all problems are listed at once', () => {
  const found = problems({
    yaml: [
      'listen: nowhere',
      'mtlsListen: :8441',
      'publicUrl: ftp://ca.example',
      'publicHttpUrl: https://ca.example',
      'tls: { mode: files, cert: /nonexistent/cert.pem }',
      'trustedProxies: [proxy.example]',
      'dns: { servers: [dns.example] }',
      'ca: { crlLifetime: PT1S }',
      'smtp: { host: mail.example, user: me }',
    ].join('\n'),
  });
  assert.deepEqual(found.map(({ where }) => where).toSorted(), [
    'ca.crlLifetime',
    'dns.servers',
    'listen',
    'mtlsListen',
    'publicHttpUrl',
    'publicUrl',
    'smtp',
    'tls.cert',
    'tls.key',
    'trustedProxies',
  ]);
});

test('schema violations are listed together too', () => {
  const found = problems({
    yaml: 'ca: { algorithm: dsa, crlLifetime: weekly, crlPartitions: 0 }\nlog: { level: loud }\nroles: []\n',
  });
  assert.deepEqual(found.map(({ where }) => where).toSorted(), [
    'ca.algorithm',
    'ca.crlLifetime',
    'ca.crlPartitions',
    'log.level',
    'roles',
  ]);
  assert.match(found.find(({ where }) => where === 'ca.crlLifetime')?.message ?? '', /P7D/);
});

test('files that are no configuration', () => {
  assert.match(problems({ yaml: '- a\n- b\n' })[0]?.message ?? '', /must be a map/);
  assert.match(problems({ yaml: 'a: [\n' })[0]?.where ?? '', /yaml:\d+$/);
  assert.match(problems({ yaml: 'data: a\ndata: b\n' })[0]?.message ?? '', /unique/i);
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]',
    'c: [*b,*b,*b,*b,*b,*b,*b,*b,*b]',
  ].join('\n');
  assert.match(problems({ yaml: bomb })[0]?.message ?? '', /aliases/);
  const missing = loadConfig({ file: join(folder, 'absent.yaml'), env: {} });
  assert.ok(!missing.ok);
  assert.match(missing.error[0]?.message ?? '', /ENOENT/);
});

test('paths in the file are relative to the file', () => {
  const config = good({ yaml: 'data: state\nkey: { file: keys/platform.key }\n' });
  assert.equal(config.data, join(folder, 'state'));
  assert.equal(config.manageSocket, join(folder, 'state', 'manage.sock'));
  assert.deepEqual(config.key, { kind: 'file', path: join(folder, 'keys/platform.key'), isDefault: false });
  assert.equal(good({ yaml: 'data: state', flags: { data: 'other' } }).data, resolve('other'));
});

test('PostgreSQL needs the key to be given explicitly', () => {
  const env = { DATABASE_URL: 'postgres://db.example/certwright' };
  const [problem, ...more] = problems({ env });
  assert.deepEqual([problem?.where, more.length], ['key', 0]);
  assert.equal(good({ env: { ...env, CERTWRIGHT_KEY_FILE: '/k' } }).databaseUrl, env.DATABASE_URL);
  assert.equal(
    good({ env: { ...env, CERTWRIGHT_DATABASE_URL: 'postgresql://other.example/x', CERTWRIGHT_KEY_PASSPHRASE: 'p' } })
      .databaseUrl,
    'postgresql://other.example/x',
  );
  assert.equal(
    problems({ env: { DATABASE_URL: 'mysql://db.example/x', CERTWRIGHT_KEY_FILE: '/k' } })[0]?.where,
    'databaseUrl',
  );
});

test('one source of the key at most; a named variable must be set and is no unknown one', () => {
  assert.match(
    problems({ env: { CERTWRIGHT_KEY_FILE: '/k', CERTWRIGHT_KEY_PASSPHRASE: 'p' } })[0]?.message ?? '',
    /choose one/,
  );
  assert.match(problems({ yaml: 'key: { env: PLATFORM_KEY }' })[0]?.message ?? '', /PLATFORM_KEY is not set/);
  const named = good({ yaml: 'key: { env: CERTWRIGHT_PLATFORM_KEY }', env: { CERTWRIGHT_PLATFORM_KEY: 'abc' } });
  assert.deepEqual(named.key, { kind: 'environment', variable: 'CERTWRIGHT_PLATFORM_KEY' });
});

test('no problem repeats a secret', () => {
  const found = problems({
    env: {
      DATABASE_URL: 'mysql://user:hunter2@db.example/x',
      CERTWRIGHT_KEY_PASSPHRASE: 'hunter2',
      CERTWRIGHT_KEY_FILE: '/k',
    },
  });
  assert.ok(!JSON.stringify(found).includes('hunter2'));
});
