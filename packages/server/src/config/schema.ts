/**
 * The configuration as one JSON Schema: it checks the file, the environment and the flags, and is the source of
 * docs/reference/config.schema.json and docs/reference/configuration.md.
 */
import { KEY_ALGORITHMS } from '@certwright/pki';
import Type, { type Static, type TSchema } from 'typebox';

/** ISO 8601 duration of weeks, days, hours, minutes, seconds; months and years have no fixed length. */
export const DURATION_PATTERN =
  '^P(?=\\d|T\\d)(\\d{1,5}W)?(\\d{1,5}D)?(T(?=\\d)(\\d{1,6}H)?(\\d{1,7}M)?(\\d{1,8}S)?)?$';

/** All members may be absent; a default of `{}` lets the members' own defaults apply. */
const section = <P extends Record<string, TSchema>>(description: string, properties: P) =>
  Type.Object(properties, { description, additionalProperties: false, default: {} });

const text = (description: string, options: { default?: string; pattern?: string; secret?: true } = {}) => {
  const { secret, ...rest } = options;
  return Type.String({ description, minLength: 1, maxLength: 4096, ...rest, ...(secret ? { writeOnly: true } : {}) });
};

const duration = (description: string, fallback: string) =>
  Type.String({ description: `${description} (ISO 8601 duration)`, pattern: DURATION_PATTERN, default: fallback });

const list = (description: string, fallback: string[], maxItems = 100) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
    description,
    default: fallback,
    maxItems,
    uniqueItems: true,
  });

const choice = <const V extends string>(values: readonly V[], description: string, fallback: NoInfer<V>) =>
  Type.Unsafe<V>(Type.String({ enum: [...values], description, default: fallback }));

export const ROLES = ['api', 'status', 'jobs'] as const;
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'silent'] as const;

