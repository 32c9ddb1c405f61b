import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { createDnsResolver } from '../../src/adapters/dns/resolver.ts';
import { createSandboxDns, type SandboxDns, type SandboxDnsOptions } from '../../src/sandbox/internet/dns/server.ts';
import { runProgram, skipWithout } from '../support/programs.ts';

const SECRET = Buffer.from('a test key of the sandbox, 32 by').toString('base64');
const TSIG = { name: 'sandbox-key.', algorithm: 'hmac-sha256', secret: SECRET } as const;
const needsDig = { skip: skipWithout('dig') };
const needsNsupdate = { skip: skipWithout('nsupdate') || skipWithout('dig') };

async function start(t: TestContext, options: Partial<SandboxDnsOptions> = {}): Promise<SandboxDns> {
  const dns = await createSandboxDns({ tsig: TSIG, ...options });
  t.after(() => dns.close());
  return dns;
}

function put(dns: SandboxDns, ...args: Parameters<SandboxDns['put']>): void {
  assert.deepEqual(dns.put(...args), { ok: true, value: undefined });
}

async function dig(dns: SandboxDns, ...args: string[]): Promise<string> {
  const { stdout } = await runProgram('dig', ['@127.0.0.1', '-p', `${dns.port}`, '+tries=1', '+time=3', ...args]);
  return stdout;
}

const short = async (dns: SandboxDns, ...args: string[]): Promise<string[]> =>
  (await dig(dns, '+short', ...args)).split('\n').filter((line) => line !== '');

interface UpdateOptions {
  readonly key?: string;
  readonly args?: readonly string[];
  readonly zone?: string;
}

async function nsupdate(dns: SandboxDns, commands: readonly string[], options: UpdateOptions = {}) {
  const { key = `hmac-sha256:sandbox-key:${SECRET}`, args = [], zone } = options;
  const script = [
    `server 127.0.0.1 ${dns.port}`,
    ...(zone ? [`zone ${zone}`] : []),
    ...(key === '' ? [] : [`key ${key.split(':').slice(0, 2).join(':')} ${key.split(':')[2]}`]),
    ...commands,
    'send',
  ];
  return runProgram('nsupdate', ['-t', '5', ...args], `${script.join('\n')}\n`);
}

