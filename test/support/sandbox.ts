/** A sandbox in a process of its own, as its users run it, and a client of its API v2. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ReadyLine } from '@certwright/server';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
/** Far beyond what it takes, for machines under load. */
const READY_WITHIN_MS = 60_000;

export interface SandboxProcess {
  readonly pid: number;
  readonly ready: ReadyLine;
  /** From the start of the process to the ready line. */
  readonly startedInMs: number;
  /** Everything that went to standard output so far. */
  output(): string;
  /** Everything that went to standard error so far. */
  errors(): string;
  /** Sends the signal and waits for the end; resolves to the exit code, or to the signal that killed it. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/** Starts `certwright sandbox --port 0` with further arguments and waits for its ready line. */
export async function startSandboxProcess(...args: string[]): Promise<SandboxProcess> {
  const begun = performance.now();
  const child = spawn(process.execPath, [MAIN, 'sandbox', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => code ?? signal ?? '');
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(READY_WITHIN_MS) }),
    ended.then((code) => {
      throw new Error(`the sandbox ended with ${code}: ${errors}`);
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    ready: JSON.parse(String(line)),
    startedInMs: performance.now() - begun,
    output: () => output,
    errors: () => errors,
    stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  /** The body as JSON; undefined when it is empty. */
  json(): Record<string, unknown>;
}

/** One request that trusts `ca` only (PEM) over https. */
export async function send(
  url: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
    readonly ca?: string;
    readonly agent?: Agent;
  } = {},
): Promise<ApiAnswer> {
  const { method = 'GET', body, ca, agent } = options;
  // without it the body of a DELETE would have no end
  const framing = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const headers = { ...framing, ...options.headers };
  const outgoing = url.startsWith('https:')
    ? httpsRequest(url, {
        method,
        headers,
        ...(ca === undefined ? {} : { ca }),
        ...(agent === undefined ? {} : { agent }),
      })
    : httpRequest(url, { method, headers });
  outgoing.end(body);
  const [incoming] = await once(outgoing, 'response');
  const bytes = await buffer(incoming);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    bytes,
    json: () => JSON.parse(bytes.toString('utf8')) as Record<string, unknown>,
  };
}

export interface ApiClient {
  /** Calls the API v2; the path is what follows `/api/certinext/v2`. */
  v2(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  /** Calls the control API. */
  control(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  close(): void;
}

/** Logs in and makes a client over one kept connection. */
export async function connectApi(
  ready: ReadyLine,
  account: { readonly clientId: string; readonly clientSecret: string } = ready,
): Promise<ApiClient> {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(ready.caCertificate, 'utf8'), maxSockets: 1 });
  const tokens = await send(`${ready.baseUrl}/oauth/token`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: account.clientId,
      client_secret: account.clientSecret,
    }).toString(),
  });
  if (tokens.status !== 200) throw new Error(`no token: ${tokens.status} ${tokens.bytes}`);
  const authorization = `Bearer ${tokens.json().access_token}`;
  const json = { 'content-type': 'application/json' };
  return {
    v2: (method, path, body, headers = {}) =>
      send(`${ready.baseUrl}/api/certinext/v2${path}`, {
        method,
        agent,
        headers: { authorization, ...(body === undefined ? {} : json), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    control: (method, path, body) =>
      send(`${ready.control}${path}`, {
        method,
        ...(body === undefined ? {} : { headers: json, body: JSON.stringify(body) }),
      }),
    close: () => agent.destroy(),
  };
}