export const ConfigSchema = Type.Object(
  {
    data: text('Directory of the database, the key file and the management socket.', { default: './certwright-data' }),
    roles: Type.Array(Type.Unsafe<(typeof ROLES)[number]>(Type.String({ enum: [...ROLES] })), {
      description:
        'What this process does: `api` (HTTPS listener), `status` (plain HTTP listener), `jobs` (background work).',
      default: [...ROLES],
      minItems: 1,
      uniqueItems: true,
    }),
    listen: text('Address of the HTTPS listener: `host:port`, `:port` for every interface, `[v6]:port`.', {
      default: '127.0.0.1:8440',
    }),
    httpListen: Type.Optional(
      text(
        'Address of the plain HTTP listener (OCSP, CRL, CA certificates); default: the host of `listen`, port 8442.',
      ),
    ),
    mtlsListen: Type.Optional(
      text('Reserved for the listener with client certificates; this version opens none and refuses the key.'),
    ),
    publicUrl: Type.Optional(
      text(
        'Base URL under which clients reach the HTTPS listener; in mailed links. Default: `https://localhost:PORT`.',
      ),
    ),
    publicHttpUrl: Type.Optional(
      text(
        'Base URL of OCSP, CRLs and CA certificates, plain http; written into every certificate. Default: `http://localhost:PORT`.',
      ),
    ),
    manageSocket: Type.Optional(text('Path of the management socket; default: `manage.sock` in the data directory.')),
    databaseUrl: Type.Optional(
      text('PostgreSQL URL (also DATABASE_URL); without it SQLite in the data directory is used.', { secret: true }),
    ),
    key: section('The platform key, which encrypts CA keys and secrets. Choose one member at most.', {
      file: Type.Optional(
        text('File with the key, mode 0600; default: `platform.key` in the data directory, made at first start.'),
      ),
      env: Type.Optional(
        text('Name of the environment variable that holds the key (32 bytes, base64 or hex).', {
          pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        }),
      ),
      passphrase: Type.Optional(
        text('Passphrase of at least 12 characters from which the key is derived.', { secret: true }),
      ),
    }),
    tls: section('Certificate of the HTTPS listener.', {
      mode: choice(
        ['own', 'files', 'off'],
        '`own`: ordered from this CA and renewed by itself; `files`: from `tls.cert` and `tls.key`; `off`: plain HTTP behind a proxy.',
        'own',
      ),
      cert: Type.Optional(text('PEM file: certificate, then its chain.')),
      key: Type.Optional(text('PEM file: private key.')),
      names: list('Further DNS names and IP addresses of the own certificate.', [], 50),
    }),
    trustedProxies: list('Addresses and networks whose X-Forwarded-For, -Proto and -Host are believed.', []),
    dns: section('How the validation authority looks up names.', {
      servers: list('Resolvers, `address` or `address:port`; none: those of the system.', [], 8),
      allowedNetworks: list('Private networks (CIDR) that HTTP validation may connect to.', []),
    }),
    smtp: section('Mail server for validation mails; without `host` no mail is sent.', {
      host: Type.Optional(text('Host name or address.')),
      port: Type.Integer({ description: 'Port.', minimum: 1, maximum: 65_535, default: 587 }),
      tls: choice(
        ['none', 'opportunistic', 'startTls', 'implicit'],
        '`none`; `opportunistic`: STARTTLS when offered; `startTls`: required; `implicit`: TLS from the first byte.',
        'startTls',
      ),
      user: Type.Optional(text('Login name.')),
      password: Type.Optional(text('Password.', { secret: true })),
      from: text('Sender of mails.', { default: 'Certwright <certwright@localhost>' }),
    }),
    ca: section('The CA that is made at first start; later changes have no effect on it.', {
      name: text('Common name prefix and organization of root and issuing CA.', { default: 'Certwright' }),
      algorithm: Type.Unsafe<(typeof KEY_ALGORITHMS)[number]>(
        Type.String({ enum: [...KEY_ALGORITHMS], description: 'Key of root and issuing CA.', default: 'ec-p256' }),
      ),
      crlPartitions: Type.Integer({
        description: 'Number of CRL partitions of the issuing CA; 1: one full CRL.',
        minimum: 1,
        maximum: 1024,
        default: 1,
      }),
      crlLifetime: duration('From thisUpdate to nextUpdate of the issuing CA’s CRLs', 'P7D'),
    }),
    ocsp: section('OCSP answers.', {
      lifetime: duration('From thisUpdate to nextUpdate', 'P1D'),
      cacheEntries: Type.Integer({
        description: 'Answers kept in memory.',
        minimum: 100,
        maximum: 10_000_000,
        default: 100_000,
      }),
    }),
    validation: section('Domain control validation.', {
      domainReuseDays: Type.Integer({
        description:
          'How long a verified domain may be reused, in days; the schedule of the baseline requirements caps it.',
        minimum: 1,
        maximum: 398,
        default: 200,
      }),
      caaIdentities: list(
        'Domain names that a CAA record may authorize, first the one shown in hints; none: the host of `publicUrl`.',
        [],
      ),
    }),
    blockedKeys: section('Keys that are never certified.', {
      files: list(
        'Files with a key a line: SHA-256 of the SubjectPublicKeyInfo, or a fingerprint of Debian’s openssl-blacklist.',
        [],
      ),
    }),
    log: section('Log: JSON lines on standard error.', {
      level: choice(LOG_LEVELS, 'Least level that is written.', 'info'),
    }),
    metrics: section('`/metrics`.', {
      allowedNetworks: list('Networks (CIDR) that may read it; behind a proxy trustedProxies must name it.', [
        '127.0.0.0/8',
        '::1/128',
      ]),
    }),
    limits: section('Bounds of the listeners.', {
      connections: Type.Integer({
        description: 'Open connections of a listener; further ones are closed.',
        minimum: 1,
        maximum: 1_000_000,
        default: 10_000,
      }),
      requestTimeout: duration('Longest time for a request to arrive', 'PT60S'),
      drainTimeout: duration('Longest time that requests in flight get at shutdown', 'PT30S'),
    }),
    firstAccount: section('The account that is made at first start.', {
      name: text('Name.', { default: 'Certwright' }),
      administratorName: text('Name of its administrator.', { default: 'Administrator' }),
      administratorEmail: text('Mail address of its administrator.', {
        default: 'administrator@localhost',
        pattern: '^[^\\s@]+@[^\\s@]+$',
      }),
    }),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Certwright configuration',
    additionalProperties: false,
  },
);

/** The configuration as written, defaults filled in. */
export type ConfigInput = Static<typeof ConfigSchema>;

/** One leaf of the schema. */
export interface ConfigKey {
  /** Dotted path, e.g. `ca.crlLifetime`. */
  readonly path: string;
  /** Environment variable, e.g. `CERTWRIGHT_CA_CRL_LIFETIME`. */
  readonly variable: string;
  readonly type: 'string' | 'integer' | 'list';
  readonly description: string;
  readonly default: unknown;
  readonly choices: readonly string[];
  readonly secret: boolean;
}

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly items?: SchemaNode;
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

const variableOf = (path: string): string =>
  `CERTWRIGHT_${path
    .replaceAll('.', '_')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`;

function leaves(node: SchemaNode, prefix: string): ConfigKey[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (child.type === 'object') return leaves(child, path);
    return {
      path,
      variable: variableOf(path),
      type: child.type === 'array' ? 'list' : child.type === 'integer' ? 'integer' : 'string',
      description: child.description ?? '',
      default: child.default,
      choices: child.enum ?? child.items?.enum ?? [],
      secret: child.writeOnly === true,
    };
  });
}

/** Every key of the configuration, in the order of the schema. */
export const CONFIG_KEYS: readonly ConfigKey[] = leaves(configSchema(), '');

/** The schema as published. */
export function configSchema(): SchemaNode {
  return JSON.parse(JSON.stringify(ConfigSchema));
}
