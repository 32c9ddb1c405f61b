import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { DnsAnswer, DnsRecordType, HttpFetchOutcome, Resolver } from '@certwright/core';
import { createHttpFetcher, type HttpFetcherOptions } from '../../src/adapters/http/fetcher.ts';
import { runProgram, skipWithout } from '../support/programs.ts';

const LIMITS = { timeoutMs: 2_000, maxBytes: 1_000, maxRedirects: 5 };

/** Answers from a table of addresses; other names do not exist. */
function tableResolver(table: Record<string, readonly string[]>): Resolver & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async resolve(name: string, type: DnsRecordType): Promise<DnsAnswer> {
      asked.push(`${name} ${type}`);
      const context = { cnameChain: [], ttl: 60, server: 'table', authenticated: false };
      const addresses = (table[name] ?? []).filter((address) => address.includes(':') === (type === 'AAAA'));
      if (addresses.length === 0 || (type !== 'A' && type !== 'AAAA')) {
        return { kind: 'none', nxdomain: !(name in table), ...context };
      }
      return { kind: 'records', records: addresses.map((address) => ({ type, name, address })), ...context };
    },
  };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  assert.ok(bound && typeof bound === 'object');
  return bound.port;
}

/** A fetcher that finds every name at a test server. */
async function fetcherFor(t: TestContext, listener: RequestListener, options: Partial<HttpFetcherOptions> = {}) {
  const httpPort = await listen(t, createHttpServer(listener));
  return createHttpFetcher({
    resolver: tableResolver({}),
    connectOverride: () => ({ address: '127.0.0.1', httpPort, tlsPort: httpPort }),
    ...options,
  });
}

/** A fetcher that finds every name at a server which answers with raw bytes. */
async function fetcherForRaw(t: TestContext, answer: (socket: Socket) => void) {
  const server = createTcpServer((socket) => socket.once('data', () => answer(socket)));
  const httpPort = await listen(t, server);
  return createHttpFetcher({
    resolver: tableResolver({}),
    connectOverride: () => ({ address: '127.0.0.1', httpPort, tlsPort: httpPort }),
  });
}

function redirectTo(location: (request: IncomingMessage) => string, status = 302): RequestListener {
  return (request, response) => void response.writeHead(status, { location: location(request) }).end();
}

function reasonOf(outcome: HttpFetchOutcome): string {
  return outcome.kind === 'response' ? `response ${outcome.status}` : `${outcome.kind} ${outcome.reason}`;
}

const textOf = (outcome: HttpFetchOutcome): string =>
  outcome.kind === 'response' ? Buffer.from(outcome.body).toString() : assert.fail(reasonOf(outcome));

describe('HTTP fetcher: what it asks', () => {
  it('sends the name as Host, a User-Agent and no credentials, and returns the body', async (t) => {
    const seen: IncomingMessage[] = [];
    const fetcher = await fetcherFor(
      t,
      (request, response) => {
        seen.push(request);
        response.end('token\n');
      },
      { userAgent: 'Test/1' },
    );
    const outcome = await fetcher.get('http://Shop.Example.TEST/.well-known/pki-validation/x.txt?a=b#c', LIMITS);
    assert.equal(textOf(outcome), 'token\n');
    assert.ok(outcome.kind === 'response' && !outcome.truncated);
    assert.deepEqual(outcome.hops, [
      { url: 'http://shop.example.test/.well-known/pki-validation/x.txt?a=b#c', address: '127.0.0.1', status: 200 },
    ]);
    assert.equal(seen[0]?.url, '/.well-known/pki-validation/x.txt?a=b');
    assert.equal(seen[0]?.headers.host, 'shop.example.test');
    assert.equal(seen[0]?.headers['user-agent'], 'Test/1');
    assert.equal(seen[0]?.headers.authorization, undefined);
  });

  it('connects to the address that the resolver gave and to none other', async (t) => {
    const resolver = tableResolver({ 'only.test': ['127.0.0.1'] });
    const fetcher = createHttpFetcher({ resolver, allowedNetworks: ['127.0.0.0/8'] });
    const outcome = await fetcher.get('http://only.test/', { ...LIMITS, timeoutMs: 500 });
    // Whether something listens on port 80 of this machine is not known; who was asked is.
    assert.deepEqual(outcome.hops[0]?.address, '127.0.0.1');
    assert.deepEqual(resolver.asked.toSorted(), ['only.test A', 'only.test AAAA']);
    t.diagnostic(reasonOf(outcome));
  });

  it('never asks the system for a name', async () => {
    const fetcher = createHttpFetcher({ resolver: tableResolver({}), allowedNetworks: ['127.0.0.0/8'] });
    assert.equal(reasonOf(await fetcher.get('http://localhost/', LIMITS)), 'failure dns');
  });

  it('reports why a name has no address', async () => {
    const failing: Resolver = {
      resolve: async () => ({ kind: 'failure', reason: 'servfail', detail: 'broken', server: 'x' }),
    };
    const outcome = await createHttpFetcher({ resolver: failing }).get('http://a.test/', LIMITS);
    assert.ok(outcome.kind === 'failure');
    assert.deepEqual([outcome.reason, outcome.detail], ['dns', 'servfail: broken']);
  });

  it('refuses URLs that a first request may not have', async (t) => {
    const fetcher = await fetcherFor(t, (_request, response) => void response.end('x'));
    for (const url of [
      'ftp://a.test/',
      'file:///etc/passwd',
      'http://a.test:8080/',
      'http://a.test:443/',
      'https://a.test:80/',
      'http://user:secret@a.test/',
      'http://',
      '/path',
      '',
      `http://a.test/${'x'.repeat(3_000)}`,
    ]) {
      assert.equal(reasonOf(await fetcher.get(url, LIMITS)), 'refused malformed', url);
    }
  });
});

