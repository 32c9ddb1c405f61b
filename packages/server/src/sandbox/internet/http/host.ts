/** The web host of the sandbox's own internet: one plain HTTP server that is every host. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import { fail, ok, type Result } from '@certwright/pki';

const MAX_FILES = 10_000;
const MAX_FILE_BYTES = 1 << 20;
const MAX_TOTAL_BYTES = 64 << 20;
const MAX_PATH_CHARACTERS = 2_048;
const MAX_HEADERS = 32;
const MAX_HEADER_BYTES = 8_192;
const MAX_CONNECTIONS = 256;
const LOGGED_REQUESTS = 100;
const REQUEST_TIMEOUT_MS = 10_000;
const HOST = /^[a-z0-9._-]{1,253}$|^\[[0-9a-f:.]{2,45}\]$/;
/** Headers that frame the message are the server's business. */
const OWN_HEADERS = new Set(['connection', 'content-length', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade']);

export interface SandboxFileOptions {
  /** 200 to 599; default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SandboxHttpRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  /** Real time, milliseconds since 1970. */
  readonly receivedAt: number;
}

export interface SandboxFileError {
  readonly code: 'http.hostMalformed' | 'http.pathMalformed' | 'http.fileMalformed' | 'http.full';
  readonly detail: string;
}

export interface SandboxHttpHost {
  readonly address: string;
  readonly port: number;
  /** Publishes a file in place of the one there was. `path` begins with a slash and is compared without query, byte by byte. */
  put(
    host: string,
    path: string,
    body: string | Uint8Array,
    options?: SandboxFileOptions,
  ): Result<undefined, SandboxFileError>;
  /** Removes a file; nothing happens when there is none. */
  delete(host: string, path: string): void;
  /** The last requests, oldest first. */
  requests(): readonly SandboxHttpRequest[];
  /** Forgets all files and requests; keeps the port. */
  reset(): void;
  close(): Promise<void>;
}

interface SandboxFile {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Starts the host. Rejects when the port is taken. */
export async function createSandboxHttpHost(
  options: { readonly address?: string; readonly port?: number; readonly now?: () => number } = {},
): Promise<SandboxHttpHost> {
  const { address = '127.0.0.1', port = 0, now = Date.now } = options;
  const files = new Map<string, SandboxFile>();
  let totalBytes = 0;
  let requests: SandboxHttpRequest[] = [];

  function remove(key: string): void {
    totalBytes -= files.get(key)?.body.length ?? 0;
    files.delete(key);
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const method = request.method ?? '';
    const host = foldHost(request.headers.host ?? '');
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const file = method === 'GET' || method === 'HEAD' ? files.get(keyOf(host, path)) : undefined;
    const status = file?.status ?? (method === 'GET' || method === 'HEAD' ? 404 : 405);
    requests = [...requests.slice(1 - LOGGED_REQUESTS), { method, host, path, status, receivedAt: now() }];
    // What a client uploads is of no interest; it is neither kept nor waited for.
    request.resume();
    const body = file?.body ?? Buffer.from(`${status === 404 ? 'no such file' : 'only GET and HEAD'}\n`);
    const isBodyless = method === 'HEAD' || status === 204 || status === 304;
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      ...file?.headers,
      ...(isBodyless ? {} : { 'content-length': String(body.length) }),
    });
    response.end(isBodyless ? undefined : body);
  }

  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: 5_000,
    },
    answer,
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();

  return {
    address,
    port: typeof bound === 'object' && bound ? bound.port : port,
    put(hostText, path, content, { status = 200, headers = {} } = {}) {
      const host = foldHost(hostText);
      if (!HOST.test(host)) return refuse('http.hostMalformed', 'not a host name');
      if (path.length > MAX_PATH_CHARACTERS || !/^\/[!-~]*$/.test(path) || /[?#]/.test(path)) {
        return refuse('http.pathMalformed', 'a path begins with a slash and is percent-encoded, without query');
      }
      if (!Number.isInteger(status) || status < 200 || status > 599 || !areHeaders(headers)) {
        return refuse('http.fileMalformed', 'the status must be 200 to 599 and the headers well-formed');
      }
      const body = Buffer.from(content);
      const key = keyOf(host, path);
      const replaced = files.get(key)?.body.length ?? 0;
      const isFull =
        body.length > MAX_FILE_BYTES ||
        totalBytes - replaced + body.length > MAX_TOTAL_BYTES ||
        (!files.has(key) && files.size >= MAX_FILES);
      if (isFull) return refuse('http.full', 'the file does not fit');
      remove(key);
      files.set(key, { status, headers: { ...headers }, body });
      totalBytes += body.length;
      return ok(undefined);
    },
    delete: (host, path) => remove(keyOf(foldHost(host), path)),
    requests: () => requests,
    reset() {
      files.clear();
      totalBytes = 0;
      requests = [];
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Lower case, without port and trailing dot. */
function foldHost(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

function keyOf(host: string, path: string): string {
  return `${host} ${path}`;
}

function areHeaders(headers: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(headers);
  const bytes = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (entries.length > MAX_HEADERS || bytes > MAX_HEADER_BYTES) return false;
  return entries.every(([name, value]) => {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      return !OWN_HEADERS.has(name.toLowerCase());
    } catch {
      return false;
    }
  });
}

function refuse(code: SandboxFileError['code'], detail: string): Result<undefined, SandboxFileError> {
  return fail({ code, detail });
}
