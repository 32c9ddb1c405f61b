import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { baseName, type DnsNameErrorCode, displayDnsName, isWildcard, parseDnsName } from '@certwright/pki';
import fc from 'fast-check';

const label63 = 'a'.repeat(63);

describe('DNS names', () => {
  const good: readonly [text: string, name: string][] = [
    ['host.example', 'host.example'],
    ['WWW.Example.COM.', 'www.example.com'],
    ['localhost', 'localhost'],
    ['1.2.3.4.example', '1.2.3.4.example'],
    ['4.2a', '4.2a'],
    ['a--b.example', 'a--b.example'],
    ['*.Example.com', '*.example.com'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['MÜNCHEN.example', 'xn--mnchen-3ya.example'],
    ['XN--MNCHEN-3YA.example', 'xn--mnchen-3ya.example'],
    ['*.münchen.example', '*.xn--mnchen-3ya.example'],
    ['faß.example', 'xn--fa-hia.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['пример.example', 'xn--e1afmkfd.example'],
    ['tokyo東京ひらカナ.example', 'xn--tokyo-je4d0fwk1j254y46wc.example'],
    ['نامه‌ای.example', 'xn--mgba3gch31f060k.example'],
    ['col·lecció.example', 'xn--collecci-ioa91d.example'],
    [`${label63}.${label63}.${label63}.${'a'.repeat(61)}`, `${label63}.${label63}.${label63}.${'a'.repeat(61)}`],
  ];
  for (const [text, name] of good) {
    it(`takes ${JSON.stringify(text.slice(0, 40))}`, () => {
      const result = parseDnsName(text);
      assert.equal(result.ok ? result.value : result.error.code, name);
    });
  }

  const bad: readonly [text: string, code: DnsNameErrorCode][] = [
    ['', 'dnsName.empty'],
    ['.', 'dnsName.empty'],
    ['a..example', 'dnsName.emptyLabel'],
    ['.example', 'dnsName.emptyLabel'],
    ['a.example..', 'dnsName.emptyLabel'],
    [`${label63}a.example`, 'dnsName.labelTooLong'],
    [`${label63}.${label63}.${label63}.${'a'.repeat(62)}`, 'dnsName.tooLong'],
    [`*.${label63}.${label63}.${label63}.${'a'.repeat(60)}`, 'dnsName.tooLong'],
    ['a'.repeat(5000), 'dnsName.tooLong'],
    ['a_b.example', 'dnsName.underscore'],
    ['_dmarc.ä.example', 'dnsName.underscore'],
    ['-a.example', 'dnsName.hyphen'],
    ['a-.example', 'dnsName.hyphen'],
    ['ab--cd.example', 'dnsName.reservedLabel'],
    ['a b.example', 'dnsName.badCharacter'],
    [' a.example', 'dnsName.badCharacter'],
    ['a.example\n', 'dnsName.badCharacter'],
    ['a\0.example', 'dnsName.badCharacter'],
    ['a%2eexample', 'dnsName.badCharacter'],
    ['ä/b.example', 'dnsName.badCharacter'],
    ['user@ä.example', 'dnsName.badCharacter'],
    ['ä.example:443', 'dnsName.badCharacter'],
    ['*', 'dnsName.badWildcard'],
    ['*.', 'dnsName.badWildcard'],
    ['*a.example', 'dnsName.badWildcard'],
    ['a*.example', 'dnsName.badWildcard'],
    ['a.*.example', 'dnsName.badWildcard'],
    ['*.*.example', 'dnsName.badWildcard'],
    ['**.example', 'dnsName.badWildcard'],
    ['192.0.2.1', 'dnsName.ipAddress'],
    ['１９２.0.2.1', 'dnsName.ipAddress'],
    ['a.1', 'dnsName.ipAddress'],
    ['a.0x7f', 'dnsName.ipAddress'],
    ['xn--.example', 'dnsName.hyphen'],
    ['xn--a.example', 'dnsName.badIdn'],
    ['xn--abc-.example', 'dnsName.hyphen'],
    ['xn--99999999.example', 'dnsName.badIdn'],
    ['a\u200db.example', 'dnsName.badIdn'],
    ['\ud800.example', 'dnsName.badIdn'],
    ['💩.example', 'dnsName.disallowedCharacter'],
    ['xn--ls8h.example', 'dnsName.disallowedCharacter'],
    ['☃.example', 'dnsName.disallowedCharacter'],
    ['a·b.example', 'dnsName.disallowedCharacter'],
    ['a・b.example', 'dnsName.disallowedCharacter'],
    ['аpple.example', 'dnsName.mixedScript'],
    ['xn--pple-43d.example', 'dnsName.mixedScript'],
    ['*.аpple.example', 'dnsName.mixedScript'],
    ['αbc.example', 'dnsName.mixedScript'],
  ];
  for (const [text, code] of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))} with ${code}`, () => {
      const result = parseDnsName(text);
      assert.equal(result.ok ? `accepted as ${result.value}` : result.error.code, code);
    });
  }

  it('are stable: a parsed name parses to itself, and so does what people see', () => {
    const text = fc.oneof(
      fc.domain(),
      fc.string({
        unit: fc.constantFrom('a', 'Z', '0', '-', '.', '*', '_', 'ä', 'ß', 'я', '漢', 'xn--', '\u200d', ' '),
        maxLength: 12,
      }),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    fc.assert(
      fc.property(text, (input) => {
        const first = parseDnsName(input);
        if (!first.ok) return;
        assert.match(first.value, /^(?:\*\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/);
        assert.deepEqual(parseDnsName(first.value), first);
        assert.deepEqual(parseDnsName(displayDnsName(first.value)), first);
      }),
      { numRuns: 3000 },
    );
  });

  it('tell wildcards from their base', () => {
    const wildcard = parseDnsName('*.host.example');
    assert.ok(wildcard.ok && isWildcard(wildcard.value));
    assert.equal(baseName(wildcard.value), 'host.example');
    assert.ok(!isWildcard(baseName(wildcard.value)));
    assert.equal(baseName(baseName(wildcard.value)), 'host.example');
  });
});
