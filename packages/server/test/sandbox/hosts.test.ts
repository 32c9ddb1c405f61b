import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHostTable } from '../../src/sandbox/hosts.ts';

const target = (address: string) => ({ address, httpPort: 80, tlsPort: 443 });

describe('host table', () => {
  it('prefers the exact name, then the nearest wildcard, then the default', () => {
    const hosts = createHostTable(target('127.0.0.1'));
    hosts.put('*.example.com', target('192.0.2.1'));
    hosts.put('*.deep.example.com', target('192.0.2.2'));
    hosts.put('WWW.Example.com.', target('192.0.2.3'));
    for (const [name, address] of [
      ['www.example.com', '192.0.2.3'],
      ['WWW.EXAMPLE.COM.', '192.0.2.3'],
      ['shop.example.com', '192.0.2.1'],
      ['a.b.example.com', '192.0.2.1'],
      ['a.deep.example.com', '192.0.2.2'],
      ['deep.example.com', '192.0.2.1'],
      ['example.com', '127.0.0.1'],
      ['example.org', '127.0.0.1'],
      ['localhost', '127.0.0.1'],
    ] as const) {
      assert.equal(hosts.find(name).address, address, name);
    }
    hosts.reset();
    assert.equal(hosts.find('www.example.com').address, '127.0.0.1');
  });

  it('is bounded; known names can still be changed', () => {
    const hosts = createHostTable(target('127.0.0.1'));
    for (let index = 0; index < 10_000; index++) assert.ok(hosts.put(`h${index}.example`, target('192.0.2.1')));
    assert.equal(hosts.put('one.too.many', target('192.0.2.1')), false);
    assert.equal(hosts.put('h1.example', target('192.0.2.9')), true);
    assert.equal(hosts.find('h1.example').address, '192.0.2.9');
  });
});
