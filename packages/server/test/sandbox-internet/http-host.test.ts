import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createDnsResolver } from '../../src/adapters/dns/resolver.ts';
import { createHttpFetcher } from '../../src/adapters/http/fetcher.ts';
import { createSandboxDns } from '../../src/sandbox/internet/dns/server.ts';
import { createSandboxHttpHost, type SandboxHttpHost } from '../../src/sandbox/internet/http/host.ts';
import { runProgram, skipWithout } from '../support/programs.ts';

const needsCurl = { skip: skipWithout('curl') };

async function start(t: TestContext): Promise<SandboxHttpHost> {
  const host = await createSandboxHttpHost();
  t.after(() => host.close());
  return host;
}

async function curl(host: SandboxHttpHost, url: string, ...args: string[]) {
  const resolve = ['--connect-to', `::127.0.0.1:${host.port}`];
  return (await runProgram('curl', ['-s', '-m', '10', ...resolve, ...args, url])).stdout;
}

describe('sandbox HTTP host', () => {
  it('serves files by host and path and logs who asked', needsCurl, async (t) => {
    const host = await start(t);
    const path = '/.well-known/pki-validation/ABC.txt';
    assert.ok(host.put('Shop.TEST.', path, 'token').ok);
    assert.ok(host.put('b.test', '/moved', '', { status: 302, headers: { Location: 'http://shop.test/x' } }).ok);
    assert.ok(host.put('b.test', '/bytes', new Uint8Array([0, 255]), { headers: { 'Content-Type': 'x/y' } }).ok);
    assert.equal(await curl(host, `http://shop.test${path}?nonce=1`), 'token');
    assert.equal(await curl(host, `http://shop.test:80${path}`), 'token');
    assert.equal(await curl(host, `http://other.test${path}`, '-o', '/dev/null', '-w', '%{http_code}'), '404');
    assert.equal(await curl(host, 'http://shop.test/%2e', '-o', '/dev/null', '-w', '%{http_code}'), '404');
    assert.match(
      await curl(host, 'http://b.test/moved', '-i'),
      /^HTTP\/1\.1 302 Found\r\n[\s\S]*Location: http:\/\/shop\.test\/x/i,
    );
    assert.match(await curl(host, 'http://b.test/bytes', '-I'), /content-type: x\/y/i);
    assert.match(await curl(host, `http://shop.test${path}`, '-d', 'x', '-i'), /^HTTP\/1\.1 405/);
    assert.deepEqual(
      host.requests().map(({ method, host: name, path: asked, status }) => [method, name, asked, status]),
      [
        ['GET', 'shop.test', path, 200],
        ['GET', 'shop.test', path, 200],
        ['GET', 'other.test', path, 404],
        ['GET', 'shop.test', '/%2e', 404],
        ['GET', 'b.test', '/moved', 302],
        ['HEAD', 'b.test', '/bytes', 200],
        ['POST', 'shop.test', path, 405],
      ],
    );
    host.delete('shop.test', path);
    assert.match(await curl(host, `http://shop.test${path}`, '-i'), /^HTTP\/1\.1 404/);
    host.reset();
    assert.deepEqual(host.requests(), []);
    assert.match(await curl(host, 'http://b.test/moved', '-i'), /^HTTP\/1\.1 404/);
  });

  it('keeps the last hundred requests', async (t) => {
    const host = await start(t);
    const fetcher = createHttpFetcher({
      resolver: createDnsResolver({ servers: [] }),
      connectOverride: () => ({ address: host.address, httpPort: host.port, tlsPort: host.port }),
    });
    const limits = { timeoutMs: 5_000, maxBytes: 100, maxRedirects: 0 };
    for (let i = 0; i < 103; i += 1) await fetcher.get(`http://a.test/${i}`, limits);
    assert.equal(host.requests().length, 100);
    assert.equal(host.requests()[0]?.path, '/3');
    assert.equal(host.requests().at(-1)?.path, '/102');
  });

  it('is where the sandbox DNS leads every name', async (t) => {
    const host = await start(t);
    const dns = await createSandboxDns({
      tsig: { name: 'k', algorithm: 'hmac-sha256', secret: 'AAAA' },
      defaultAddress: host.address,
    });
    t.after(() => dns.close());
    const answer = await createDnsResolver({ servers: [dns] }).resolve('shop.test', 'A');
    assert.ok(answer.kind === 'records');
    assert.deepEqual(answer.records, [{ type: 'A', name: 'shop.test', address: host.address }]);
  });

  it('refuses malformed and oversized files', async (t) => {
    const host = await start(t);
    const code = (result: ReturnType<SandboxHttpHost['put']>) => (result.ok ? 'ok' : result.error.code);
    for (const name of ['', 'a b', 'a/b', 'ä.test']) assert.equal(code(host.put(name, '/', 'x')), 'http.hostMalformed');
    for (const path of ['', 'x', '/a b', '/a?b', '/a#b', '/ä', `/${'x'.repeat(3_000)}`]) {
      assert.equal(code(host.put('a.test', path, 'x')), 'http.pathMalformed', path);
    }
    for (const status of [100, 199, 600, 200.5, Number.NaN]) {
      assert.equal(code(host.put('a.test', '/', 'x', { status })), 'http.fileMalformed');
    }
    for (const headers of [{ 'a b': 'c' }, { a: 'b\r\nc: d' }, { 'Content-Length': '1' }, { a: 'x'.repeat(10_000) }]) {
      assert.equal(code(host.put('a.test', '/', 'x', { headers })), 'http.fileMalformed');
    }
    assert.equal(code(host.put('a.test', '/', new Uint8Array((1 << 20) + 1))), 'http.full');
    const large = new Uint8Array(1 << 20);
    for (let i = 0; i < 64; i += 1) assert.equal(code(host.put('a.test', `/${i}`, large)), 'ok');
    assert.equal(code(host.put('a.test', '/more', 'x')), 'http.full');
    assert.equal(code(host.put('a.test', '/0', 'x')), 'ok');
    assert.equal(code(host.put('a.test', '/more', 'x')), 'ok');
  });

  it('answers 431 to huge headers and closes while clients are connected', async (t) => {
    const host = await createSandboxHttpHost();
    t.after(() => host.close().catch(() => undefined));
    const socket = connect(host.port, host.address);
    socket.on('error', () => undefined);
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 431/);
    const idle = connect(host.port, host.address);
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    await host.close();
  });
});
