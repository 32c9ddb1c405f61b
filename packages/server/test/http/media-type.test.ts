import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { negotiate } from '../../src/http/media-type.ts';

const OFFERS = ['application/json', 'application/x-pem-file', 'application/pkix-cert'] as const;

describe('negotiation by Accept', () => {
  const cases: readonly (readonly [string | undefined, (typeof OFFERS)[number] | undefined])[] = [
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/json', 'application/json'],
    ['Application/JSON;charset=utf-8', 'application/json'],
    ['application/x-pem-file', 'application/x-pem-file'],
    ['application/pkix-cert', 'application/pkix-cert'],
    ['application/json;q=0.5, application/pkix-cert', 'application/pkix-cert'],
    ['application/json;q=0.5, */*;q=0.8', 'application/x-pem-file'],
    ['application/json;q=0, */*', 'application/x-pem-file'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'application/json'],
    ['application/pkcs7-mime', undefined],
    ['application/x-pkcs7-certificates', undefined],
    ['application/json;q=0', undefined],
    ['application/json;q=nonsense', undefined],
    ['text/*', undefined],
    ['nonsense', undefined],
    [`${'text/plain,'.repeat(200)}application/json`, undefined],
  ];
  for (const [accept, expected] of cases) {
    it(`${accept?.slice(0, 60) ?? 'no header'} → ${expected ?? 'nothing'}`, () => {
      assert.equal(negotiate(accept, OFFERS), expected);
    });
  }
});
