import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import type { DnsRecordType } from '@certwright/core';
import * as dnsPacket from 'dns-packet';
import { createDnsResolver, type DnsResolverOptions, parseDnsServer } from '../../src/adapters/dns/resolver.ts';
import { encodeFakeReply, type FakeDnsQuery, type FakeDnsReply, startFakeDns } from '../support/dns-fake.ts';

type Handler = (query: FakeDnsQuery) => readonly FakeDnsReply[];

async function resolveWith(
  t: TestContext,
  udp: Handler,
  ask: { name: string; type: DnsRecordType; options?: DnsResolverOptions; tcp?: (query: FakeDnsQuery) => FakeDnsReply },
) {
  const { tcp } = ask;
  const server = await startFakeDns(
    (query) => udp(query).map((reply) => encodeFakeReply(query, reply)),
    tcp && ((query) => encodeFakeReply(query, tcp(query))),
  );
  t.after(() => server.close());
  const resolver = createDnsResolver({ servers: [server.address], timeoutMs: 300, ...ask.options });
  const answer = await resolver.resolve(ask.name, ask.type);
  return { answer, server };
}

const txt = (name: string, value: string, ttl = 60): dnsPacket.Answer => ({ type: 'TXT', name, ttl, data: value });
const cname = (name: string, target: string, ttl = 60): dnsPacket.Answer => ({
  type: 'CNAME',
  name,
  ttl,
  data: target,
});
const soa = (name: string, minimum: number): dnsPacket.Answer => ({
  type: 'SOA',
  name,
  ttl: 3_600,
  data: { mname: `ns.${name}`, rname: `admin.${name}`, minimum },
});

describe('DNS resolver: answers', () => {
  it('joins the character-strings of a TXT record and reports the lowest TTL', async (t) => {
    const { answer, server } = await resolveWith(
      t,
      ({ name }) => [
        { answers: [{ type: 'TXT', name, ttl: 30, data: ['one ', Buffer.from('two')] }, txt(name, 'three', 20)] },
      ],
      { name: 'Example.TEST.', type: 'TXT' },
    );
    assert.ok(answer.kind === 'records');
    assert.deepEqual(
      answer.records.map((record) => record.type === 'TXT' && record.value),
      ['one two', 'three'],
    );
    assert.equal(answer.ttl, 20);
    assert.deepEqual(answer.cnameChain, []);
    assert.equal(answer.server, `127.0.0.1:${server.address.port}`);
    assert.deepEqual(server.queries, [{ transport: 'udp', name: 'example.test', type: 'TXT' }]);
  });

  it('reads every record type', async (t) => {
    const data: Record<string, dnsPacket.Answer> = {
      A: { type: 'A', name: 'x.test', ttl: 1, data: '192.0.2.7' },
      AAAA: { type: 'AAAA', name: 'x.test', ttl: 1, data: '2001:db8::7' },
      CNAME: cname('x.test', 'Y.test'),
      NS: { type: 'NS', name: 'x.test', ttl: 1, data: 'ns.x.test' },
      CAA: {
        type: 'CAA',
        name: 'x.test',
        ttl: 1,
        data: { flags: 128, tag: 'issue', value: 'ca.test; validationmethods=dns-01' },
      },
      MX: { type: 'MX', name: 'x.test', ttl: 1, data: { preference: 10, exchange: 'mx.x.test' } },
      SOA: soa('x.test', 7),
    };
    const expected = {
      A: { type: 'A', name: 'x.test', address: '192.0.2.7' },
      AAAA: { type: 'AAAA', name: 'x.test', address: '2001:db8::7' },
      CNAME: { type: 'CNAME', name: 'x.test', target: 'y.test' },
      NS: { type: 'NS', name: 'x.test', target: 'ns.x.test' },
      CAA: { type: 'CAA', name: 'x.test', critical: true, tag: 'issue', value: 'ca.test; validationmethods=dns-01' },
      MX: { type: 'MX', name: 'x.test', preference: 10, exchange: 'mx.x.test' },
      SOA: { type: 'SOA', name: 'x.test', mname: 'ns.x.test', rname: 'admin.x.test', minimum: 7 },
    };
    const server = await startFakeDns((query) => [
      encodeFakeReply(query, { answers: [data[query.type] ?? soa('x', 1)] }),
    ]);
    t.after(() => server.close());
    const resolver = createDnsResolver({ servers: [server.address] });
    for (const [type, record] of Object.entries(expected)) {
      const answer = await resolver.resolve('x.test', type as DnsRecordType);
      assert.ok(answer.kind === 'records', type);
      assert.deepEqual(answer.records, [record]);
    }
  });

  it('tells NXDOMAIN from NODATA and takes the TTL of the SOA', async (t) => {
    const { answer } = await resolveWith(t, () => [{ rcode: 3, authorities: [soa('test', 40)] }], {
      name: 'gone.test',
      type: 'CAA',
    });
    assert.ok(answer.kind === 'none');
    assert.equal(answer.nxdomain, true);
    assert.equal(answer.ttl, 40);
    const { answer: empty } = await resolveWith(t, () => [{}], { name: 'empty.test', type: 'CAA' });
    assert.ok(empty.kind === 'none');
    assert.equal(empty.nxdomain, false);
    assert.equal(empty.ttl, 0);
  });

  it('reports the AD bit only when every answer on the way had it', async (t) => {
    const signed = dnsPacket.RECURSION_AVAILABLE | dnsPacket.AUTHENTIC_DATA;
    const ask = { name: 'a.test', type: 'TXT' } as const;
    const { answer } = await resolveWith(t, ({ name }) => [{ flags: signed, answers: [txt(name, 'x')] }], ask);
    assert.ok(answer.kind === 'records' && answer.authenticated);
    const { answer: mixed } = await resolveWith(
      t,
      ({ name }) =>
        name === 'a.test'
          ? [{ flags: signed, answers: [cname('a.test', 'b.test')] }]
          : [{ answers: [txt('b.test', 'x')] }],
      ask,
    );
    assert.ok(mixed.kind === 'records' && !mixed.authenticated);
  });

  it('does not take a referral for an absent record', async (t) => {
    const ns: dnsPacket.Answer = { type: 'NS', name: 'test', ttl: 60, data: 'ns.test' };
    const { answer } = await resolveWith(t, () => [{ flags: 0, authorities: [ns] }], { name: 'a.test', type: 'CAA' });
    assert.ok(answer.kind === 'failure');
    assert.equal(answer.reason, 'refused');
  });
});