describe('sandbox DNS: queries by dig', needsDig, () => {
  it('answers each record type it is given', async (t) => {
    const dns = await start(t);
    put(dns, 'www.shop.test', 'A', ['192.0.2.1', '192.0.2.2']);
    put(dns, 'www.shop.test.', 'AAAA', ['2001:db8::1', '::ffff:192.0.2.1']);
    put(dns, '_dcv.shop.test', 'TXT', ['token', 'a "quoted" \\ text; ä', '"in " "pieces"']);
    put(dns, 'shop.test', 'CAA', [
      '0 issue "ca.test; validationmethods=dns-01"',
      '128 future ";"',
      '0 iodef mailto:a@b',
    ]);
    put(dns, 'shop.test', 'MX', ['10 mail.shop.test', '20 .']);
    put(dns, 'shop.test', 'NS', ['ns.other.test']);
    assert.deepEqual(await short(dns, 'WWW.shop.test', 'A'), ['192.0.2.1', '192.0.2.2']);
    assert.deepEqual(await short(dns, 'www.shop.test', 'AAAA'), ['2001:db8::1', '::ffff:192.0.2.1']);
    assert.deepEqual(await short(dns, '_dcv.shop.test', 'TXT'), [
      '"token"',
      '"a \\"quoted\\" \\\\ text; \\195\\164"',
      '"in " "pieces"',
    ]);
    assert.deepEqual(await short(dns, 'shop.test', 'CAA'), [
      '0 issue "ca.test; validationmethods=dns-01"',
      '128 future ";"',
      '0 iodef "mailto:a@b"',
    ]);
    assert.deepEqual(await short(dns, 'shop.test', 'MX'), ['10 mail.shop.test.', '20 .']);
    assert.deepEqual(await short(dns, 'shop.test', 'NS'), ['ns.other.test.']);
  });

  it('gives every name an address, and nothing else but the SOA of the registrable domain', async (t) => {
    const dns = await start(t, { defaultAddress: '127.0.0.9' });
    assert.deepEqual(await short(dns, 'any.name.at.all', 'A'), ['127.0.0.9']);
    const negative = await dig(dns, 'a.b.shop.co.uk', 'TXT');
    assert.match(negative, /status: NOERROR/);
    assert.match(negative, /flags: qr aa rd;/);
    assert.match(negative, /AUTHORITY SECTION:\nshop\.co\.uk\.\s+5\s+IN\s+SOA\s+ns1\.shop\.co\.uk\. hostmaster/);
    assert.match(await dig(dns, 'shop.co.uk', 'SOA'), /ANSWER SECTION:\nshop\.co\.uk\./);
    assert.match(await dig(dns, 'www.shop.co.uk', 'SOA'), /ANSWER: 0, AUTHORITY: 1/);
    assert.deepEqual(await short(dns, 'shop.co.uk', 'NS'), ['ns1.shop.co.uk.']);
    assert.match(await dig(dns, '.', 'SOA'), /status: NOERROR/);
    assert.match(await dig(dns, 'localhost', 'SOA'), /ANSWER: 1/);
  });

  it('follows CNAMEs as far as it knows, into defaults and loops too', async (t) => {
    const dns = await start(t);
    put(dns, '_a.shop.test', 'CNAME', ['_b.other.test.']);
    put(dns, '_b.other.test', 'CNAME', ['_c.third.test']);
    put(dns, '_c.third.test', 'TXT', ['token']);
    assert.deepEqual(await short(dns, '_a.shop.test', 'TXT'), ['_b.other.test.', '_c.third.test.', '"token"']);
    assert.deepEqual(await short(dns, '_a.shop.test', 'CNAME'), ['_b.other.test.']);
    assert.deepEqual(await short(dns, '_a.shop.test', 'A'), ['_b.other.test.', '_c.third.test.', '127.0.0.1']);
    assert.match(await dig(dns, '_a.shop.test', 'CAA'), /ANSWER: 2, AUTHORITY: 1[\s\S]*\nthird\.test\.\s+5\s+IN\s+SOA/);
    put(dns, 'x.loop.test', 'CNAME', ['y.loop.test']);
    put(dns, 'y.loop.test', 'CNAME', ['x.loop.test']);
    assert.match(await dig(dns, 'x.loop.test', 'TXT'), /status: NOERROR[\s\S]*ANSWER: 2, AUTHORITY: 0/);
  });

  it('answers by wildcards unless the name has records of its own', async (t) => {
    const dns = await start(t);
    put(dns, '*.shop.test', 'TXT', ['wild']);
    put(dns, 'own.shop.test', 'A', ['192.0.2.1']);
    assert.deepEqual(await short(dns, 'a.shop.test', 'TXT'), ['"wild"']);
    assert.deepEqual(await short(dns, 'a.b.shop.test', 'TXT'), ['"wild"']);
    assert.deepEqual(await short(dns, 'own.shop.test', 'TXT'), []);
    assert.deepEqual(await short(dns, 'x.own.shop.test', 'TXT'), []);
    assert.deepEqual(await short(dns, 'shop.test', 'TXT'), []);
  });

  it('cuts at the size of the datagram and gives the whole over TCP', async (t) => {
    const dns = await start(t);
    const long = 'x'.repeat(700);
    put(dns, 'long.test', 'TXT', [long]);
    const pieces = `"${'x'.repeat(255)}" "${'x'.repeat(255)}" "${'x'.repeat(190)}"`;
    assert.deepEqual(await short(dns, 'long.test', 'TXT'), [pieces]);
    assert.match(await dig(dns, '+noedns', '+ignore', 'long.test', 'TXT'), /flags: qr aa tc rd;[\s\S]*ANSWER: 0/);
    assert.deepEqual(await short(dns, '+noedns', 'long.test', 'TXT'), [pieces]);
    const many = Array.from({ length: 200 }, (_, i) => `${i}-`.padEnd(250, 'y'));
    put(dns, 'many.test', 'TXT', many);
    assert.match(await dig(dns, '+ignore', '+bufsize=4096', 'many.test', 'TXT'), /flags: qr aa tc rd;/);
    assert.equal((await short(dns, 'many.test', 'TXT')).length, 200);
    assert.match(await dig(dns, '+tcp', '+keepopen', 'a.test', 'A', 'b.test', 'A'), /b\.test\.\s+60\s+IN\s+A\s+127/);
  });

  it('refuses zone transfers, other classes and other EDNS versions', async (t) => {
    const dns = await start(t);
    assert.match(await dig(dns, 'shop.test', 'AXFR'), /Transfer failed/);
    assert.match(await dig(dns, '-c', 'CH', 'version.bind', 'TXT'), /status: REFUSED/);
    assert.match(await dig(dns, '+edns=1', '+noednsnegotiation', 'shop.test', 'A'), /status: BADVERS/);
    assert.match(await dig(dns, '+opcode=STATUS', 'shop.test', 'A'), /status: NOTIMP/);
    assert.match(await dig(dns, 'shop.test', 'ANY'), /ANSWER: 3/);
  });

  it('signs the answers to signed questions', async (t) => {
    for (const algorithm of ['hmac-sha256', 'hmac-sha512'] as const) {
      const dns = await start(t, { tsig: { ...TSIG, algorithm } });
      const key = (name: string, secret: string) => ['-y', `${algorithm}:${name}:${secret}`];
      const good = await dig(dns, ...key('Sandbox-Key', SECRET), 'shop.test', 'A');
      assert.match(
        good,
        /TSIG PSEUDOSECTION:\nsandbox-key\.\s+0\s+ANY\s+TSIG\s+hmac-sha\d+\. \d+ 300 \d+ [^\n]+ NOERROR/i,
      );
      assert.doesNotMatch(good, /verify/i);
      const badKey = await dig(dns, ...key('other', SECRET), 'shop.test', 'A');
      assert.match(badKey, /status: NOTAUTH[\s\S]*BADKEY/);
      const wrongSecret = Buffer.from('another key').toString('base64');
      const badSignature = await dig(dns, ...key('sandbox-key', wrongSecret), 'shop.test', 'A');
      assert.match(badSignature, /status: NOTAUTH[\s\S]*BADSIG/);
      const other = algorithm === 'hmac-sha256' ? 'hmac-sha512' : 'hmac-sha256';
      assert.match(await dig(dns, '-y', `${other}:sandbox-key:${SECRET}`, 'shop.test', 'A'), /BADKEY/);
    }
  });

  it('does what faults say, as often as they say', async (t) => {
    const dns = await start(t);
    assert.ok(dns.disturb({ effect: 'servfail', name: 'a.test', type: 'TXT', times: 1 }).ok);
    assert.match(await dig(dns, 'b.test', 'TXT'), /status: NOERROR/);
    assert.match(await dig(dns, 'a.test', 'CAA'), /status: NOERROR/);
    assert.match(await dig(dns, 'a.test', 'TXT'), /status: SERVFAIL/);
    assert.match(await dig(dns, 'a.test', 'TXT'), /status: NOERROR/);
    dns.disturb({ effect: 'nxdomain', times: 1 });
    assert.match(await dig(dns, 'a.test', 'A'), /status: NXDOMAIN[\s\S]*AUTHORITY: 1/);
    dns.disturb({ effect: 'refused', times: 1 });
    assert.match(await dig(dns, 'a.test', 'A'), /status: REFUSED/);
    dns.disturb({ effect: 'truncate' });
    assert.match(await dig(dns, '+ignore', 'a.test', 'A'), /flags: qr aa tc rd;/);
    assert.deepEqual(await short(dns, 'a.test', 'A'), ['127.0.0.1']);
    dns.reset();
    dns.disturb({ effect: 'delay', delayMs: 30, times: 1 });
    assert.deepEqual(await short(dns, 'a.test', 'A'), ['127.0.0.1']);
    assert.ok(!dns.disturb({ effect: 'delay', delayMs: 1e9 }).ok);
    assert.ok(!dns.disturb({ effect: 'drop', name: 'a..b' }).ok);
  });
});

