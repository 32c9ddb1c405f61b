import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../config/values.ts';
import { lingerOnEarlyAnswers } from './lingering-close.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ListenerLimits {
  readonly connections: number;
  readonly requestTimeoutMs: number;
}

/** A bound port or socket. It answers 503 until a handler is attached, and ends by draining. */
export interface Listener {
  readonly server: Server;
  readonly host: string;
  /** The bound port; 0 for a Unix socket. */
  readonly port: number;
  readonly draining: boolean;
  attach(handler: RequestHandler): void;
  /** Certificate chain and key (PEM) for connections from now on; for TLS listeners only. */
  setCertificate(pem: { readonly cert: string; readonly key: string }): void;
  /**
   * Stops accepting, lets requests in flight finish and tells their clients to close; connections that are still open
   * after `ms` are cut. Resolves to how many requests were cut.
   */
  drain(ms: number): Promise<number>;
}

/** An address could not be bound; the message says what to do. */
export class ListenError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'ListenError';
  }
}

const MAX_HEADER_BYTES = 16 * 1024;
/** Longer than the idle time of common proxies, so that they close first. */
const KEEP_ALIVE_MS = 72_000;

interface ListenerOptions {
  readonly tls: boolean;
  readonly limits: ListenerLimits;
  /** Configuration key, named when the address is taken. */
  readonly key: string;
}

/** Binds an address. With `tls` no handshake succeeds until `setCertificate`. Throws {@link ListenError}. */
export async function openListener(address: ListenAddress, options: ListenerOptions): Promise<Listener> {
  const listener = createListener(options);
  try {
    await bind(listener.server, address);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    // a host without IPv6 has no `::`
    if (address.host === '::' && code === 'EAFNOSUPPORT') return openListener({ ...address, host: '0.0.0.0' }, options);
    const what = `${address.host}:${address.port}`;
    if (code === 'EADDRINUSE') {
      throw new ListenError(`${what} is in use by another program; choose another address with ${options.key}`, error);
    }
    if (code === 'EACCES')
      throw new ListenError(`this user may not listen on ${what}; choose a port above 1023`, error);
    throw new ListenError(`cannot listen on ${what} (${String(code)}); check ${options.key}`, error);
  }
  return listener.opened(address.host);
}

function bind(server: Server, address: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(address.port, address.host, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}

/** The parts that TCP and Unix socket listeners share; `opened` is called once the server is bound. */
export function createListener({ tls, limits }: Omit<ListenerOptions, 'key'>) {
  const inFlight = new Set<ServerResponse>();
  let handler: RequestHandler | undefined;
  let draining = false;

  const serverOptions = {
    // answered by the application, in its own words
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: limits.requestTimeoutMs,
    headersTimeout: Math.min(limits.requestTimeoutMs, 30_000),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  };
  const tlsServer: TlsServer | undefined = tls
    ? createTlsServer({ ...serverOptions, minVersion: 'TLSv1.2' })
    : undefined;
  const server: Server = tlsServer ?? createServer(serverOptions);
  server.maxConnections = limits.connections;
  lingerOnEarlyAnswers(server);

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (draining) response.shouldKeepAlive = false;
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
    if (handler !== undefined) handler(request, response);
    else response.writeHead(503, { 'Retry-After': '1', 'Content-Length': '0' }).end();
  });

  function opened(host: string): Listener {
    const address = server.address() as AddressInfo | string | null;
    return {
      server,
      host,
      port: typeof address === 'object' && address !== null ? address.port : 0,
      get draining() {
        return draining;
      },
      attach(next) {
        handler = next;
      },
      setCertificate(pem) {
        if (tlsServer === undefined) throw new Error('a plain listener has no certificate');
        tlsServer.setSecureContext({ ...pem, minVersion: 'TLSv1.2' });
      },
      async drain(ms) {
        draining = true;
        for (const response of inFlight) response.shouldKeepAlive = false;
        const { promise: closed, resolve } = Promise.withResolvers<void>();
        server.close(() => resolve());
        server.closeIdleConnections();
        let cut = 0;
        const timer = setTimeout(() => {
          cut = inFlight.size;
          server.closeAllConnections();
        }, ms);
        await closed;
        clearTimeout(timer);
        return cut;
      },
    };
  }

  return { server, opened };
}