describe('DNS resolver: CNAMEs', () => {
  it('follows a chain within one answer, whatever the order and letter case', async (t) => {
    const { answer, server } = await resolveWith(
      t,
      () => [{ answers: [txt('C.test', 'x', 9), cname('b.test', 'c.TEST', 5), cname('A.test', 'b.test')] }],
      { name: 'a.test', type: 'TXT' },
    );
    assert.ok(answer.kind === 'records');
    assert.deepEqual(answer.cnameChain, ['a.test', 'b.test', 'c.test']);
    assert.equal(answer.ttl, 5);
    assert.equal(server.queries.length, 1);
  });

  it('asks again where the server stops, and trusts its SOA that there is nothing', async (t) => {
    const { answer, server } = await resolveWith(
      t,
      ({ name }) =>
        name === 'a.test'
          ? [{ answers: [cname('a.test', 'b.other')] }]
          : [{ answers: [cname('b.other', 'c.other')], authorities: [soa('other', 3)] }],
      { name: 'a.test', type: 'TXT' },
    );
    assert.ok(answer.kind === 'none');
    assert.deepEqual(answer.cnameChain, ['a.test', 'b.other', 'c.other']);
    assert.deepEqual(
      server.queries.map(({ name }) => name),
      ['a.test', 'b.other'],
    );
  });

  it('answers a question for the CNAME itself without following it', async (t) => {
    const { answer } = await resolveWith(t, () => [{ answers: [cname('a.test', 'b.test')] }], {
      name: 'a.test',
      type: 'CNAME',
    });
    assert.ok(answer.kind === 'records');
    assert.deepEqual(answer.records, [{ type: 'CNAME', name: 'a.test', target: 'b.test' }]);
  });

  it('stops at a loop and after eight links', async (t) => {
    const { answer: loop } = await resolveWith(
      t,
      ({ name }) => [{ answers: [cname(name, name === 'a.test' ? 'b.test' : 'a.test')] }],
      { name: 'a.test', type: 'TXT' },
    );
    assert.ok(loop.kind === 'failure');
    assert.equal(loop.reason, 'cnameLoop');

    const next = (name: string): string => `${Number(name.split('.')[0]) + 1}.test`;
    const endless = await resolveWith(t, ({ name }) => [{ answers: [cname(name, next(name))] }], {
      name: '0.test',
      type: 'TXT',
    });
    assert.ok(endless.answer.kind === 'failure');
    assert.equal(endless.answer.reason, 'cnameLoop');
    assert.equal(endless.server.queries.length, 9);

    const eight = await resolveWith(
      t,
      ({ name }) => [{ answers: [name === '8.test' ? txt(name, 'end') : cname(name, next(name))] }],
      { name: '0.test', type: 'TXT' },
    );
    assert.ok(eight.answer.kind === 'records');
  });

  it('ignores records of other names that come along', async (t) => {
    const { answer } = await resolveWith(t, () => [{ answers: [txt('other.test', 'forged')] }], {
      name: 'a.test',
      type: 'TXT',
    });
    assert.equal(answer.kind, 'none');
  });
});

