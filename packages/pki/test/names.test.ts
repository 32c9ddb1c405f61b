import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ATTRIBUTE_OID,
  attribute,
  attributes,
  checkNameBounds,
  DerError,
  DerReader,
  type DistinguishedName,
  der,
  encodeName,
  formatName,
  type NameErrorCode,
  nameEquals,
  nameOf,
  parseName,
  readName,
} from '@certwright/pki';
import fc from 'fast-check';
import { openssl, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const parsed = (text: string): DistinguishedName => {
  const result = parseName(text);
  assert.ok(result.ok, text);
  return result.value;
};

const withoutTags = (dn: DistinguishedName): DistinguishedName =>
  dn.map((rdn) => rdn.map(({ type, value }) => ({ type, value })));

const anyType = fc.oneof(fc.constantFrom(...Object.values(ATTRIBUTE_OID)), fc.constantFrom('1.2.3.4', '2.999.1'));
const anyValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(' ', '#', '+', ',', '"', '\\', '=', ';', '<', '\0', 'ä', 'a'), maxLength: 8 }),
);
const anyName = fc.array(fc.array(fc.record({ type: anyType, value: anyValue }), { minLength: 1, maxLength: 3 }), {
  maxLength: 5,
});

describe('distinguished names', () => {
  it('come back from their RFC 4514 text', () => {
    fc.assert(fc.property(anyName, (dn) => assert.deepEqual(withoutTags(parsed(formatName(dn))), withoutTags(dn))));
  });

  it('come back from their DER', () => {
    fc.assert(
      fc.property(anyName, (dn) => {
        const encoded = encodeName(dn);
        const reader = new DerReader(encoded);
        const back = readName(reader);
        reader.end();
        assert.ok(nameEquals(back, dn));
        assert.deepEqual(Buffer.from(encodeName(back)), Buffer.from(encoded));
      }),
    );
  });

  it('use the string type that each attribute demands', () => {
    const dn = nameOf(
      ['C', 'DE'],
      ['DC', 'example'],
      ['O', 'Example'],
      ['serialNumber', 'A-1'],
      ['emailAddress', 'a@b.example'],
    );
    assert.deepEqual(
      readName(new DerReader(encodeName(dn)))
        .flat()
        .map(({ tag }) => tag),
      [0x13, 0x16, 0x0c, 0x13, 0x16],
    );
  });

  it('keep PrintableString of a name that was read, so that issuer and subject stay equal octet by octet', () => {
    const printable = der.sequence(der.setOf(der.sequence(der.oid('2.5.4.10'), der.printableString('Example'))));
    assert.deepEqual(Buffer.from(encodeName(readName(new DerReader(printable)))), Buffer.from(printable));
  });

  it('turn older string types into UTF8String', () => {
    const teletex = der.sequence(der.setOf(der.sequence(der.oid('2.5.4.10'), der.tlv(0x14, Uint8Array.of(0xe4)))));
    assert.deepEqual(
      Buffer.from(encodeName(readName(new DerReader(teletex)))),
      Buffer.from(encodeName(nameOf(['O', 'ä']))),
    );
  });

  const texts: readonly [text: string, dn: DistinguishedName][] = [
    ['', []],
    ['CN=Steve Kille,O=Isode Limited,C=GB', nameOf(['C', 'GB'], ['O', 'Isode Limited'], ['CN', 'Steve Kille'])],
    [
      'OU=Sales+CN=J.  Smith,DC=example,DC=net',
      [
        [{ type: ATTRIBUTE_OID.DC, value: 'net' }],
        [{ type: ATTRIBUTE_OID.DC, value: 'example' }],
        [
          { type: ATTRIBUTE_OID.OU, value: 'Sales' },
          { type: ATTRIBUTE_OID.CN, value: 'J.  Smith' },
        ],
      ],
    ],
    ['CN=James \\"Jim\\" Smith\\, III', nameOf(['CN', 'James "Jim" Smith, III'])],
    ['CN=Before\\0dAfter', nameOf(['CN', 'Before\rAfter'])],
    ['CN=Lu\\c4\\8di\\c4\\87', nameOf(['CN', 'Lučić'])],
  ];
  for (const [text, dn] of texts) {
    it(`reads the RFC 4514 example ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parsed(text), dn);
      assert.deepEqual(parsed(formatName(dn)), dn);
    });
  }

  it('read types as OID and values as hexadecimal DER', () => {
    const dn = parsed('1.3.6.1.4.1.1466.0=#0c024869, OID.2.5.4.3 = x');
    assert.deepEqual(dn, [[{ type: '2.5.4.3', value: 'x' }], [{ type: '1.3.6.1.4.1.1466.0', value: 'Hi', tag: 0x0c }]]);
    assert.equal(formatName(dn), '1.3.6.1.4.1.1466.0=#0c024869,CN=x');
  });

  it('know descriptors in any case and long names', () => {
    assert.deepEqual(
      parsed('commonname=a,o=b,STREET=c,e=d@e.example'),
      nameOf(['emailAddress', 'd@e.example'], ['street', 'c'], ['O', 'b'], ['CN', 'a']),
    );
  });

  const malformed: readonly [text: string, code: NameErrorCode][] = [
    ['nonsense', 'name.syntax'],
    ['CN=a,', 'name.syntax'],
    ['CN=a,,O=b', 'name.badAttributeType'],
    ['CN="quoted"', 'name.syntax'],
    ['CN=a;O=b', 'name.syntax'],
    ['CN=\0', 'name.syntax'],
    ['FOO=a', 'name.badAttributeType'],
    ['1.40.1=a', 'name.badAttributeType'],
    ['CN=a\\', 'name.badEscape'],
    ['CN=a\\x', 'name.badEscape'],
    ['CN=\\ff', 'name.badUtf8'],
    ['CN=\ud800', 'name.badUtf8'],
    ['CN=#0', 'name.badHexValue'],
    ['CN=#020100', 'name.badHexValue'],
    ['CN=#0c0261', 'name.badHexValue'],
    [`CN=${'a'.repeat(20_000)}`, 'name.tooLong'],
    [Array(65).fill('CN=a').join(), 'name.tooLong'],
    [Array(17).fill('CN=a').join('+'), 'name.tooLong'],
  ];
  for (const [text, code] of malformed) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))} with ${code}`, () => {
      const result = parseName(text);
      assert.equal(result.ok ? 'accepted' : result.error.code, code);
    });
  }

  it('answer arbitrary text with a value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseName(text);
        parseName(`CN=${text}`);
      }),
    );
  });

  it('report bounds and character sets', () => {
    assert.deepEqual(checkNameBounds(nameOf(['C', 'DE'], ['CN', 'é'.repeat(64)])), []);
    const bad = nameOf(
      ['C', 'DEU'],
      ['CN', 'x'.repeat(65)],
      ['O', ''],
      ['serialNumber', 'ä'],
      ['DC', 'ä'],
      ['OU', 'a\0'],
    );
    assert.equal(checkNameBounds(bad).length, 6);
    assert.doesNotThrow(() => encodeName(bad));
  });

  it('compare without case and insignificant space, and by members in multi-valued RDNs', () => {
    assert.ok(nameEquals(parsed('O=Example  Inc'), parsed('O= example inc')));
    assert.ok(nameEquals(parsed('CN=a+UID=b'), parsed('UID=B+CN=A')));
    assert.ok(!nameEquals(parsed('CN=a,O=b'), parsed('O=b,CN=a')));
    assert.ok(!nameEquals(parsed('CN=a'), parsed('CN=a,C=DE')));
    assert.ok(!nameEquals(parsed('CN=a'), parsed('O=a')));
  });

  it('give single attributes by short name or OID', () => {
    const dn = parsed('CN=host.example,OU=b,OU=a,O=Example');
    assert.equal(attribute(dn, 'CN'), 'host.example');
    assert.equal(attribute(dn, '2.5.4.10'), 'Example');
    assert.deepEqual(attributes(dn, 'OU'), ['a', 'b']);
    assert.equal(attribute(dn, 'C'), undefined);
  });

  it('refuse an empty RDN, a value that is no string and a flood of RDNs', () => {
    const flood = der.sequence(
      ...Array.from({ length: 65 }, () => der.setOf(der.sequence(der.oid('2.5.4.3'), der.utf8String('a')))),
    );
    const number = der.sequence(der.setOf(der.sequence(der.oid('2.5.4.3'), der.integer(1))));
    for (const bytes of [der.sequence(der.setOf()), number, flood]) {
      assert.throws(() => readName(new DerReader(bytes)), DerError);
    }
  });

  it('look to openssl as they should', { skip: skipWithoutOpenssl }, (t) => {
    const dn = parsed('CN=Müller\\, GmbH+UID=u1,O=\\#1 \\+ co\\ ,ST=Bayern,C=DE');
    const shown = openssl(scratchFolder(t), ['asn1parse', '-inform', 'DER'], encodeName(dn)).toString('utf8');
    for (const part of ['PRINTABLESTRING   :DE', 'UTF8STRING        :#1 + co', 'UTF8STRING        :u1']) {
      assert.ok(shown.includes(part), `${part} in ${shown}`);
    }
  });
});
