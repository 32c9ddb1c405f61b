import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail, type KeyAlgorithm, ok, type Result } from '@certwright/pki';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { parseDnsServer } from '../adapters/dns/resolver.ts';
import { CONFIG_KEYS, type ConfigInput, ConfigSchema, type ROLES } from './schema.ts';
import { type ConfigProblem, type ConfigSources, collect } from './sources.ts';
import { isNetwork, type ListenAddress, parseBaseUrl, parseDuration, parseListenAddress } from './values.ts';

/** Where the platform key comes from. */
export type KeySource =
  | {
      readonly kind: 'file';
      readonly path: string /** Not named by the operator: it may be made at first start. */;
      readonly isDefault: boolean;
    }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

export type TlsSource =
  | { readonly mode: 'own'; readonly names: readonly string[] }
  | { readonly mode: 'files'; readonly cert: string; readonly key: string }
  | { readonly mode: 'off' };

/** The checked configuration; paths are absolute, durations in milliseconds. */
export interface Config {
  readonly data: string;
  readonly roles: ReadonlySet<(typeof ROLES)[number]>;
  readonly listen: ListenAddress;
  readonly httpListen: ListenAddress;
  /** Null: derived from the port that was bound. */
  readonly publicUrl: string | null;
  readonly publicHttpUrl: string | null;
  readonly manageSocket: string;
  /** Null: SQLite in the data directory. */
  readonly databaseUrl: string | null;
  readonly key: KeySource;
  readonly tls: TlsSource;
  readonly trustedProxies: readonly string[];
  readonly dns: {
    readonly servers: readonly { readonly address: string; readonly port: number }[];
    readonly allowedNetworks: readonly string[];
  };
  readonly smtp: {
    readonly host: string;
    readonly port: number;
    readonly tls: ConfigInput['smtp']['tls'];
    readonly credentials: { readonly user: string; readonly password: string } | null;
    readonly from: string;
  } | null;
  readonly ca: {
    readonly name: string;
    readonly algorithm: KeyAlgorithm;
    readonly crlPartitions: number;
    readonly crlLifetimeMs: number;
  };
  readonly ocsp: { readonly lifetimeMs: number; readonly cacheEntries: number };
  readonly validation: { readonly domainReuseDays: number; readonly caaIdentities: readonly string[] };
  readonly blockedKeys: { readonly files: readonly string[] };
  readonly log: { readonly level: ConfigInput['log']['level'] };
  readonly metrics: { readonly allowedNetworks: readonly string[] };
  readonly limits: { readonly connections: number; readonly requestTimeoutMs: number; readonly drainTimeoutMs: number };
  readonly firstAccount: ConfigInput['firstAccount'];
}

export const DEFAULT_HTTP_PORT = 8442;

const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: false, verbose: true });
const validate = ajv.compile<ConfigInput>(JSON.parse(JSON.stringify(ConfigSchema)));

function explain(error: ErrorObject): ConfigProblem {
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const where = path === '' ? '(top level)' : path;
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(error.params.additionalProperty);
      return { where: path === '' ? name : `${path}.${name}`, message: `is not a known key${hint(name)}` };
    }
    case 'enum':
      return { where, message: `must be one of ${(error.params.allowedValues as readonly string[]).join(', ')}` };
    case 'pattern': {
      const isDuration = String(error.params.pattern).startsWith('^P');
      return {
        where,
        message: isDuration ? 'must be an ISO 8601 duration such as P7D or PT30S' : 'is not well-formed',
      };
    }
    default:
      return { where, message: error.message ?? 'is not valid' };
  }
}

/** Names the key that was probably meant: the same letters in another case, or one at the wrong level. */
function hint(name: string): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '');
  const meant = CONFIG_KEYS.find((key) => plain(key.path.split('.').at(-1) ?? '') === plain(name));
  return meant === undefined ? '' : `; did you mean ${meant.path}?`;
}

/**
 * Reads and checks the configuration from file, environment and flags. All problems are listed at once; relative paths
 * of the file are taken from the file's directory, all others from the working directory.
 */
export function loadConfig(sources: ConfigSources): Result<Config, readonly ConfigProblem[]> {
  const collected = collect(sources);
  const input: unknown = collected.tree;
  const problems = [...collected.problems];
  if (!validate(input)) {
    problems.push(...(validate.errors ?? []).map(explain));
    return fail(problems);
  }
  const config = interpret(input, sources, problems);
  return problems.length > 0 || config === undefined ? fail(problems) : ok(config);
}