describe('DNS resolver: hostile and broken servers', () => {
  it('ignores answers with a wrong id, another question or no QR bit', async (t) => {
    const { answer } = await resolveWith(
      t,
      (query) => {
        const forged = [txt(query.name, 'forged')];
        return [
          { id: ((query.packet.id ?? 0) + 1) & 0xffff, answers: forged },
          { question: { type: 'TXT', name: 'other.test' }, answers: forged },
          { question: { type: 'A', name: query.name }, answers: forged },
          { answers: [txt(query.name, 'right')] },
        ];
      },
      { name: 'a.test', type: 'TXT' },
    );
    assert.ok(answer.kind === 'records');
    assert.deepEqual(answer.records, [{ type: 'TXT', name: 'a.test', value: 'right' }]);
  });

  it('does not hear answers from another port', async (t) => {
    const stranger = createSocket('udp4');
    stranger.bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    t.after(() => stranger.close());
    const server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    server.on('message', (bytes, client) => {
      const packet = dnsPacket.decode(bytes);
      const reply = (value: string) =>
        dnsPacket.encode({
          type: 'response',
          id: packet.id,
          questions: packet.questions ?? [],
          answers: [txt('a.test', value)],
        });
      stranger.send(reply('forged'), client.port, client.address, () => {
        server.send(reply('right'), client.port, client.address);
      });
    });
    const { port } = server.address();
    const answer = await createDnsResolver({ servers: [{ address: '127.0.0.1', port }] }).resolve('a.test', 'TXT');
    assert.ok(answer.kind === 'records');
    assert.deepEqual(answer.records, [{ type: 'TXT', name: 'a.test', value: 'right' }]);
  });

  it('moves to TCP when forged answers rain', async (t) => {
    const { answer } = await resolveWith(
      t,
      (query) => Array.from({ length: 20 }, (_, i) => ({ id: ((query.packet.id ?? 0) + 1 + i) & 0xffff })),
      { name: 'a.test', type: 'TXT', tcp: ({ name }) => ({ answers: [txt(name, 'over TCP')] }) },
    );
    assert.ok(answer.kind === 'records');
  });

  it('repeats a truncated answer over TCP and takes up to 64 KiB there', async (t) => {
    const values = Array.from({ length: 220 }, (_, i) => `${i} `.padEnd(255, 'x'));
    const { answer, server } = await resolveWith(t, () => [{ flags: dnsPacket.TRUNCATED_RESPONSE }], {
      name: 'big.test',
      type: 'TXT',
      tcp: ({ name }) => ({ answers: values.map((value) => txt(name, value)) }),
    });
    assert.ok(answer.kind === 'records');
    assert.deepEqual(
      answer.records.map((record) => record.type === 'TXT' && record.value),
      values,
    );
    assert.deepEqual(
      server.queries.map(({ transport }) => transport),
      ['udp', 'tcp'],
    );
  });

  it('demands the letter case back when it is randomized', async (t) => {
    const name = 'a-rather-long-name-with-many-letters.example.test';
    const keeps = await resolveWith(t, (query) => [{ answers: [txt(query.name, 'x')] }], {
      name,
      type: 'TXT',
      options: { randomizeCase: true },
    });
    assert.equal(keeps.answer.kind, 'records');
    assert.notEqual(keeps.server.queries[0]?.name, name);
    const folds = await resolveWith(t, () => [{ question: { type: 'TXT', name }, answers: [txt(name, 'forged')] }], {
      name,
      type: 'TXT',
      options: { randomizeCase: true },
      tcp: (query) => ({ answers: [txt(query.name, 'right')] }),
    });
    assert.ok(folds.answer.kind === 'records');
    assert.deepEqual(folds.answer.records, [{ type: 'TXT', name, value: 'right' }]);
  });

  it('leaves EDNS out for a server that does not know it', async (t) => {
    const { answer } = await resolveWith(
      t,
      ({ name, hasEdns }) => [hasEdns ? { rcode: 1 } : { answers: [txt(name, 'plain')] }],
      { name: 'a.test', type: 'TXT' },
    );
    assert.equal(answer.kind, 'records');
  });

  it('tries three times and then the reason is the last failure', async (t) => {
    const silent = await resolveWith(t, () => [], { name: 'a.test', type: 'TXT', options: { timeoutMs: 30 } });
    assert.ok(silent.answer.kind === 'failure');
    assert.equal(silent.answer.reason, 'timeout');
    assert.equal(silent.server.queries.length, 3);
    for (const [rcode, reason] of [
      [2, 'servfail'],
      [5, 'refused'],
      [4, 'servfail'],
    ] as const) {
      const { answer } = await resolveWith(t, () => [{ rcode }], { name: 'a.test', type: 'TXT' });
      assert.ok(answer.kind === 'failure');
      assert.equal(answer.reason, reason);
    }
  });

  it('goes on with the next server', async (t) => {
    const broken = await startFakeDns((query) => [encodeFakeReply(query, { rcode: 2 })]);
    const good = await startFakeDns((query) => [encodeFakeReply(query, { answers: [txt(query.name, 'x')] })]);
    t.after(() => Promise.all([broken.close(), good.close()]));
    const resolver = createDnsResolver({ servers: [broken.address, good.address] });
    const answer = await resolver.resolve('a.test', 'TXT');
    assert.ok(answer.kind === 'records');
    assert.equal(answer.server, `127.0.0.1:${good.address.port}`);
  });

  it('reports a closed port as a network failure', async () => {
    const server = await startFakeDns(() => []);
    await server.close();
    const answer = await createDnsResolver({ servers: [server.address], timeoutMs: 300 }).resolve('a.test', 'TXT');
    assert.ok(answer.kind === 'failure');
    assert.ok(['network', 'timeout'].includes(answer.reason));
  });

  it('calls what cannot be decoded malformed, a broken CAA record included', async (t) => {
    const answers = {
      cutShort: (query: FakeDnsQuery) => encodeFakeReply(query, { answers: [txt(query.name, 'x')] }).subarray(0, -3),
      caaWithoutTag: (query: FakeDnsQuery) =>
        encodeFakeReply(query, {
          answers: [{ type: 'CAA', name: query.name, ttl: 1, data: { flags: 0, tag: '' as 'issue', value: 'ca' } }],
        }),
      pointerLoop: (query: FakeDnsQuery) => {
        const bytes = encodeFakeReply(query, {});
        bytes.writeUInt16BE(1, 6);
        return Buffer.concat([bytes, Buffer.from([0xc0, bytes.length, 0, 16, 0, 1, 0, 0, 0, 1, 0, 0])]);
      },
      floodOfRecords: (query: FakeDnsQuery) => {
        const bytes = encodeFakeReply(query, {});
        bytes.writeUInt16BE(0xffff, 6);
        return bytes;
      },
    };
    for (const [what, encode] of Object.entries(answers)) {
      const server = await startFakeDns((query) => [encode(query)]);
      t.after(() => server.close());
      const answer = await createDnsResolver({ servers: [server.address] }).resolve('a.test', 'CAA');
      assert.ok(answer.kind === 'failure', what);
      assert.equal(answer.reason, 'malformed', what);
    }
  });

  it('bounds the whole lookup', async (t) => {
    const { answer } = await resolveWith(t, () => [], {
      name: 'a.test',
      type: 'TXT',
      options: { timeoutMs: 10_000, totalTimeoutMs: 40 },
    });
    assert.ok(answer.kind === 'failure');
    assert.equal(answer.reason, 'timeout');
  });

  it('never asks for what is no name', async () => {
    const resolver = createDnsResolver({ servers: [{ address: '127.0.0.1', port: 1 }] });
    for (const name of ['a..test', '.a', 'ä.test', 'a b.test', 'a\\.b', `${'x'.repeat(64)}.test`, 'x.'.repeat(128)]) {
      const answer = await resolver.resolve(name, 'TXT');
      assert.ok(answer.kind === 'failure', name);
      assert.equal(answer.reason, 'malformed', name);
    }
  });

  it('refuses servers that are no addresses', () => {
    assert.throws(() => createDnsResolver({ servers: [{ address: 'ns.test', port: 53 }] }), TypeError);
    assert.throws(() => createDnsResolver({ servers: [{ address: '127.0.0.1', port: 0 }] }), TypeError);
  });
});

describe('parseDnsServer', () => {
  it('reads addresses with and without port', () => {
    assert.deepEqual(parseDnsServer('192.0.2.1'), { address: '192.0.2.1', port: 53 });
    assert.deepEqual(parseDnsServer('192.0.2.1:5353'), { address: '192.0.2.1', port: 5353 });
    assert.deepEqual(parseDnsServer('::1'), { address: '::1', port: 53 });
    assert.deepEqual(parseDnsServer('[::1]:5353'), { address: '::1', port: 5353 });
    assert.deepEqual(parseDnsServer('localhost:5353'), { address: '127.0.0.1', port: 5353 });
    for (const text of ['', 'ns.test', '192.0.2.1:', '192.0.2.1:0', '192.0.2.1:65536', '[192.0.2.1', '1.2.3:53']) {
      assert.equal(parseDnsServer(text), undefined, text);
    }
  });
});