describe('sandbox DNS: updates by nsupdate', needsNsupdate, () => {
  it('adds and deletes over UDP and TCP, with both algorithms', async (t) => {
    for (const algorithm of ['hmac-sha256', 'hmac-sha512'] as const) {
      for (const args of [[], ['-v']]) {
        const dns = await start(t, { tsig: { ...TSIG, algorithm } });
        const options = { key: `${algorithm}:sandbox-key:${SECRET}`, args };
        const added = await nsupdate(
          dns,
          [
            'update add _acme-challenge.www.shop.test 30 TXT "one"',
            'update add _acme-challenge.www.shop.test 30 TXT "two"',
            'update add shop.test 30 MX 10 mail.shop.test',
            'update add alias.shop.test 30 CNAME www.shop.test',
            'update add shop.test 30 CAA 0 issue "ca.test"',
            'update add host.shop.test 30 A 192.0.2.1',
          ],
          options,
        );
        assert.deepEqual([added.exitCode, added.stderr], [0, '']);
        assert.deepEqual(dns.lookup('_acme-challenge.www.shop.test', 'TXT'), ['one', 'two']);
        assert.deepEqual(await short(dns, 'shop.test', 'MX'), ['10 mail.shop.test.']);
        assert.deepEqual(await short(dns, 'alias.shop.test', 'A'), ['www.shop.test.', '127.0.0.1']);
        assert.deepEqual(dns.lookup('shop.test', 'CAA'), ['0 issue "ca.test"']);
        const deleted = await nsupdate(
          dns,
          [
            'update delete _acme-challenge.www.shop.test TXT "one"',
            'update delete shop.test MX',
            'update delete host.shop.test',
          ],
          options,
        );
        assert.deepEqual([deleted.exitCode, deleted.stderr], [0, '']);
        assert.deepEqual(dns.lookup('_acme-challenge.www.shop.test', 'TXT'), ['two']);
        assert.deepEqual(dns.lookup('shop.test', 'MX'), []);
        assert.deepEqual(await short(dns, 'host.shop.test', 'A'), ['127.0.0.1']);
        assert.deepEqual(dns.lookup('shop.test', 'CAA'), ['0 issue "ca.test"']);
      }
    }
  });

  it('follows the CNAME rules and ignores duplicates', async (t) => {
    const dns = await start(t);
    put(dns, 'own.shop.test', 'TXT', ['here']);
    put(dns, 'alias.shop.test', 'CNAME', ['a.test']);
    const { exitCode } = await nsupdate(dns, [
      'update add own.shop.test 30 CNAME b.test',
      'update add own.shop.test 30 TXT "here"',
      'update add alias.shop.test 30 TXT "ignored"',
      'update add alias.shop.test 30 CNAME b.test',
      'update delete absent.shop.test TXT',
      'update delete shop.test SOA',
    ]);
    assert.equal(exitCode, 0);
    assert.deepEqual(dns.lookup('own.shop.test', 'CNAME'), []);
    assert.deepEqual(dns.lookup('own.shop.test', 'TXT'), ['here']);
    assert.deepEqual(dns.lookup('alias.shop.test', 'CNAME'), ['b.test.']);
    assert.deepEqual(dns.lookup('alias.shop.test', 'TXT'), []);
    assert.match(await dig(dns, 'shop.test', 'SOA'), /ANSWER: 1/);
  });

  it('checks prerequisites and then does all or nothing', async (t) => {
    const dns = await start(t);
    put(dns, 'have.shop.test', 'TXT', ['a', 'b']);
    const cases: [prerequisites: string[], problem: string | undefined][] = [
      [['prereq yxdomain have.shop.test'], undefined],
      [['prereq nxdomain lack.shop.test'], undefined],
      [['prereq yxrrset have.shop.test TXT'], undefined],
      [['prereq nxrrset have.shop.test A'], undefined],
      [['prereq yxrrset have.shop.test TXT "b"', 'prereq yxrrset have.shop.test TXT "a"'], undefined],
      [['prereq yxdomain shop.test'], undefined],
      [['prereq yxdomain lack.shop.test'], 'NXDOMAIN'],
      [['prereq nxdomain have.shop.test'], 'YXDOMAIN'],
      [['prereq yxrrset have.shop.test CAA'], 'NXRRSET'],
      [['prereq nxrrset have.shop.test TXT'], 'YXRRSET'],
      [['prereq yxrrset have.shop.test TXT "a"'], 'NXRRSET'],
      [['prereq yxrrset have.shop.test TXT "a"', 'prereq yxrrset have.shop.test TXT "c"'], 'NXRRSET'],
      [['prereq yxdomain have.shop.test', 'prereq nxdomain have.shop.test'], 'YXDOMAIN'],
    ];
    for (const [index, [prerequisites, problem]] of cases.entries()) {
      const result = await nsupdate(dns, [...prerequisites, `update add done.shop.test 30 TXT "${index}"`]);
      assert.equal(result.exitCode === 0, problem === undefined, prerequisites.join());
      if (problem) assert.match(result.stderr, new RegExp(problem));
      assert.equal(dns.lookup('done.shop.test', 'TXT').includes(`${index}`), problem === undefined);
    }
  });

  it('refuses unsigned updates, unknown keys, wrong secrets and wrong times', async (t) => {
    const dns = await start(t);
    const late = await start(t, { now: () => Date.now() + 301_000 });
    const early = await start(t, { now: () => Date.now() - 302_000 });
    const wrong = Buffer.from('another key').toString('base64');
    const cases: [server: SandboxDns, key: string, problem: RegExp][] = [
      [dns, '', /REFUSED/],
      [dns, `hmac-sha256:other-key:${SECRET}`, /BADKEY/],
      [dns, `hmac-sha512:sandbox-key:${SECRET}`, /BADKEY/],
      [dns, `hmac-sha256:sandbox-key:${wrong}`, /BADSIG/],
      [late, `hmac-sha256:sandbox-key:${SECRET}`, /BADTIME/],
      [early, `hmac-sha256:sandbox-key:${SECRET}`, /BADTIME/],
    ];
    for (const [server, key, problem] of cases) {
      const options = { key, zone: 'shop.test' };
      const result = await nsupdate(server, ['update add x.shop.test 30 TXT "evil"'], options);
      assert.notEqual(result.exitCode, 0);
      assert.match(result.stderr, problem);
      assert.deepEqual(server.lookup('x.shop.test', 'TXT'), []);
    }
  });

  it('serves any zone below a registrable domain and refuses names outside of the zone', async (t) => {
    const dns = await start(t);
    const below = await nsupdate(dns, ['update add a.int.shop.test 30 TXT "x"'], { zone: 'int.shop.test' });
    assert.equal(below.exitCode, 0);
    const outside = await nsupdate(dns, ['update add a.other.test 30 TXT "x"'], { zone: 'shop.test' });
    assert.match(outside.stderr, /NOTZONE/);
    assert.deepEqual(dns.lookup('a.other.test', 'TXT'), []);
  });
});