function interpret(input: ConfigInput, sources: ConfigSources, problems: ConfigProblem[]): Config | undefined {
  const problem = (where: string, message: string): undefined => {
    problems.push({ where, message });
    return undefined;
  };
  const listenAddress = (where: string, text: string): ListenAddress =>
    parseListenAddress(text) ??
    problem(where, 'must be host:port, :port or [v6]:port') ?? { host: '127.0.0.1', port: 0 };
  const baseUrl = (where: string, text: string | undefined, schemes: readonly string[]): string | null =>
    text === undefined
      ? null
      : (parseBaseUrl(text, schemes) ??
        problem(where, `must be a plain ${schemes.join(' or ')} URL without query`) ??
        null);
  const ms = (where: string, text: string, least: number, most: number): number => {
    const value = parseDuration(text) ?? 0;
    if (value < least || value > most) problem(where, `must lie between ${least / 1000} s and ${most / 1000} s`);
    return value;
  };
  const networks = (where: string, values: readonly string[]): readonly string[] => {
    for (const value of values) if (!isNetwork(value)) problem(where, `${value} is not an address or CIDR network`);
    return values;
  };
  const data = resolve(input.data);
  const listen = listenAddress('listen', input.listen);
  const httpListen =
    input.httpListen === undefined
      ? { host: listen.host, port: DEFAULT_HTTP_PORT }
      : listenAddress('httpListen', input.httpListen);
  if (listen.port !== 0 && listen.port === httpListen.port && listen.host === httpListen.host) {
    problem('httpListen', 'must differ from listen');
  }
  if (input.mtlsListen !== undefined) {
    problem('mtlsListen', 'is reserved: this version has no listener with client certificates; remove the key');
  }
  const databaseUrl = input.databaseUrl ?? null;
  if (databaseUrl !== null && !(URL.canParse(databaseUrl) && /^postgres(ql)?:$/.test(new URL(databaseUrl).protocol))) {
    problem('databaseUrl', 'must be a postgres:// URL');
  }

  return {
    data,
    roles: new Set(input.roles),
    listen,
    httpListen,
    publicUrl: baseUrl('publicUrl', input.publicUrl, ['https', 'http']),
    publicHttpUrl: baseUrl('publicHttpUrl', input.publicHttpUrl, ['http']),
    manageSocket: input.manageSocket === undefined ? resolve(data, 'manage.sock') : resolve(input.manageSocket),
    databaseUrl,
    key: keySource(input, sources, data, problem),
    tls: tlsSource(input, problem),
    trustedProxies: networks('trustedProxies', input.trustedProxies),
    dns: {
      servers: input.dns.servers.flatMap(
        (text) => parseDnsServer(text) ?? problem('dns.servers', `${text} is not address or address:port`) ?? [],
      ),
      allowedNetworks: networks('dns.allowedNetworks', input.dns.allowedNetworks),
    },
    smtp: mailServer(input, problem),
    ca: {
      name: input.ca.name,
      algorithm: input.ca.algorithm,
      crlPartitions: input.ca.crlPartitions,
      crlLifetimeMs: ms('ca.crlLifetime', input.ca.crlLifetime, 3_600_000, 366 * 86_400_000),
    },
    ocsp: {
      lifetimeMs: ms('ocsp.lifetime', input.ocsp.lifetime, 600_000, 10 * 86_400_000),
      cacheEntries: input.ocsp.cacheEntries,
    },
    validation: input.validation,
    blockedKeys: { files: input.blockedKeys.files.map((file) => resolve(file)) },
    log: input.log,
    metrics: { allowedNetworks: networks('metrics.allowedNetworks', input.metrics.allowedNetworks) },
    limits: {
      connections: input.limits.connections,
      requestTimeoutMs: ms('limits.requestTimeout', input.limits.requestTimeout, 1_000, 3_600_000),
      drainTimeoutMs: ms('limits.drainTimeout', input.limits.drainTimeout, 0, 3_600_000),
    },
    firstAccount: input.firstAccount,
  };
}

type Complain = (where: string, message: string) => undefined;

function keySource(
  { key, databaseUrl }: ConfigInput,
  { env }: ConfigSources,
  data: string,
  problem: Complain,
): KeySource {
  const fallback: KeySource = { kind: 'file', path: resolve(data, 'platform.key'), isDefault: true };
  const given = Object.entries(key).filter(([, value]) => value !== undefined);
  if (given.length > 1) problem('key', `choose one of ${given.map(([name]) => `key.${name}`).join(', ')}`);
  if (key.env !== undefined) {
    if (!env[key.env]) problem('key.env', `the environment variable ${key.env} is not set`);
    return { kind: 'environment', variable: key.env };
  }
  if (key.passphrase !== undefined) return { kind: 'passphrase', passphrase: key.passphrase };
  if (key.file !== undefined) return { kind: 'file', path: resolve(key.file), isDefault: false };
  if (databaseUrl !== undefined) {
    problem(
      'key',
      'must be given explicitly with a PostgreSQL database, the same in every process: set key.file, key.env or key.passphrase',
    );
  }
  return fallback;
}

function tlsSource({ tls }: ConfigInput, problem: Complain): TlsSource {
  if (tls.mode !== 'files') {
    if (tls.cert !== undefined || tls.key !== undefined) {
      problem('tls.mode', 'must be `files` when tls.cert or tls.key is given');
    }
    return tls.mode === 'off' ? { mode: 'off' } : { mode: 'own', names: tls.names };
  }
  const readable = (where: string, path: string | undefined): string => {
    if (path === undefined) {
      problem(where, 'is needed with tls.mode `files`');
      return '';
    }
    const file = resolve(path);
    try {
      readFileSync(file);
    } catch {
      problem(where, `${file} cannot be read`);
    }
    return file;
  };
  return { mode: 'files', cert: readable('tls.cert', tls.cert), key: readable('tls.key', tls.key) };
}

function mailServer({ smtp }: ConfigInput, problem: Complain): Config['smtp'] {
  const { host, port, tls, user, password, from } = smtp;
  if ((user === undefined) !== (password === undefined)) problem('smtp', 'user and password belong together');
  if (host === undefined) {
    if (user !== undefined) problem('smtp.host', 'is needed with smtp.user');
    return null;
  }
  const credentials = user === undefined || password === undefined ? null : { user, password };
  return { host, port, tls, credentials, from };
}
