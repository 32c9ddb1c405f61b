/** A small HTTP client that trusts one root and nothing else. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface HttpCall {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface HttpClient {
  /** Sends one request and reads the whole answer; rejects when there is none within 30 s or it is larger than 8 MiB. */
  send(url: string, call?: HttpCall): Promise<HttpAnswer>;
  close(): void;
}

const TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 8 << 20;

/** Makes a client. `trustAnchor` is a root certificate, PEM. */
export function createHttpClient(trustAnchor: string): HttpClient {
  const https = new HttpsAgent({ keepAlive: true, ca: trustAnchor });
  const http = new HttpAgent({ keepAlive: true });

  return {
    send(url, { method = 'GET', headers = {}, body } = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
      const payload = body === undefined ? undefined : Buffer.from(body);
      const options = {
        method,
        headers: { ...headers, ...(payload === undefined ? {} : { 'content-length': String(payload.length) }) },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      };
      const outgoing = url.startsWith('https:')
        ? httpsRequest(url, { ...options, agent: https })
        : httpRequest(url, { ...options, agent: http });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        let length = 0;
        incoming.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > MAX_BODY_BYTES)
            outgoing.destroy(new Error(`${url} answers with more than ${MAX_BODY_BYTES} bytes`));
          else chunks.push(chunk);
        });
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) }),
        );
      });
      outgoing.end(payload);
      return promise;
    },
    close() {
      https.destroy();
      http.destroy();
    },
  };
}