describe('sandbox DNS: the validator as client', () => {
  it('finds what was published, with records longer than a datagram', async (t) => {
    const dns = await start(t);
    const resolver = createDnsResolver({ servers: [dns], randomizeCase: true });
    const long = 'é'.repeat(5_000);
    put(dns, '_dcv.shop.test', 'CNAME', ['target.other.test']);
    put(dns, 'target.other.test', 'TXT', [long]);
    const answer = await resolver.resolve('_dcv.shop.test', 'TXT');
    assert.ok(answer.kind === 'records');
    assert.deepEqual(answer.records, [{ type: 'TXT', name: 'target.other.test', value: long }]);
    assert.deepEqual(answer.cnameChain, ['_dcv.shop.test', 'target.other.test']);
    const none = await resolver.resolve('shop.test', 'CAA');
    assert.ok(none.kind === 'none' && !none.nxdomain && none.ttl === 5);
  });
});

describe('sandbox DNS: its own API', () => {
  it('replaces, deletes, resets, and reads back what it was given', async (t) => {
    const dns = await start(t);
    const values = {
      A: ['192.0.2.1'],
      AAAA: ['2001:db8::1'],
      TXT: ['plain', 'with "quotes"', ''],
      CAA: ['128 issue ";"', '0 issuewild "ca.test; accounturi=https://ca.test/1"'],
      MX: ['10 mail.test.'],
      NS: ['ns.test.'],
    } as const;
    for (const [type, texts] of Object.entries(values) as [keyof typeof values, readonly string[]][]) {
      put(dns, 'All.Shop.test', type, ['192.0.2.9'].slice(type === 'A' ? 0 : 1));
      put(dns, 'all.shop.test.', type, texts);
      assert.deepEqual(dns.lookup('ALL.shop.test', type), [...texts]);
    }
    dns.delete('all.shop.test', 'MX');
    assert.deepEqual(dns.lookup('all.shop.test', 'MX'), []);
    assert.deepEqual(dns.lookup('all.shop.test', 'A'), ['192.0.2.1']);
    dns.delete('all.shop.test');
    assert.deepEqual(dns.lookup('all.shop.test', 'A'), []);
    put(dns, 'all.shop.test', 'TXT', ['x']);
    dns.reset();
    assert.deepEqual(dns.lookup('all.shop.test', 'TXT'), []);
  });

  it('names what is wrong with malformed input', async (t) => {
    const dns = await start(t);
    const code = (result: ReturnType<SandboxDns['put']>) => (result.ok ? 'ok' : result.error.code);
    for (const name of ['', 'a..b', '.a', 'ä.test', 'a b', `${'x'.repeat(64)}.test`, 'x.'.repeat(128), 'a\\999']) {
      assert.equal(code(dns.put(name, 'A', ['192.0.2.1'])), 'dns.nameMalformed', name);
    }
    const malformed: [Parameters<SandboxDns['put']>[1], string[]][] = [
      ['A', ['::1', '1.2.3', '256.1.1.1', '']],
      ['AAAA', ['192.0.2.1', 'fe80::1%eth0', '']],
      ['CAA', ['issue "ca"', '256 issue "ca"', '0 is-sue "ca"', '0 issue', '0 issue "ca" x']],
      ['MX', ['mail.test', '65536 mail.test', '10 a..b']],
      ['CNAME', ['', 'a..b']],
      ['TXT', ['x'.repeat(40_000)]],
    ];
    for (const [type, texts] of malformed) {
      for (const text of texts)
        assert.equal(code(dns.put('a.test', type, [text])), 'dns.valueMalformed', text.slice(0, 50));
    }
    put(dns, 'a.test', 'TXT', ['x']);
    assert.equal(code(dns.put('a.test', 'CNAME', ['b.test'])), 'dns.cnameConflict');
    put(dns, 'c.test', 'CNAME', ['b.test']);
    assert.equal(code(dns.put('c.test', 'TXT', ['x'])), 'dns.cnameConflict');
    assert.equal(code(dns.put('d.test', 'CNAME', ['a.test', 'b.test'])), 'dns.cnameConflict');
    assert.equal(
      code(
        dns.put(
          'a.test',
          'TXT',
          Array.from({ length: 1_001 }, (_, i) => `${i}`),
        ),
      ),
      'dns.full',
    );
    assert.equal(
      code(
        dns.put(
          'a.test',
          'TXT',
          Array(3)
            .fill(0)
            .map((_, i) => `${i}`.padEnd(30_000)),
        ),
      ),
      'dns.full',
    );
  });

  it('takes the port it is told and fails when it is taken', async (t) => {
    const dns = await start(t);
    await assert.rejects(createSandboxDns({ tsig: TSIG, port: dns.port }), { code: 'EADDRINUSE' });
  });
});

