import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { certsOnly, der, parseCertsOnly } from '@certwright/pki';
import fc from 'fast-check';
import { makeIssuing, makeRoot, must, refusal } from './authority.ts';
import { openssl, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const root = await makeRoot('ec-p256');
const issuing = await makeIssuing(root, 'ec-p256');
const chain = [issuing.certificate.der, root.certificate.der];

describe('certs-only CMS', () => {
  it('shows its certificates in openssl, in order', { skip: skipWithoutOpenssl }, (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'chain.p7b'), certsOnly(chain));
    const text = openssl(folder, ['pkcs7', '-inform', 'DER', '-in', 'chain.p7b', '-print_certs', '-noout']).toString();
    assert.match(text, /CN = Issuing ec-p256[\s\S]*subject=.*CN = Root ec-p256/);
  });

  it('reads what openssl makes', { skip: skipWithoutOpenssl }, (t) => {
    const folder = scratchFolder(t);
    for (const [index, bytes] of chain.entries()) {
      openssl(folder, ['x509', '-inform', 'DER', '-out', `${index}.pem`], bytes);
    }
    const args = ['crl2pkcs7', '-nocrl', '-certfile', '0.pem', '-certfile', '1.pem', '-outform', 'DER'];
    const found = must(parseCertsOnly(openssl(folder, args)));
    assert.deepEqual(
      found.map((bytes) => Buffer.from(bytes)),
      chain.map((bytes) => Buffer.from(bytes)),
    );
  });

  it('gives any number of certificates up to 64 back', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...chain), { maxLength: 70 }), (certificates) => {
        const result = parseCertsOnly(certsOnly(certificates));
        if (certificates.length > 64) assert.equal(refusal(result), 'cms.tooManyCertificates');
        else
          assert.deepEqual(
            must(result).map((bytes) => Buffer.from(bytes)),
            certificates.map((bytes) => Buffer.from(bytes)),
          );
      }),
    );
  });

  it('names each refusal', () => {
    const bytes = certsOnly(chain);
    assert.equal(refusal(parseCertsOnly(bytes.subarray(0, -1))), 'cms.malformed');
    assert.equal(refusal(parseCertsOnly(new Uint8Array((1 << 20) + 1))), 'cms.tooLarge');
    assert.equal(refusal(parseCertsOnly(der.sequence(der.oid('1.2.840.113549.1.7.1')))), 'cms.notCertsOnly');
    const signed = (content: string, signers: readonly Uint8Array[], certificate: Uint8Array): Uint8Array => {
      const parts = [der.integer(1), der.set(), der.sequence(der.oid(content)), der.context(0, certificate)];
      const signedData = der.sequence(...parts, der.set(...signers));
      return der.sequence(der.oid('1.2.840.113549.1.7.2'), der.context(0, signedData));
    };
    const data = '1.2.840.113549.1.7.1';
    const certificate = root.certificate.der;
    assert.equal(refusal(parseCertsOnly(signed('1.2.3', [], certificate))), 'cms.notCertsOnly');
    assert.equal(refusal(parseCertsOnly(signed(data, [der.sequence()], certificate))), 'cms.notCertsOnly');
    assert.equal(refusal(parseCertsOnly(signed(data, [], der.context(1, der.nullValue())))), 'cms.notCertsOnly');
    assert.ok(parseCertsOnly(signed(data, [], certificate)).ok);
  });
});
