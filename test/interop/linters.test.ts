/** Certificates of every profile, a CRL and an OCSP answer under linters that nobody here wrote: zlint and pkilint. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  assembleOcspResponse,
  buildOcspResponseData,
  CrlBuilder,
  certId,
  type DistinguishedName,
  type GeneralName,
  generateKey,
  type KeyAlgorithm,
  nameOf,
  PROFILES,
  publicKeyBits,
  responderKeyHash,
  signatureAlgorithmFor,
  signWith,
  toPem,
} from '@certwright/pki';
import { type Authority, issue, makeIssuing, makeRoot, profile } from '../../packages/pki/test/authority.ts';

const run = promisify(execFile);
const zlint = process.env.TEST_ZLINT ?? '';
const pkilint = process.env.TEST_PKILINT ?? '';

function missing(program: string, variable: string): string | false {
  if (program !== '' && existsSync(program)) return false;
  const reason = `${variable} does not name the linter (.ci/run installs it)`;
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}

/** Findings that are accepted, by name, each with its reason. */
const WAIVED: Readonly<Record<string, string>> = {
  // the names used in tests lie under reserved top-level domains
  e_dnsname_not_valid_tld: 'reserved top-level domain',
  w_dnsname_not_valid_tld: 'reserved top-level domain',
  w_sub_cert_aia_contains_internal_names: 'reserved top-level domain',
  w_smime_aia_contains_internal_names: 'reserved top-level domain',
  'pkix.reserved_tld': 'reserved top-level domain',
  'cabf.internal_domain_name': 'reserved top-level domain',
  'cabf.serverauth.internal_domain_name': 'reserved top-level domain',
  // the API contract shows a common name in every subject; the Baseline Requirements allow it without recommending it
  w_subject_common_name_included: 'the contract shows a common name',
  e_subject_common_name_included: 'the contract shows a common name',
  'cabf.serverauth.dv.common_name_attribute_present': 'the contract shows a common name',
  'cabf.serverauth.ov.common_name_attribute_present': 'the contract shows a common name',
  'cabf.ev_guidelines.common_name_attribute_present': 'the contract shows a common name',
  // the Baseline Requirements do not recommend the subject key identifier in subscriber certificates, RFC 5280 does
  w_ext_subject_key_identifier_missing_sub_cert: 'Baseline Requirements 7.1.2.7.6',
  'pkix.subject_key_identifier_extension_absent': 'Baseline Requirements 7.1.2.7.6',
  // one issuing CA serves all purposes of an installation, so its certificate names none
  'cabf.serverauth.ca.missing_eku': 'one CA for all purposes',
};

interface Finding {
  readonly severity: string;
  readonly code: string;
}

/** Private profiles are not bound by the CA/Browser Forum and root programs, so only the RFCs judge them. */
const RFC_SOURCES = 'RFC3279,RFC5280,RFC5480,RFC5891,RFC6962,RFC8813';

async function zlintFindings(pem: string, publicTrust: boolean): Promise<Finding[]> {
  const sources = publicTrust ? [] : ['-includeSources', RFC_SOURCES];
  const { stdout } = await run(zlint, [...sources, pem], { maxBuffer: 1 << 24 });
  const results = JSON.parse(stdout) as Record<string, { readonly result: string }>;
  return Object.entries(results)
    .filter(([, { result }]) => result === 'error' || result === 'fatal' || result === 'warn')
    .map(([code, { result }]) => ({ severity: result, code }));
}

async function pkilintFindings(program: string, file: string, options: readonly string[]): Promise<Finding[]> {
  // the exit code counts findings; the report is on stdout either way
  const stdout = await run(join(pkilint, program), ['lint', ...options, '-s', 'WARNING', '-f', 'JSON', file]).then(
    (done) => done.stdout,
    (error: { readonly stdout?: string; readonly stderr?: string }) => {
      if (error.stdout === undefined || error.stdout === '') throw new Error(error.stderr ?? `${program} failed`);
      return error.stdout;
    },
  );
  const report = JSON.parse(stdout) as {
    readonly results: readonly {
      readonly finding_descriptions: readonly { readonly severity: string; readonly code: string }[];
    }[];
  };
  return report.results.flatMap((result) =>
    result.finding_descriptions.map(({ severity, code }) => ({ severity, code })),
  );
}

const notWaived = (findings: readonly Finding[]): string[] =>
  findings.filter(({ code }) => WAIVED[code] === undefined).map(({ severity, code }) => `${severity} ${code}`);

const organization = [
  ['C', 'US'],
  ['ST', 'Maine'],
  ['L', 'Portland'],
  ['O', 'Northwind Traders Inc'],
] as const;

/** A subject and names that fit each profile. */
function order(id: string): { readonly subject: DistinguishedName; readonly sans: readonly GeneralName[] } {
  const host: GeneralName[] = [
    { kind: 'dns', value: 'shop.northwind.example' },
    { kind: 'dns', value: 'www.shop.northwind.example' },
  ];
  const commonName = ['CN', 'shop.northwind.example'] as const;
  switch (id) {
    case 'tls-ov':
      return { subject: nameOf(...organization, commonName), sans: host };
    case 'tls-ev':
      return {
        subject: nameOf(
          ['jurisdictionC', 'US'],
          ['businessCategory', 'Private Organization'],
          ['serialNumber', '20260101'],
          ...organization,
          commonName,
        ),
        sans: host,
      };
    case 'smime-simple':
      return { subject: nameOf(), sans: [{ kind: 'email', value: 'ida.falk@northwind.example' }] };
    case 'document-signer-natural-person':
      return { subject: nameOf(['C', 'US'], ['SN', 'Falk'], ['GN', 'Ida'], ['CN', 'Ida Falk']), sans: [] };
    case 'document-signer-legal-person':
      return { subject: nameOf(...organization, ['SN', 'Falk'], ['GN', 'Ida'], ['CN', 'Ida Falk']), sans: [] };
    case 'document-signer-legal-entity':
      return { subject: nameOf(...organization, ['CN', 'Northwind Traders Inc']), sans: [] };
    case 'ocsp-responder':
    case 'ra':
    case 'tls-client':
      return { subject: nameOf(['CN', 'Certwright test service']), sans: [] };
    default:
      return { subject: nameOf(commonName), sans: host };
  }
}