describe('sandbox DNS: hostile input', () => {
  /** Sends a datagram and, so that the end of a silence need not be waited for, a good question behind it. */
  async function repliesTo(dns: SandboxDns, datagrams: readonly Uint8Array[]): Promise<Buffer[]> {
    const socket = createSocket('udp4');
    const replies: Buffer[] = [];
    const last = Promise.withResolvers<void>();
    socket.on('message', (bytes) => {
      if (bytes.readUInt16BE(0) === 0xbeef && bytes.length > 40) last.resolve();
      else replies.push(bytes);
    });
    for (const datagram of datagrams) socket.send(datagram, dns.port, '127.0.0.1');
    socket.send(Buffer.from('beef01000001000000000000047465737404746573740000010001', 'hex'), dns.port, '127.0.0.1');
    await last.promise;
    socket.close();
    return replies;
  }

  it('survives random datagrams and never answers an answer', async (t) => {
    const dns = await start(t);
    const header = fc.constantFrom('000001000001000000000000', '00002800000100000001000f', '000080000001000000000000');
    const hostile = fc.tuple(header, fc.uint8Array({ maxLength: 120 })).map(([start_, rest]) => {
      return Buffer.concat([Buffer.from(start_, 'hex'), rest]);
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(hostile, fc.uint8Array({ maxLength: 40 })), { maxLength: 8 }),
        async (batch) => {
          for (const reply of await repliesTo(dns, batch)) assert.equal(reply.readUInt8(2) & 0x80, 0x80);
          const answers = batch.filter((bytes) => bytes.length >= 12 && ((bytes[2] ?? 0) & 0x80) !== 0);
          assert.deepEqual(await repliesTo(dns, answers), []);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('answers FORMERR to pointer loops, trailing bytes and floods of records', async (t) => {
    const dns = await start(t);
    const question = '0474657374047465737400 0001 0001';
    const cases = {
      selfPointer: '1111 0100 0001 0000 0000 0000 c00c 0001 0001',
      forwardPointer: '1111 0100 0001 0000 0000 0000 c010 0001 0001 00',
      trailing: `1111 0100 0001 0000 0000 0000 ${question} 00`,
      twoQuestions: `1111 0100 0002 0000 0000 0000 ${question} ${question}`,
      noQuestion: '1111 0100 0000 0000 0000 0000',
      recordFlood: `1111 0100 0001 ffff ffff ffff ${question}`,
      shortRecord: `1111 2800 0001 0000 0001 0000 ${question} 00 0010 0001`,
      tsigNotLast: `1111 2800 0001 0000 0000 0002 ${question} 00 00fa 00ff 00000000 0000 00 0010 0001 00000000 0000`,
      tsigEmpty: `1111 2800 0001 0000 0000 0001 ${question} 00 00fa 00ff 00000000 0000`,
      reservedLabel: '1111 0100 0001 0000 0000 0000 8074 0001 0001',
    };
    for (const [what, hex] of Object.entries(cases)) {
      const [reply] = await repliesTo(dns, [Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
      assert.ok(reply, what);
      assert.equal(reply.readUInt16BE(0), 0x1111);
      assert.equal(reply.readUInt8(3) & 0xf, 1, what);
    }
  });

  it('closes TCP connections that send what is no question', async (t) => {
    const dns = await start(t);
    const socket = connect(dns.port, '127.0.0.1');
    socket.resume();
    socket.write(Buffer.from('000411112222', 'hex'));
    await once(socket, 'close');
  });

  it('closes while clients are connected', async () => {
    const dns = await createSandboxDns({ tsig: TSIG });
    const socket = connect(dns.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await dns.close();
    await closed;
  });
});
