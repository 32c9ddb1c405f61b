import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import {
  DerError,
  DerReader,
  der,
  encodeGeneralName,
  encodeGeneralNames,
  formatIp,
  type GeneralName,
  nameOf,
  parseIp,
  readGeneralName,
  readGeneralNames,
} from '@certwright/pki';
import fc from 'fast-check';

describe('general names', () => {
  const names: readonly GeneralName[] = [
    { kind: 'dns', value: 'host.example' },
    { kind: 'ip', bytes: Uint8Array.of(192, 0, 2, 1) },
    { kind: 'ip', bytes: Uint8Array.from({ length: 16 }, (_, index) => index) },
    { kind: 'email', value: 'a@host.example' },
    { kind: 'uri', value: 'https://host.example/' },
    { kind: 'directoryName', name: nameOf(['CN', 'a']) },
    { kind: 'otherName', oid: '1.3.6.1.4.1.311.20.2.3', value: der.utf8String('a@host.example') },
    { kind: 'registeredId', oid: '1.2.3.4' },
  ];

  it('come back from their DER', () => {
    const encoded = encodeGeneralNames(names);
    const back = readGeneralNames(new DerReader(encoded));
    assert.deepEqual(
      back.map(({ kind }) => kind),
      names.map(({ kind }) => kind),
    );
    assert.deepEqual(Buffer.from(encodeGeneralNames(back)), Buffer.from(encoded));
  });

  const malformed: readonly [what: string, bytes: Uint8Array][] = [
    ['an address of five octets', der.contextPrimitive(7, new Uint8Array(5))],
    ['a DNS name outside ASCII', der.contextPrimitive(2, Uint8Array.of(0xe4))],
    ['an x400Address', der.context(3)],
    ['an ediPartyName', der.context(5)],
    ['an otherName without value', der.context(0, der.oid('1.2.3'))],
    ['an empty registeredID', der.contextPrimitive(8, new Uint8Array(0))],
    ['a universal tag', der.ia5String('host.example')],
  ];
  for (const [what, bytes] of malformed) {
    it(`refuse ${what}`, () => assert.throws(() => readGeneralName(new DerReader(bytes)), DerError));
  }

  it('refuse an empty list', () => {
    assert.throws(() => readGeneralNames(new DerReader(der.sequence())), DerError);
  });

  it('encode alone as in the list', () => {
    const [first] = names;
    assert.ok(first !== undefined);
    assert.deepEqual(Buffer.from(encodeGeneralNames([first])), Buffer.from(der.sequence(encodeGeneralName(first))));
  });
});

describe('IP addresses', () => {
  const canonical: readonly [text: string, formatted: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ];
  for (const [text, formatted] of canonical) {
    it(`${text} is ${formatted}`, () => {
      const bytes = parseIp(text);
      assert.ok(bytes !== undefined);
      assert.equal(formatIp(bytes), formatted);
    });
  }

  it('come back from their text', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(fc.property(address, (bytes) => assert.deepEqual(parseIp(formatIp(bytes)), bytes)));
  });

  it('are those that the platform knows, bar zones', () => {
    const address = fc.oneof(
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(':', '.', '0', '1', 'f', '::', '255', '::ffff:'), maxLength: 12 }),
    );
    fc.assert(
      fc.property(address, (text) => {
        assert.equal(parseIp(text)?.length ?? 0, { 0: 0, 4: 4, 6: 16 }[isIP(text)], text);
      }),
      { numRuns: 2000 },
    );
  });

  for (const text of [
    '',
    '1.2.3',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '[::1]',
    '::1/64',
    '1.2.3.4::',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseIp(text), undefined));
  }

  it('have 4 or 16 octets', () => assert.throws(() => formatIp(new Uint8Array(5)), RangeError));
});