describe('linters of others', () => {
  let folder: string;
  let root: Authority;
  let issuing: Authority;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certwright-lint-'));
    root = await makeRoot('ec-p256');
    issuing = await makeIssuing(root, 'ec-p256');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function store(name: string, label: string, der: Uint8Array): Promise<string> {
    const file = join(folder, name);
    await writeFile(file, toPem(label, der));
    return file;
  }

  const endEntities = [...PROFILES.keys()].filter((id) => id !== 'root' && id !== 'issuing-ca');
  for (const id of endEntities) {
    for (const algorithm of ['ec-p256', 'rsa-2048'] as const satisfies readonly KeyAlgorithm[]) {
      const publicTls = id.startsWith('tls-') && profile(id).publicTlsSchedule;
      it(`zlint finds nothing in ${id} with ${algorithm}`, {
        skip: missing(zlint, 'TEST_ZLINT'),
      }, async () => {
        const { spki } = await generateKey(algorithm);
        const made = await issue(issuing, { profile: profile(id), spki, ...order(id) });
        const file = await store(`${id}-${algorithm}.pem`, 'CERTIFICATE', made.der);
        assert.deepEqual(notWaived(await zlintFindings(file, publicTls || id === 'smime-simple')), []);
      });
      it(`pkilint finds nothing in ${id} with ${algorithm}`, {
        skip: missing(pkilint, 'TEST_PKILINT'),
      }, async () => {
        const { spki } = await generateKey(algorithm);
        const made = await issue(issuing, { profile: profile(id), spki, ...order(id) });
        const file = await store(`${id}-${algorithm}-pkilint.pem`, 'CERTIFICATE', made.der);
        const findings = publicTls
          ? await pkilintFindings('lint_cabf_serverauth_cert', file, ['--detect'])
          : await pkilintFindings('lint_pkix_cert', file, []);
        assert.deepEqual(notWaived(findings), []);
      });
    }
  }

  it('neither finds anything in the CA certificates', {
    skip: missing(zlint, 'TEST_ZLINT') || missing(pkilint, 'TEST_PKILINT'),
  }, async () => {
    for (const [name, authority] of [
      ['root', root],
      ['issuing', issuing],
    ] as const) {
      const file = await store(`${name}.pem`, 'CERTIFICATE', authority.certificate.der);
      assert.deepEqual(
        notWaived([...(await zlintFindings(file, true)), ...(await pkilintFindings('lint_pkix_cert', file, []))]),
        [],
      );
    }
  });

  it('pkilint finds nothing in a CRL, full and partitioned', {
    skip: missing(pkilint, 'TEST_PKILINT'),
  }, async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    for (const partitioned of [false, true]) {
      const builder = new CrlBuilder();
      builder.add(Uint8Array.of(1, 2, 3, 4), now - 1000, 'keyCompromise');
      const { tbs } = builder.finish({
        issuer: issuing.context,
        number: 7,
        thisUpdate: now,
        nextUpdate: now + 7 * 86_400_000,
        ...(partitioned
          ? { scope: { distributionPoint: 'http://pki.example/crl/issuing/1.crl', onlyContainsUserCerts: true } }
          : {}),
      });
      const signature = await signWith(issuing.key.privateKey, signatureAlgorithmFor('ec-p256'), tbs);
      const file = await store(`crl-${partitioned}.pem`, 'X509 CRL', builder.seal(signature));
      assert.deepEqual(notWaived(await pkilintFindings('lint_crl', file, ['-t', 'CRL', '-p', 'BR'])), []);
    }
  });

  it('pkilint finds nothing in an OCSP answer', { skip: missing(pkilint, 'TEST_PKILINT') }, async () => {
    const responderKey = await generateKey('ec-p256');
    const responder = await issue(issuing, {
      profile: profile('ocsp-responder'),
      spki: responderKey.spki,
      ...order('ocsp-responder'),
    });
    const now = Math.floor(Date.now() / 1000) * 1000;
    const id = certId(issuing.context.nameDer, publicKeyBits(issuing.context.spki), Uint8Array.of(9, 9), 'sha1');
    const data = buildOcspResponseData({
      responderKeyHash: responderKeyHash(responderKey.spki),
      producedAt: now,
      responses: [{ certId: id, status: { kind: 'good' }, thisUpdate: now, nextUpdate: now + 86_400_000 }],
    });
    const algorithm = signatureAlgorithmFor('ec-p256');
    const signature = await signWith(responderKey.privateKey, algorithm, data);
    const file = join(folder, 'ocsp.der');
    await writeFile(file, assembleOcspResponse(data, algorithm.derAlgorithmIdentifier, signature, responder.der));
    assert.deepEqual(notWaived(await pkilintFindings('lint_ocsp_response', file, [])), []);
  });
});
