/** API v2 over the real core and an SQLite store in a folder of its own, with a network and a time that tests set. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Core,
  type CoreDependencies,
  createCore,
  type Mail,
  type OperatorContext,
  type Perspective,
  type Store,
} from '@certwright/core';
import { openSqliteStore } from '@certwright/store';
import fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify';
import { publicSuffix } from '../../src/adapters/public-suffix.ts';
import { createKeyVault, createSecretBox, platformKey } from '../../src/adapters/vault/index.ts';
import { faceV2 } from '../../src/faces/v2/plugin.ts';
import { validationPage } from '../../src/faces/validation-page/plugin.ts';
import { type Contract, loadContract } from './contract.ts';

export const operator: OperatorContext = {
  operator: 'test',
  origin: { channel: 'test', requestId: 'test', ip: '127.0.0.1', originator: 'test' },
};

/** An account with what it logs in with. */
export interface TestAccount {
  readonly number: string;
  readonly groupNumber: string;
  readonly clientSecret: string;
  readonly accessKey: string;
  readonly token: string;
}

export interface CallOptions {
  readonly body?: unknown;
  /** Sent as it is, with whatever content type `headers` name. */
  readonly payload?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bearer token; null for none. Default: the first account's. */
  readonly token?: string | null;
  /** The answer is not in the contract on purpose. */
  readonly unchecked?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are judged by the contract; tests pick members by hand
  readonly json: any;
}

export interface ApiRig {
  readonly app: FastifyInstance;
  readonly core: Core;
  readonly store: Store;
  readonly contract: Contract;
  readonly account: TestAccount;
  readonly mails: readonly Mail[];
  /** Errors that nobody expected. */
  readonly failures: readonly unknown[];
  /** TXT values by name. */
  readonly txt: Map<string, string[]>;
  /** CAA issue values by name. */
  readonly caa: Map<string, string[]>;
  /** Bodies by URL. */
  readonly files: Map<string, string>;
  /** Moves the time of the domain. */
  advance(ms: number): void;
  newAccount(): Promise<TestAccount>;
  /** Calls the API below its base (or an absolute path) and holds the answer against the contract. */
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
  close(): Promise<void>;
}

const BASE = '/api/certinext/v2';

function network(txt: ApiRig['txt'], caa: ApiRig['caa'], files: ApiRig['files']): Perspective {
  const answer = { cnameChain: [], ttl: 60, server: '127.0.0.1:53', authenticated: false };
  return {
    name: 'local',
    region: 'local',
    resolver: {
      async resolve(name, type) {
        const records =
          type === 'TXT'
            ? (txt.get(name) ?? []).map((value) => ({ type: 'TXT' as const, name, value }))
            : type === 'CAA'
              ? (caa.get(name) ?? []).map((value) => ({
                  type: 'CAA' as const,
                  name,
                  critical: false,
                  tag: 'issue',
                  value,
                }))
              : [];
        return records.length > 0
          ? { kind: 'records', records, ...answer }
          : { kind: 'none', nxdomain: false, ...answer };
      },
    },
    http: {
      async get(url) {
        const body = files.get(url);
        return {
          kind: 'response',
          status: body === undefined ? 404 : 200,
          body: Buffer.from(body ?? 'not here'),
          truncated: false,
          finalUrl: url,
          hops: [],
        };
      },
    },
  };
}

export async function startApi(settings: Partial<CoreDependencies['settings']> = {}): Promise<ApiRig> {
  const directory = mkdtempSync(join(tmpdir(), 'certwright-v2-'));
  const store = await openSqliteStore({ directory });
  const secrets = createSecretBox(platformKey(randomBytes(32)));
  const txt = new Map<string, string[]>();
  const caa = new Map<string, string[]>();
  const files = new Map<string, string>();
  const mails: Mail[] = [];
  const failures: unknown[] = [];
  let offset = 0;
  const clock = { now: () => Date.now() + offset };
  const core = createCore({
    store,
    clock,
    wallClock: { now: () => Date.now() },
    random: { bytes: (length) => randomBytes(length) },
    vault: createKeyVault({ secrets, load: (keyId) => store.authorities.key(keyId) }),
    secrets,
    perspectives: [network(txt, caa, files)],
    mailer: {
      async send(mail) {
        mails.push(mail);
      },
    },
    publicSuffix,
    settings: {
      publicUrl: 'https://localhost:8440',
      publicHttpUrl: 'http://localhost:8442',
      caaIdentities: ['ca.test'],
      validationMode: () => 'real',
      domainReuseDays: 200,
      ocspLifetimeMs: 86_400_000,
      ocspCacheEntries: 1_000,
      keyChecks: {},
      acceptAnyCaProfile: true,
      ...settings,
    },
    log: { info() {}, warn() {}, error: (event, fields, error) => void failures.push({ event, fields, error }) },
  });
  await core.authorities.bootstrap({
    name: 'Test',
    keyAlgorithm: 'ec-p256',
    crl: { partitions: 1, lifetimeMs: 7 * 86_400_000 },
  });

  const app = fastify({ routerOptions: { maxParamLength: 8_192 } });
  const log = (error: unknown) => void failures.push(error);
  await app.register(faceV2, { core, clock, version: '0.0.0', log });
  await app.register(validationPage, { core, log });
  await app.ready();
  const contract = loadContract();

  async function secret(accountNumber: string, authType: 'oauth' | 'accessKey'): Promise<string> {
    const made = await core.credentials.create(operator, { accountNumber, authType, label: authType });
    assert.ok(made.ok);
    return made.value.secret;
  }

  async function newAccount(): Promise<TestAccount> {
    const made = await core.accounts.create(operator, {
      name: 'Test account',
      administratorName: 'Administrator',
      administratorEmail: 'administrator@example.com',
    });
    assert.ok(made.ok);
    const { number } = made.value.account;
    const clientSecret = await secret(number, 'oauth');
    const pair = await core.credentials.tokenByClientSecret(operator.origin, number, clientSecret);
    assert.ok(pair.ok);
    return {
      number,
      groupNumber: made.value.group.number,
      clientSecret,
      accessKey: await secret(number, 'accessKey'),
      token: pair.value.accessToken,
    };
  }

  const account = await newAccount();

  return {
    app,
    core,
    store,
    contract,
    account,
    mails,
    failures,
    txt,
    caa,
    files,
    newAccount,
    advance(ms) {
      offset += ms;
    },

    async call(method, path, { body, payload, headers = {}, token = account.token, unchecked = false } = {}) {
      const url = path.startsWith('/oauth') || path.startsWith('/v3') || path.startsWith('/api') ? path : BASE + path;
      const sent = payload ?? (body === undefined ? undefined : JSON.stringify(body));
      const reply: LightMyRequestResponse = await app.inject({
        method: method as NonNullable<InjectOptions['method']>,
        url,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(sent === undefined ? {} : { payload: sent }),
      });
      const { statusCode: status, body: text } = reply;
      if (!unchecked) contract.check({ method, path: url, status, headers: reply.headers, body: text });
      const type = String(reply.headers['content-type'] ?? '');
      return {
        status,
        headers: reply.headers,
        text,
        bytes: reply.rawPayload,
        json: type.includes('json') && text !== '' ? JSON.parse(text) : undefined,
      };
    },

    async close() {
      await core.jobs.stop();
      await app.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
