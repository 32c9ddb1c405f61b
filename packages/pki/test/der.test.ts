import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DerError, type DerErrorCode, DerReader, der, readSequence } from '@certwright/pki';
import fc from 'fast-check';

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');
const refused = (code: DerErrorCode, read: () => unknown): void => {
  assert.throws(read, (error) => error instanceof DerError && error.code === code);
};

describe('DER reader', () => {
  it('reads back every integer the writer makes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 200n }), (value) => {
        const content = new DerReader(der.integer(value)).integerBytes();
        assert.equal(BigInt(`0x${Buffer.from(content).toString('hex')}`), value);
      }),
    );
  });

  it('reads back every object identifier the writer makes, also with arcs of 128 bits', () => {
    const rest = fc.array(fc.oneof(fc.nat().map(BigInt), fc.bigInt({ min: 0n, max: 2n ** 128n })), { maxLength: 2 });
    const head = fc.oneof(
      fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: 39n })),
      fc.tuple(fc.constant(2n), fc.bigInt({ min: 0n, max: 2n ** 128n })),
    );
    fc.assert(
      fc.property(head, rest, (first, arcs) => {
        const dotted = [...first, ...arcs].join('.');
        assert.equal(new DerReader(der.oid(dotted)).oid(), dotted);
      }),
    );
  });

  it('reads back contents of every length the header can have', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000]) {
      const content = new Uint8Array(length).fill(7);
      const reader = new DerReader(der.octetString(content));
      assert.deepEqual(Buffer.from(reader.octetString()), Buffer.from(content));
      reader.end();
      assert.equal(der.headerLength(length) + length, der.octetString(content).length);
    }
  });

  it('reads back named bits, times and texts', () => {
    assert.deepEqual(Buffer.from(der.namedBits([0, 5])), Buffer.from(hex('03 02 02 84')));
    assert.deepEqual(Buffer.from(der.namedBits([])), Buffer.from(hex('03 01 00')));
    for (const iso of [
      '1950-01-01T00:00:00Z',
      '2049-12-31T23:59:59Z',
      '2050-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
    ]) {
      assert.equal(new DerReader(der.time(Date.parse(iso))).time(), Date.parse(iso));
    }
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(new DerReader(der.utf8String(text)).text(), text);
      }),
    );
  });

  it('decodes the older string types', () => {
    assert.deepEqual(new DerReader(hex('1e 04 00 e4 20 ac')).string(), { tag: 0x1e, text: 'ä€' });
    assert.deepEqual(new DerReader(hex('1c 08 00 00 00 e4 00 01 f6 00')).string(), { tag: 0x1c, text: 'ä😀' });
    assert.deepEqual(new DerReader(hex('14 01 e4')).string(), { tag: 0x14, text: 'ä' });
  });

  const malformed: readonly [what: string, code: DerErrorCode, bytes: string, read: (reader: DerReader) => unknown][] =
    [
      ['an indefinite length', 'der.badLength', '30 80 00 00', (r) => r.sequence()],
      ['a length in long form that fits the short one', 'der.badLength', '04 81 01 00', (r) => r.octetString()],
      ['a length with a leading zero', 'der.badLength', `04 82 00 80 ${'00'.repeat(128)}`, (r) => r.octetString()],
      ['a length of five octets', 'der.badLength', '04 85 00 00 00 00 01 00', (r) => r.octetString()],
      ['a length that runs past the end', 'der.truncated', '04 05 00', (r) => r.octetString()],
      ['a length of 4 GiB', 'der.truncated', '04 84 ff ff ff ff', (r) => r.octetString()],
      ['a length cut short', 'der.truncated', '04 82 01', (r) => r.octetString()],
      ['a tag without length', 'der.truncated', '04', (r) => r.octetString()],
      ['nothing', 'der.truncated', '', (r) => r.any()],
      ['a high tag number', 'der.badTag', '1f 81 00 00', (r) => r.any()],
      ['an end-of-contents', 'der.badTag', '00 00', (r) => r.any()],
      ['a constructed OCTET STRING', 'der.badTag', '24 03 04 01 00', (r) => r.octetString()],
      ['a constructed UTF8String', 'der.badTag', '2c 03 0c 01 61', (r) => r.text()],
      ['a BOOLEAN of 01', 'der.badValue', '01 01 01', (r) => r.boolean()],
      ['an empty INTEGER', 'der.badValue', '02 00', (r) => r.integerBytes()],
      ['an INTEGER with a needless zero', 'der.badValue', '02 02 00 7f', (r) => r.integerBytes()],
      ['an INTEGER with a needless sign octet', 'der.badValue', '02 02 ff 80', (r) => r.integerBytes()],
      ['a negative small INTEGER', 'der.badValue', '02 01 ff', (r) => r.smallInteger()],
      ['a small INTEGER of five octets', 'der.badValue', '02 05 01 00 00 00 00', (r) => r.smallInteger()],
      ['an empty OBJECT IDENTIFIER', 'der.badValue', '06 00', (r) => r.oid()],
      ['an OBJECT IDENTIFIER cut short', 'der.badValue', '06 02 2a 86', (r) => r.oid()],
      ['an OBJECT IDENTIFIER with a padded arc', 'der.badValue', '06 03 2a 80 01', (r) => r.oid()],
      ['an OBJECT IDENTIFIER of 65 octets', 'der.badValue', `06 41 ${'2a'.repeat(65)}`, (r) => r.oid()],
      ['a NULL with content', 'der.badValue', '05 01 00', (r) => r.null()],
      ['a BIT STRING without its first octet', 'der.badValue', '03 00', (r) => r.bitString()],
      ['a BIT STRING with eight unused bits', 'der.badValue', '03 02 08 00', (r) => r.bitString()],
      ['a BIT STRING with padding set', 'der.badValue', '03 02 01 01', (r) => r.bitString()],
      ['a SET OF out of order', 'der.badValue', '31 06 02 01 02 02 01 01', (r) => r.setOf()],
      ['a UTCTime without seconds', 'der.badValue', '17 0b 3236303130313030303030305a', (r) => r.time()],
      ['a UTCTime with an offset', 'der.badValue', '17 11 3236303130313030303030302b30313030', (r) => r.time()],
      ['the 30th of February', 'der.badValue', '17 0d 3236303233303030303030305a', (r) => r.time()],
      ['hour 24', 'der.badValue', '17 0d 3236303130313234303030305a', (r) => r.time()],
      ['a GeneralizedTime of year 50', 'der.badValue', '18 0f 30303530303130313030303030305a', (r) => r.time()],
      ['UTF-8 of a surrogate', 'der.badValue', '0c 03 ed a0 80', (r) => r.text()],
      ['an overlong UTF-8 form', 'der.badValue', '0c 02 c0 80', (r) => r.text()],
      ['an IA5String above 7F', 'der.badValue', '16 01 e4', (r) => r.text()],
      ['half a surrogate pair', 'der.badValue', '1e 02 d8 00', (r) => r.text()],
      ['a BMPString of odd length', 'der.badValue', '1e 01 00', (r) => r.text()],
      ['a UniversalString past Unicode', 'der.badValue', '1c 04 00 11 00 00', (r) => r.text()],
      ['an INTEGER where text is expected', 'der.badTag', '02 01 00', (r) => r.text()],
    ];
  for (const [what, code, bytes, read] of malformed) {
    it(`refuses ${what}`, () => refused(code, () => read(new DerReader(hex(bytes)))));
  }

  it('refuses data behind the end', () => refused('der.trailingData', () => readSequence(hex('30 00 00'))));

  it('refuses more bytes and deeper nesting than its limits', () => {
    const limits = { maxBytes: 16, maxDepth: 3 };
    refused('der.tooLarge', () => new DerReader(new Uint8Array(17), limits));
    refused('der.tooDeep', () => {
      let reader = new DerReader(hex('30 08 30 06 30 04 30 02 30 00'), limits);
      for (;;) reader = reader.sequence();
    });
  });

  it('names the offset in the outermost input', () => {
    const inner = readSequence(hex('30 05 30 03 04 05 00')).sequence();
    assert.throws(
      () => inner.octetString(),
      (error) => error instanceof DerError && error.offset === 4,
    );
  });

  it('answers arbitrary bytes with values or DerError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          const reader = new DerReader(bytes);
          while (!reader.done) reader.any();
        } catch (error) {
          assert.ok(error instanceof DerError);
        }
      }),
    );
  });
});

describe('DER writer', () => {
  it('sorts SET OF', () => {
    assert.deepEqual(
      Buffer.from(der.setOf(der.integer(2), der.integer(1))),
      Buffer.from(hex('31 06 02 01 01 02 01 02')),
    );
  });

  it('refuses text that is no object identifier', () => {
    for (const text of ['', '1', '3.1', '1.40', '1.2.x', '1..2', '1.02', '-1.2']) {
      assert.throws(() => der.oid(text), RangeError, text);
    }
  });

  it('refuses a negative INTEGER', () => assert.throws(() => der.integer(-1), RangeError));
});