describe('HTTP fetcher: addresses', () => {
  const table = {
    'private.test': ['10.0.0.1', '192.168.1.1'],
    'metadata.test': ['169.254.169.254'],
    'loopback6.test': ['::1'],
    'mapped.test': ['::ffff:127.0.0.1'],
  };

  it('refuses names that lead to forbidden addresses, without connecting', async () => {
    const fetcher = createHttpFetcher({ resolver: tableResolver(table) });
    for (const name of Object.keys(table)) {
      const outcome = await fetcher.get(`http://${name}/`, LIMITS);
      assert.equal(reasonOf(outcome), 'refused addressForbidden', name);
      assert.deepEqual(outcome.hops, []);
    }
  });

  it('refuses address literals in every spelling', async () => {
    const fetcher = createHttpFetcher({ resolver: tableResolver({}) });
    for (const host of ['127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '[::1]', '[::ffff:7f00:1]']) {
      assert.equal(reasonOf(await fetcher.get(`http://${host}/`, LIMITS)), 'refused addressForbidden', host);
    }
  });

  it('goes from IPv6 to IPv4 when there is no connection', async () => {
    // Loopback port 80 and 443: nothing is expected there, both attempts have to show up in order.
    const fetcher = createHttpFetcher({
      resolver: tableResolver({ 'dual.test': ['127.0.0.3', '::1', '127.0.0.2', '127.0.0.4'] }),
      allowedNetworks: ['127.0.0.0/8', '::1'],
    });
    const outcome = await fetcher.get('https://dual.test/', LIMITS);
    const addresses = outcome.hops.map(({ address }) => address);
    assert.deepEqual(addresses, ['::1', '127.0.0.3', '127.0.0.2'].slice(0, addresses.length));
    if (outcome.kind === 'failure' && outcome.reason === 'connect') assert.equal(addresses.length, 3);
  });

  it('applies the filter after a redirect too', async (t) => {
    const httpPort = await listen(
      t,
      createHttpServer(
        redirectTo(({ url }) => (url === '/name' ? 'http://metadata.test/latest' : 'http://169.254.169.254/')),
      ),
    );
    const fetcher = createHttpFetcher({
      resolver: tableResolver(table),
      connectOverride: (name) => (name === 'a.test' ? { address: '127.0.0.1', httpPort, tlsPort: 1 } : undefined),
    });
    for (const path of ['name', 'literal']) {
      const outcome = await fetcher.get(`http://a.test/${path}`, LIMITS);
      assert.equal(reasonOf(outcome), 'refused addressForbidden');
      assert.deepEqual(outcome.hops, [{ url: `http://a.test/${path}`, address: '127.0.0.1', status: 302 }]);
    }
  });

  it('refuses to be set up with a malformed network', () => {
    assert.throws(
      () => createHttpFetcher({ resolver: tableResolver({}), allowedNetworks: ['10.0.0.0/33'] }),
      TypeError,
    );
  });
});

describe('HTTP fetcher: redirects', () => {
  for (const status of [301, 302, 307, 308]) {
    it(`follows ${status}, absolute and relative`, async (t) => {
      const fetcher = await fetcherFor(t, (request, response) => {
        if (request.url === '/1') response.writeHead(status, { location: 'http://b.test/2' }).end('ignored');
        else if (request.url === '/2') response.writeHead(status, { location: '3?x' }).end();
        else response.end(`${request.headers.host}${request.url}`);
      });
      const outcome = await fetcher.get('http://a.test/1', LIMITS);
      assert.equal(textOf(outcome), 'b.test/3?x');
      assert.ok(outcome.kind === 'response');
      assert.equal(outcome.finalUrl, 'http://b.test/3?x');
      assert.deepEqual(
        outcome.hops.map((hop) => `${hop.status} ${hop.url}`),
        [`${status} http://a.test/1`, `${status} http://b.test/2`, '200 http://b.test/3?x'],
      );
    });
  }

  for (const status of [300, 303, 304, 305]) {
    it(`does not follow ${status}`, async (t) => {
      const fetcher = await fetcherFor(
        t,
        redirectTo(() => 'http://b.test/', status),
      );
      assert.equal(reasonOf(await fetcher.get('http://a.test/', LIMITS)), `response ${status}`);
    });
  }

  it('ends a loop at the limit', async (t) => {
    const fetcher = await fetcherFor(
      t,
      redirectTo(() => '/again'),
    );
    const outcome = await fetcher.get('http://a.test/', LIMITS);
    assert.equal(reasonOf(outcome), 'refused tooManyRedirects');
    assert.equal(outcome.hops.length, 6);
    const none = await fetcher.get('http://a.test/', { ...LIMITS, maxRedirects: 0 });
    assert.equal(none.hops.length, 1);
  });

  it('refuses other schemes, ports, user information and malformed targets', async (t) => {
    for (const location of [
      'ftp://b.test/',
      'file:///etc/passwd',
      'gopher://b.test/',
      'javascript:alert(1)',
      'http://b.test:8080/',
      'https://b.test:8443/',
      'http://user@b.test/',
      'http://b.test:99999/',
      'http://',
      `/${'x'.repeat(3_000)}`,
    ]) {
      const fetcher = await fetcherFor(
        t,
        redirectTo(() => location),
      );
      assert.equal(reasonOf(await fetcher.get('http://a.test/', LIMITS)), 'refused redirectForbidden', location);
    }
  });

  it('takes a redirect without Location as the answer', async (t) => {
    const fetcher = await fetcherFor(t, (_request, response) => void response.writeHead(302).end());
    assert.equal(reasonOf(await fetcher.get('http://a.test/', LIMITS)), 'response 302');
  });
});

describe('HTTP fetcher: hostile servers', () => {
  const endless = (response: ServerResponse): void => {
    const push = (): void => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
      if (!response.destroyed) response.once('drain', push);
    };
    push();
  };

  it('cuts an endless body and closes the connection', async (t) => {
    const closed = Promise.withResolvers<void>();
    const fetcher = await fetcherFor(t, (_request, response) => {
      response.on('close', () => closed.resolve());
      endless(response);
    });
    const outcome = await fetcher.get('http://a.test/', LIMITS);
    assert.ok(outcome.kind === 'response');
    assert.equal(outcome.truncated, true);
    assert.equal(outcome.body.length, LIMITS.maxBytes);
    await closed.promise;
  });

  it('does not call a body of exactly the limit cut', async (t) => {
    const fetcher = await fetcherFor(t, (_request, response) => void response.end('x'.repeat(LIMITS.maxBytes)));
    const outcome = await fetcher.get('http://a.test/', LIMITS);
    assert.ok(outcome.kind === 'response' && !outcome.truncated && outcome.body.length === LIMITS.maxBytes);
  });

  it('does not unpack compressed bodies', async (t) => {
    const fetcher = await fetcherFor(
      t,
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip'),
    );
    assert.equal(textOf(await fetcher.get('http://a.test/', LIMITS)), 'not gzip');
  });

  it('ends a slow drip in time, in the body as in the headers', async (t) => {
    const limits = { ...LIMITS, timeoutMs: 150 };
    const drip = (socket: Socket): void => {
      const timer = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(timer));
    };
    for (const start of ['HTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 200 OK\r\nX-Slow: ', '']) {
      const fetcher = await fetcherForRaw(t, (socket) => {
        socket.write(start);
        if (start !== '') drip(socket);
      });
      assert.equal(reasonOf(await fetcher.get('http://a.test/', limits)), 'failure timeout', start);
    }
  });

  it('counts the time over all redirects', async (t) => {
    const fetcher = await fetcherFor(t, (_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/again' }).end(), 60);
    });
    const outcome = await fetcher.get('http://a.test/', { ...LIMITS, timeoutMs: 150, maxRedirects: 100 });
    assert.equal(reasonOf(outcome), 'failure timeout');
  });

  it('ends with a resolver that never answers', async () => {
    const silent: Resolver = { resolve: () => new Promise(() => undefined) };
    const outcome = await createHttpFetcher({ resolver: silent }).get('http://a.test/', { ...LIMITS, timeoutMs: 30 });
    assert.equal(reasonOf(outcome), 'failure timeout');
  });

  it('gives up on endless headers and on 1xx answers without end', async (t) => {
    const headers = await fetcherForRaw(t, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const push = (): void => {
        while (!socket.destroyed && socket.write(`X-Filler: ${'x'.repeat(1_000)}\r\n`));
        if (!socket.destroyed) socket.once('drain', push);
      };
      push();
    });
    assert.equal(reasonOf(await headers.get('http://a.test/', LIMITS)), 'failure malformed');
    const informational = await fetcherForRaw(t, (socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    assert.equal(reasonOf(await informational.get('http://a.test/', { ...LIMITS, timeoutMs: 100 })), 'failure timeout');
  });

  it('names answers that are no HTTP or end early', async (t) => {
    const cases: [bytes: string, reason: string][] = [
      ['SSH-2.0-OpenSSH_9.2\r\n', 'failure malformed'],
      ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort', 'failure connect'],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'failure malformed'],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n', 'failure malformed'],
      ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'failure malformed'],
      ['', 'failure connect'],
    ];
    for (const [bytes, reason] of cases) {
      const fetcher = await fetcherForRaw(t, (socket) => void socket.end(bytes));
      assert.equal(reasonOf(await fetcher.get('http://a.test/', LIMITS)), reason, bytes);
    }
  });

  it('names a closed port and a TLS failure', async (t) => {
    const fetcher = await fetcherForRaw(t, (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    assert.equal(reasonOf(await fetcher.get('https://a.test/', LIMITS)), 'failure tls');
    const closed = createTcpServer();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const bound = closed.address();
    assert.ok(bound && typeof bound === 'object');
    closed.close();
    await once(closed, 'close');
    const nowhere = createHttpFetcher({
      resolver: tableResolver({}),
      connectOverride: () => ({ address: '127.0.0.1', httpPort: bound.port, tlsPort: bound.port }),
    });
    assert.equal(reasonOf(await nowhere.get('http://a.test/', LIMITS)), 'failure connect');
  });
});

