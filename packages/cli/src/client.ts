/** Client of the management API: over the server's Unix socket, or over HTTPS with a bearer token. */
import { readFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { CliError, EXIT } from './exit-codes.ts';

export interface ClientOptions {
  readonly data: string;
  readonly socket?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly caFile?: string | undefined;
}

export interface ManageClient {
  get<T>(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  /** Rows of a list, page by page up to `limit`. */
  list<T>(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    limit: number,
  ): Promise<{ readonly items: readonly T[]; readonly next: string | null }>;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const BASE = '/api/manage/v1';
const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 64 << 20;
const PAGE_ROWS = 200;

/** Makes a client; nothing is connected before the first call. Calls end with a {@link CliError}. */
export function createClient(options: ClientOptions): ManageClient {
  const transport = options.url === undefined ? overSocket(options) : overHttps(options, options.url);

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await send(transport, method, `${BASE}${path}`, body);
    if (answer.status >= 200 && answer.status < 300) return answer.body as T;
    throw refusal(answer, transport.where);
  }

  const get: ManageClient['get'] = (path, query = {}) => call('GET', path + queryText(query));

  return {
    get,
    post: (path, body) => call('POST', path, body),
    async list<T>(path: string, query: Readonly<Record<string, string | number | undefined>>, limit: number) {
      const items: T[] = [];
      let next: string | null = null;
      do {
        const wanted = Math.min(PAGE_ROWS, limit - items.length);
        const page: Page<T> = await get(path, { ...query, limit: wanted, cursor: next ?? undefined });
        items.push(...page.items);
        next = page.next;
      } while (next !== null && items.length < limit);
      return { items, next };
    },
  };
}

interface Transport {
  /** For messages. */
  readonly where: string;
  readonly hint: string;
  readonly headers: Readonly<Record<string, string>>;
  open(options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest;
}

function overSocket({ data, socket }: ClientOptions): Transport {
  const path = resolve(socket ?? join(data, 'manage.sock'));
  return {
    where: path,
    hint: 'Is `certwright serve` running? Name its data directory with --data, or its address with --url and --token.',
    headers: { Host: 'localhost', 'X-Operator': operatorName() },
    open: (options, onAnswer) => httpRequest({ ...options, socketPath: path }, onAnswer),
  };
}

function overHttps({ data, token, caFile }: ClientOptions, text: string): Transport {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new CliError(EXIT.usage, `${text} is not an https URL`, { hint: 'Give --url like https://ca.example:8440.' });
  }
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !isLoopback) {
    throw new CliError(EXIT.usage, 'a token is not sent over plain HTTP to another machine', {
      hint: 'Use an https URL.',
    });
  }
  if (token === undefined || token === '') {
    throw new CliError(EXIT.usage, 'a server that is reached by --url needs a token', {
      hint: 'Give --token or CERTWRIGHT_TOKEN: an access token of an administrator’s credential.',
    });
  }
  const ca = trustAnchors(data, caFile);
  const base = url.pathname.replace(/\/+$/, '');
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return {
    where: url.origin,
    hint: 'Check the address in --url, and that the server runs.',
    headers: { Authorization: `Bearer ${token}` },
    open: (options, onAnswer) =>
      open(
        {
          ...options,
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port,
          path: base + (options.path ?? ''),
          ca,
        },
        onAnswer,
      ),
  };
}

/** The usual anchors and the CA's own root: from --ca-file, or from the data directory when it is on this machine. */
function trustAnchors(data: string, caFile: string | undefined): string[] {
  if (caFile !== undefined) {
    try {
      return [readFileSync(caFile, 'utf8')];
    } catch {
      throw new CliError(EXIT.usage, `the CA file ${caFile} cannot be read`, {
        hint: 'Give a PEM file with --ca-file.',
      });
    }
  }
  try {
    return [...rootCertificates, readFileSync(join(data, 'root-ca.pem'), 'utf8')];
  } catch {
    return [...rootCertificates];
  }
}

/** Goes into the audit trail; the system's word for who runs the command. */
function operatorName(): string {
  try {
    return userInfo()
      .username.replaceAll(/[^A-Za-z0-9._@-]/g, '')
      .slice(0, 64);
  } catch {
    return '';
  }
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

function send(transport: Transport, method: string, path: string, body: unknown): Promise<Answer> {
  const { promise, resolve: succeed, reject } = Promise.withResolvers<Answer>();
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const fail = (error: NodeJS.ErrnoException): void => reject(unreachable(error, transport));
  const request = transport.open(
    {
      method,
      path,
      agent: false,
      timeout: TIMEOUT_MS,
      headers: {
        Accept: 'application/json',
        ...transport.headers,
        ...(payload === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': payload.length }),
      },
    },
    (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) answer.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      answer.on('end', () =>
        succeed({ status: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) }),
      );
      answer.on('error', fail);
    },
  );
  request.on('timeout', () => request.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
  request.on('error', fail);
  request.end(payload);
  return promise;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(error: NodeJS.ErrnoException, { where, hint }: Transport): CliError {
  const code = error.code ?? '';
  if (code === 'EACCES') {
    return new CliError(EXIT.denied, `this user may not open ${where}`, {
      code: 'permission.denied',
      hint: 'Run the command as the user that runs the server.',
    });
  }
  if (/CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)) {
    return new CliError(EXIT.unreachable, `the certificate of ${where} is not trusted (${code})`, {
      code: 'unreachable',
      hint: 'Give the root certificate of the CA with --ca-file.',
    });
  }
  return new CliError(EXIT.unreachable, `no server answers at ${where} (${code === '' ? error.message : code})`, {
    code: 'unreachable',
    hint,
  });
}

/** The server's problem+json as an error of the command. */
function refusal({ status, body }: Answer, where: string): CliError {
  const problem = typeof body === 'object' && body !== null ? body : {};
  const detail =
    'detail' in problem && typeof problem.detail === 'string' ? problem.detail : `${where} answered ${status}`;
  const code = 'code' in problem && typeof problem.code === 'string' ? problem.code : `http.${status}`;
  const requestId = 'requestId' in problem && typeof problem.requestId === 'string' ? problem.requestId : '';
  const sentence = detail.replace(/\.$/, '');
  switch (status) {
    case 401:
      return new CliError(EXIT.denied, sentence, { code, hint: 'Get a new access token and give it with --token.' });
    case 403:
      return new CliError(EXIT.denied, sentence, { code });
    case 404:
      return new CliError(EXIT.notFound, sentence, { code });
    case 503:
      return new CliError(EXIT.failed, sentence, { code, hint: 'Try again in a moment.' });
    default:
      return new CliError(EXIT.failed, sentence, {
        code,
        ...(status >= 500 && requestId !== ''
          ? { hint: `The server’s log has it under request id ${requestId}.` }
          : {}),
      });
  }
}
