import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isForbiddenAddress, isNetwork } from '../../src/adapters/http/address-filter.ts';

/** First and last address of each forbidden range, and their neighbours outside. */
const IPV4: readonly [first: string, last: string, before: string | undefined, after: string | undefined][] = [
  ['0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
  ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['168.63.129.16', '168.63.129.16', '168.63.129.15', '168.63.129.17'],
  ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
  ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['224.0.0.0', '255.255.255.255', '223.255.255.255', undefined],
];

const FORBIDDEN_IPV6 = {
  'unspecified and loopback': ['::', '::1', '0:0:0:0:0:0:0:1'],
  'IPv4-compatible': ['::127.0.0.1', '::8.8.8.8', '::808:808'],
  'IPv4-mapped private': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:10.0.0.1', '0:0:0:0:0:ffff:a9fe:a9fe'],
  'IPv4-translated (RFC 2765)': ['::ffff:0:127.0.0.1', '::ffff:0:8.8.8.8'],
  'NAT64 of private': ['64:ff9b::127.0.0.1', '64:ff9b::a00:1', '64:ff9b::169.254.169.254'],
  'local-use NAT64': ['64:ff9b:1::', '64:ff9b:1::8.8.8.8'],
  '6to4 of private': ['2002:7f00:1::', '2002:a00:1::1', '2002:c0a8:101:1::5', '2002:a9fe:a9fe::'],
  'ISATAP of private': ['2a00:1450::5efe:10.0.0.1', '2a00:1450::200:5efe:7f00:1'],
  Teredo: ['2001::', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  'protocol assignments': ['2001:1::1', '2001:2::', '2001:10::1', '2001:20::1', '2001:1ff:ffff::'],
  documentation: ['2001:db8::', '2001:db8:ffff:ffff::1', '3fff::', '3fff:fff:ffff::1'],
  'discard-only': ['100::', '100::1'],
  'unique local and metadata': ['fc00::', 'fdff:ffff::1', 'fd00:ec2::254'],
  'link-local': ['fe80::', 'fe80::1', 'febf:ffff::1', 'fe80::1%eth0', 'fe80::1%1'],
  'former site-local': ['fec0::1', 'feff::1'],
  multicast: ['ff02::1', 'ff0e::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  'segment routing': ['5f00::1'],
  unassigned: ['1fff:ffff::1', '4000::1', '8000::', 'e000::1'],
};

const PERMITTED_IPV6 = [
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
  '2000::',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2001:db7:ffff::1',
  '2001:db9::1',
  '3ffe:ffff::1',
  '3fff:1000::1',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '64:ff9b::8.8.8.8',
  '2002:808:808::1',
  '2a00:1450::5efe:8.8.8.8',
];

describe('isForbiddenAddress', () => {
  it('knows the borders of each IPv4 range, also inside IPv4-mapped addresses', () => {
    for (const [first, last, before, after] of IPV4) {
      for (const form of ['', '::ffff:', '64:ff9b::']) {
        assert.equal(isForbiddenAddress(form + first, []), true, form + first);
        assert.equal(isForbiddenAddress(form + last, []), true, form + last);
        for (const outside of [before, after]) {
          if (outside) assert.equal(isForbiddenAddress(form + outside, []), false, form + outside);
        }
      }
    }
  });

  for (const [what, addresses] of Object.entries(FORBIDDEN_IPV6)) {
    it(`forbids IPv6: ${what}`, () => {
      for (const address of addresses) assert.equal(isForbiddenAddress(address, []), true, address);
    });
  }

  it('permits global unicast', () => {
    for (const address of ['1.1.1.1', '8.8.8.8', '93.184.216.34', ...PERMITTED_IPV6]) {
      assert.equal(isForbiddenAddress(address, []), false, address);
    }
  });

  it('forbids text that is not an address in its normal form', () => {
    const texts = [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '2130706433',
      '8.8.8.8 ',
      '8.8.8.8/32',
      '[::1]',
    ];
    for (const text of [...texts, '1.2.3', '1.2.3.4.5', '::ffff:1.2.3', ':::', '12345::']) {
      assert.equal(isForbiddenAddress(text, ['0.0.0.0/0', '::/0']), true, text);
    }
  });

  it('permits what an allowed network holds, and nothing beside it', () => {
    const allowed = ['10.1.0.0/16', '127.0.0.1', 'fd00:1234::/32', '192.168.4.0/23'];
    for (const address of [
      '10.1.0.0',
      '10.1.255.255',
      '127.0.0.1',
      'fd00:1234::1',
      'fd00:1234:ffff::',
      '192.168.5.255',
      '::ffff:10.1.2.3',
      '64:ff9b::10.1.2.3',
      '2002:a01:203::',
    ]) {
      assert.equal(isForbiddenAddress(address, allowed), false, address);
    }
    for (const address of [
      '10.0.255.255',
      '10.2.0.0',
      '127.0.0.2',
      'fd00:1235::',
      '::1',
      '192.168.6.0',
      '192.168.3.255',
    ]) {
      assert.equal(isForbiddenAddress(address, allowed), true, address);
    }
  });

  it('permits nothing for a malformed network', () => {
    for (const network of ['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '10/8', 'fc00::/129', '*']) {
      assert.equal(isNetwork(network), false, network);
      assert.equal(isForbiddenAddress('10.0.0.1', [network]), true, network);
    }
    assert.equal(isForbiddenAddress('10.0.0.1', ['::/0']), true, 'an IPv6 network says nothing about IPv4');
    assert.equal(isForbiddenAddress('fc00::1', ['0.0.0.0/0']), true);
    assert.equal(isForbiddenAddress('fc00::1', ['::/0']), false);
  });

  it('judges every spelling of an address alike', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
        const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        const short = new URL(`http://[${long}]/`).hostname.slice(1, -1);
        const dotted = `${long.slice(0, 30)}${bytes.subarray(12).join('.')}`;
        const verdict = isForbiddenAddress(long, []);
        assert.equal(isForbiddenAddress(short, []), verdict);
        assert.equal(isForbiddenAddress(dotted, []), verdict);
        assert.equal(isForbiddenAddress(long.toUpperCase(), []), verdict);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (ip, networks) => {
        isForbiddenAddress(ip, networks);
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (v4, v6) => {
        assert.equal(isForbiddenAddress(v4, ['0.0.0.0/0']), false);
        assert.equal(isForbiddenAddress(v6, ['::/0']), false);
      }),
    );
  });
});