describe('HTTP fetcher: https', () => {
  it('follows to https without trusting the certificate, with the name in SNI', {
    skip: skipWithout('openssl'),
  }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'certwright-fetcher-'));
    t.after(() => rm(folder, { recursive: true }));
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=somebody.else', '-days', '1'];
    const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await runProgram('openssl', [
      'req',
      '-x509',
      ...keyOptions,
      ...subject,
      '-keyout',
      keyFile,
      '-out',
      certificateFile,
    ]);
    const names: unknown[] = [];
    const tls = createHttpsServer(
      { key: await readFile(keyFile), cert: await readFile(certificateFile) },
      (request, response) => {
        names.push(request.headers.host, 'servername' in request.socket && request.socket.servername);
        response.end('token');
      },
    );
    const tlsPort = await listen(t, tls);
    const httpPort = await listen(t, createHttpServer(redirectTo(() => 'https://b.test/x')));
    const fetcher = createHttpFetcher({
      resolver: tableResolver({}),
      connectOverride: () => ({ address: '127.0.0.1', httpPort, tlsPort }),
    });
    assert.equal(textOf(await fetcher.get('http://a.test/', LIMITS)), 'token');
    assert.deepEqual(names, ['b.test', 'b.test']);
  });
});

describe('HTTP fetcher: load', () => {
  it('refuses rather than queue without bound', async () => {
    const gate = Promise.withResolvers<DnsAnswer>();
    const fetcher = createHttpFetcher({ resolver: { resolve: () => gate.promise } });
    const running = Array.from({ length: 64 + 1_024 }, () => fetcher.get('http://a.test/', LIMITS));
    const refused = await fetcher.get('http://a.test/', LIMITS);
    assert.equal(reasonOf(refused), 'failure timeout');
    gate.resolve({ kind: 'none', nxdomain: true, cnameChain: [], ttl: 0, server: 'x', authenticated: false });
    for (const outcome of await Promise.all(running)) assert.equal(reasonOf(outcome), 'failure dns');
  });
});
