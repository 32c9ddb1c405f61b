import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  checkKey,
  createCsr,
  formatIp,
  formatName,
  generateKey,
  type KeyAlgorithm,
  nameOf,
  PUBLIC_KEY_POLICY,
  parseCsr,
  verifyProofOfPossession,
} from '@certwright/pki';
import { openssl, opensslReport, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const RSA = ['genpkey', '-algorithm', 'RSA', '-pkeyopt'];
const EC = ['genpkey', '-algorithm', 'EC', '-pkeyopt'];

const KEYS: readonly [algorithm: KeyAlgorithm, genpkey: readonly string[]][] = [
  ['rsa-2048', [...RSA, 'rsa_keygen_bits:2048']],
  ['rsa-3072', [...RSA, 'rsa_keygen_bits:3072']],
  ['rsa-4096', [...RSA, 'rsa_keygen_bits:4096']],
  ['ec-p256', [...EC, 'ec_paramgen_curve:P-256']],
  ['ec-p384', [...EC, 'ec_paramgen_curve:P-384']],
  ['ec-p521', [...EC, 'ec_paramgen_curve:P-521']],
  ['ed25519', ['genpkey', '-algorithm', 'ED25519']],
];

const CONFIG = `
[req]
distinguished_name = dn
attributes = attributes
prompt = no
string_mask = utf8only
utf8 = yes
req_extensions = extensions
[dn]
C = DE
O = Müller & Söhne
CN = host.example
+UID = 7
[attributes]
challengePassword = s3cret
[extensions]
keyUsage = critical, digitalSignature
subjectAltName = DNS:host.example, DNS:*.host.example, IP:2001:db8::1, email:a@host.example, URI:https://host.example/, dirName:dn
`;

describe('requests made by openssl', { skip: skipWithoutOpenssl }, () => {
  for (const [algorithm, genpkey] of KEYS) {
    it(`${algorithm} is parsed and its possession proved`, async (t) => {
      const folder = scratchFolder(t);
      writeFileSync(join(folder, 'req.cnf'), CONFIG);
      writeFileSync(join(folder, 'key.pem'), openssl(folder, genpkey));
      const pem = openssl(folder, ['req', '-new', '-config', 'req.cnf', '-key', 'key.pem']).toString();
      const result = parseCsr(pem);
      assert.ok(result.ok);
      const csr = result.value;
      assert.equal(csr.key.algorithm, algorithm);
      assert.equal(formatName(csr.subject), 'UID=7+CN=host.example,O=Müller & Söhne,C=DE');
      assert.deepEqual(
        csr.sans.map((name) => ('value' in name ? name.value : name.kind === 'ip' ? formatIp(name.bytes) : name.kind)),
        ['host.example', '*.host.example', '2001:db8::1', 'a@host.example', 'https://host.example/', 'directoryName'],
      );
      assert.deepEqual(
        csr.extensions.map(({ oid, critical }) => [oid, critical]),
        [
          ['2.5.29.15', true],
          ['2.5.29.17', false],
        ],
      );
      assert.equal(csr.challengePassword, 's3cret');
      assert.ok(await verifyProofOfPossession(csr));
    });
  }

  const request = (folder: string, genpkey: readonly string[], ...options: readonly string[]): Buffer => {
    writeFileSync(join(folder, 'key.pem'), openssl(folder, genpkey));
    return openssl(folder, [
      'req',
      '-new',
      '-key',
      'key.pem',
      '-subj',
      '/CN=host.example',
      '-outform',
      'DER',
      ...options,
    ]);
  };

  it('RSASSA-PSS signatures are proved', async (t) => {
    const options = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:-1', '-sha256'];
    const result = parseCsr(request(scratchFolder(t), [...RSA, 'rsa_keygen_bits:2048'], ...options));
    assert.ok(result.ok);
    assert.equal(result.value.signatureAlgorithm.name, 'rsassaPss-sha256');
    assert.ok(await verifyProofOfPossession(result.value));
  });

  const refused: readonly [what: string, code: string, genpkey: readonly string[], options: readonly string[]][] = [
    ['SHA-1 signature', 'csr.badSignatureAlgorithm', [...EC, 'ec_paramgen_curve:P-256'], ['-sha1']],
    ['Ed448', 'csr.unsupportedKey', ['genpkey', '-algorithm', 'ED448'], []],
    ['secp256k1', 'csr.unsupportedKey', [...EC, 'ec_paramgen_curve:secp256k1'], []],
    ['PSS key', 'csr.unsupportedKey', ['genpkey', '-algorithm', 'RSA-PSS'], []],
    ['explicit curve', 'csr.badKey', [...EC, 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'], []],
  ];
  for (const [what, code, genpkey, options] of refused) {
    it(`${what} is refused with ${code}`, (t) => {
      const result = parseCsr(request(scratchFolder(t), genpkey, ...options));
      assert.equal(result.ok ? 'accepted' : result.error.code, code);
    });
  }

  it('1024 bits are parsed but not good enough', (t) => {
    const result = parseCsr(request(scratchFolder(t), [...RSA, 'rsa_keygen_bits:1024']));
    assert.ok(result.ok);
    assert.deepEqual(
      checkKey(result.value.key, PUBLIC_KEY_POLICY).map(({ code }) => code),
      ['key.sizeNotAllowed'],
    );
  });
});

describe('requests made here', { skip: skipWithoutOpenssl }, () => {
  for (const [algorithm] of KEYS) {
    it(`${algorithm} is verified by openssl`, async (t) => {
      const { privateKey } = await generateKey(algorithm);
      const subject = nameOf(['C', 'DE'], ['O', 'Example, Inc.'], ['CN', 'host.example']);
      const pem = await createCsr({
        subject,
        sans: [{ kind: 'dns', value: 'host.example' }],
        key: privateKey,
        challengePassword: 'p4ss',
      });
      const text = opensslReport(scratchFolder(t), ['req', '-verify', '-noout', '-text', '-nameopt', 'RFC2253'], pem);
      assert.match(text, /signature verify OK/);
      assert.ok(text.includes(`Subject: ${formatName(subject)}`));
      assert.ok(text.includes('DNS:host.example'));
      assert.ok(text.includes('p4ss'));
    });
  }
});
