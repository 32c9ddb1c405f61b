/** Starts `certwright serve` as a process of its own and talks to it as a client would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join, resolve } from 'node:path';

const main = resolve(import.meta.dirname, '../../packages/cli/src/main.ts');
const READY_MS = 60_000;

export interface ServeReady {
  readonly publicUrl: string;
  readonly publicHttpUrl: string;
  readonly manageSocket: string;
  readonly caCertificate: string;
  readonly firstAccount: { readonly accountNumber: string; readonly clientSecret: string } | null;
}

export interface Serve {
  readonly ready: ServeReady;
  readonly process: ChildProcess;
  /** SIGKILL, as a power cut would; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** What it wrote to stderr so far. */
  log(): string;
}

/** Starts a server with plain HTTP on random ports; `set` are configuration keys. Rejects with its log when it does not get ready. */
export async function startServe(
  data: string,
  set: Readonly<Record<string, string>> = {},
  env: NodeJS.ProcessEnv = {},
): Promise<Serve> {
  const keys: Record<string, string> = {
    data,
    listen: '127.0.0.1:0',
    httpListen: '127.0.0.1:0',
    'tls.mode': 'off',
    'log.level': 'warn',
    ...set,
  };
  const options = Object.entries(keys).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const child = spawn(process.execPath, [main, 'serve', '--json', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'exit');
  const line = new Promise<string>((done) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('\n')) done(stdout.slice(0, stdout.indexOf('\n')));
    });
  });
  const late = AbortSignal.timeout(READY_MS);
  const first = await Promise.race([
    line,
    exited.then(([code]) => Promise.reject(new Error(`serve ended with ${code}: ${stderr}`))),
    once(late, 'abort').then(() => Promise.reject(new Error(`serve did not get ready: ${stderr}`))),
  ]);
  return {
    ready: JSON.parse(first) as ServeReady,
    process: child,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      return code;
    },
    log: () => stderr,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  json<T = Record<string, unknown>>(): T;
}

export interface Client {
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): void;
}

/** One HTTP call; rejects when the connection breaks. */
export function httpCall(
  agent: Agent,
  url: string,
  method: string,
  body: Uint8Array | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((done, failed) => {
    const outgoing = request(
      url,
      {
        method,
        agent,
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': String(body.length) }) },
      },
      (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('error', failed);
        incoming.on('end', () => {
          const whole = Buffer.concat(parts);
          done({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: whole,
            json: <T>() => JSON.parse(whole.toString('utf8')) as T,
          });
        });
      },
    );
    outgoing.on('error', failed);
    outgoing.end(body);
  });
}

/** Client of API v2 with a fresh token. */
export async function v2Client(
  baseUrl: string,
  credentials: { readonly accountNumber: string; readonly clientSecret: string },
  connections = 64,
): Promise<Client> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: credentials.accountNumber,
    client_secret: credentials.clientSecret,
  });
  const token = await httpCall(agent, `${baseUrl}/oauth/token`, 'POST', Buffer.from(form.toString()), {
    'Content-Type': 'application/x-www-form-urlencoded',
  });
  if (token.status !== 200) throw new Error(`no token: ${token.status} ${token.body.toString()}`);
  const { access_token: bearer } = token.json<{ access_token: string }>();
  return {
    call: (method, path, body, headers = {}) =>
      httpCall(
        agent,
        `${baseUrl}/api/certinext/v2${path}`,
        method,
        body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
        {
          Authorization: `Bearer ${bearer}`,
          Accept: 'application/json',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
      ),
    close: () => agent.destroy(),
  };
}

/** Runs the program to its end. */
export async function runCertwright(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Makes the key that several servers on one database share; returns its path. */
export async function sharedKeyFile(folder: string): Promise<string> {
  const file = join(folder, 'platform.key');
  await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  return file;
}
