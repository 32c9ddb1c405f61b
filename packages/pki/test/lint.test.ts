import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ATTRIBUTE_OID,
  type AttributeKey,
  type CertificateProfile,
  der,
  EKU,
  EXTENSION,
  encodeGeneralNames,
  encodeName,
  type GeneralName,
  generateKey,
  KEY_USAGE_BIT,
  type KeyUsage,
  LINTS,
  lintTbs,
  nameOf,
  parseIp,
  readTbsCertificate,
  recommendedNotAfter,
  selfIssuerContext,
  signatureAlgorithmFor,
} from '@certwright/pki';
import { makeIssuing, makeRoot, must, type Order, profile, tbsOf } from './authority.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const DAY = 86_400_000;
const BACKDATE = 300_000;

const root = await makeRoot('ec-p384');
const issuing = await makeIssuing(root, 'ec-p256');
const ecKey = (await generateKey('ec-p256')).spki;
const rsaKey = (await generateKey('rsa-2048')).spki;
const p521Key = (await generateKey('ec-p521')).spki;
const issuerBase = { ...issuing.context, notAfter: NOW + 3650 * DAY };
const selfContext = must(selfIssuerContext(root.certificate.subject, root.key.spki));

const dns = (...names: readonly string[]): GeneralName[] => names.map((value) => ({ kind: 'dns', value }));
const ip = (text: string): GeneralName => ({ kind: 'ip', bytes: parseIp(text) ?? new Uint8Array() });

/** Fields of a TBSCertificate, each complete DER; extensions by OID. */
interface Parts {
  version: Uint8Array[];
  serial: Uint8Array;
  algorithm: Uint8Array;
  issuer: Uint8Array;
  notBefore: Uint8Array;
  notAfter: Uint8Array;
  subject: Uint8Array;
  spki: Uint8Array;
  extensions: { oid: string; critical: boolean; value: Uint8Array }[];
}

interface Base {
  readonly profile: CertificateProfile;
  readonly issuer: typeof issuerBase | typeof selfContext;
  readonly tbs: Uint8Array;
}

function base(id: string, order: Omit<Order, 'profile' | 'spki'> & { spki?: Uint8Array }): Base {
  const chosen = profile(id);
  const issuer = id === 'root' ? selfContext : id === 'issuing-ca' ? root.context : issuerBase;
  const notBefore = NOW - BACKDATE;
  const notAfter = Math.min(recommendedNotAfter(chosen, notBefore), issuer.notAfter ?? Infinity);
  const tbs = tbsOf(issuer, { spki: ecKey, notBefore, notAfter, ...order, profile: chosen });
  return { profile: chosen, issuer, tbs };
}

const DV = base('tls-dv', {
  subject: nameOf(['CN', 'www.shop.example']),
  sans: dns('www.shop.example', 'shop.example'),
});
const DV_RSA = base('tls-dv', { subject: [], sans: dns('www.shop.example'), spki: rsaKey });
const OV = base('tls-ov', {
  subject: nameOf(['C', 'IN'], ['L', 'Bengaluru'], ['O', 'Shop']),
  sans: dns('www.shop.example'),
});
const EV = base('tls-ev', {
  subject: nameOf(
    ['jurisdictionC', 'IN'],
    ['businessCategory', 'Private Organization'],
    ['serialNumber', 'U1'],
    ['C', 'IN'],
    ['ST', 'Karnataka'],
    ['O', 'Shop'],
  ),
  sans: dns('www.shop.example'),
});
const INTRANET = base('intranet-server', { subject: nameOf(['CN', 'db']), sans: dns('db') });
const MUTUAL = base('tls-mutual', {
  subject: nameOf(['CN', 'node']),
  sans: [
    { kind: 'email', value: 'node@Shop.example' },
    { kind: 'uri', value: 'spiffe://shop.example/node' },
  ],
});
const ROOT = base('root', { subject: root.certificate.subject, spki: root.key.spki });
const ISSUING = base('issuing-ca', { subject: nameOf(['CN', 'Issuing']), notAfter: NOW + 3000 * DAY });
const OCSP = base('ocsp-responder', { subject: nameOf(['CN', 'OCSP']) });
const SMIME = base('smime-simple', { subject: [], sans: [{ kind: 'email', value: 'office@shop.example' }] });
const BASES: Readonly<Record<string, Base>> = { DV, DV_RSA, OV, EV, INTRANET, MUTUAL, ROOT, ISSUING, OCSP, SMIME };

function partsOf(tbs: Uint8Array): Parts {
  const parsed = readTbsCertificate(tbs);
  return {
    version: [der.context(0, der.integer(2))],
    serial: der.unsignedInteger(parsed.serialBytes),
    algorithm: parsed.signatureAlgorithm,
    issuer: parsed.issuerDer,
    notBefore: der.time(parsed.notBefore),
    notAfter: der.time(parsed.notAfter),
    subject: parsed.subjectDer,
    spki: parsed.spki,
    extensions: parsed.extensions.map((extension) => ({ ...extension })),
  };
}

function assemble(parts: Parts): Uint8Array {
  const extensions = parts.extensions.map(({ oid, critical, value }) =>
    der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value)),
  );
  const tail = extensions.length === 0 ? [] : [der.context(3, der.sequence(...extensions))];
  const { version, serial, algorithm, issuer, notBefore, notAfter, subject, spki } = parts;
  return der.sequence(...version, serial, algorithm, issuer, der.sequence(notBefore, notAfter), subject, spki, ...tail);
}

type Change = (parts: Parts) => void;

const put =
  (oid: string, value: Uint8Array, critical = false): Change =>
  (parts) => {
    parts.extensions = [...parts.extensions.filter((extension) => extension.oid !== oid), { oid, critical, value }];
  };
const drop =
  (oid: string): Change =>
  (parts) => {
    parts.extensions = parts.extensions.filter((extension) => extension.oid !== oid);
  };
const flip =
  (oid: string): Change =>
  (parts) => {
    parts.extensions = parts.extensions.map((entry) =>
      entry.oid === oid ? { ...entry, critical: !entry.critical } : entry,
    );
  };
const san = (...names: readonly GeneralName[]): Change => put(EXTENSION.subjectAltName, encodeGeneralNames(names));
const usage = (...usages: readonly KeyUsage[]): Change =>
  put(EXTENSION.keyUsage, der.namedBits(usages.map((name) => KEY_USAGE_BIT[name])), true);
const eku = (...purposes: readonly string[]): Change =>
  put(EXTENSION.extendedKeyUsage, der.sequence(...purposes.map(der.oid)));
const policies = (...oids: readonly string[]): Change =>
  put(EXTENSION.certificatePolicies, der.sequence(...oids.map((oid) => der.sequence(der.oid(oid)))));
const subject =
  (...members: readonly (readonly [AttributeKey, string])[]): Change =>
  (parts) => {
    parts.subject = encodeName(nameOf(...members));
  };
const subjectDer =
  (...values: readonly [oid: string, value: Uint8Array][]): Change =>
  (parts) => {
    parts.subject = der.sequence(...values.map(([oid, value]) => der.set(der.sequence(der.oid(oid), value))));
  };
const lasting =
  (milliseconds: number): Change =>
  (parts) => {
    parts.notAfter = der.time(NOW - BACKDATE + milliseconds);
  };
const uri = (url: string): Uint8Array => der.contextPrimitive(6, Buffer.from(url));
const access = (url: string): Uint8Array => der.sequence(der.sequence(der.oid('1.3.6.1.5.5.7.48.1'), uri(url)));
const point = (url: string): Uint8Array => der.sequence(der.sequence(der.context(0, der.context(0, uri(url)))));
const both =
  (...changes: readonly Change[]): Change =>
  (parts) => {
    for (const change of changes) change(parts);
  };

/** For every rule a certificate that breaks it; its base without the change breaks none. */
const BREACHES: Readonly<Record<string, readonly [base: Base, ...changes: Change[]]>> = {
  e_version_not_3: [
    DV,
    (parts) => {
      parts.version = [];
    },
  ],
  e_serial_not_positive: [
    DV,
    (parts) => {
      parts.serial = Buffer.from('0208ff00000000000000', 'hex');
    },
    (parts) => {
      parts.serial = der.integer(0);
    },
  ],
  e_serial_too_long: [
    DV,
    (parts) => {
      parts.serial = der.unsignedInteger(new Uint8Array(21).fill(1));
    },
  ],
  e_serial_below_64_bits: [
    DV,
    (parts) => {
      parts.serial = der.unsignedInteger(new Uint8Array(7).fill(1));
    },
  ],
  e_signature_algorithm_not_of_issuer: [
    DV,
    (parts) => {
      parts.algorithm = signatureAlgorithmFor('ec-p384').derAlgorithmIdentifier;
    },
  ],
  e_issuer_name_mismatch: [
    DV,
    (parts) => {
      parts.issuer = encodeName(nameOf(['CN', 'Somebody else']));
    },
  ],
  e_validity_order: [DV, lasting(0), lasting(-DAY)],
  e_validity_time_encoding: [
    DV,
    (parts) => {
      parts.notAfter = der.generalizedTime(NOW + DAY);
    },
    (parts) => {
      parts.notBefore = der.generalizedTime(NOW);
    },
  ],
  e_validity_too_long: [DV, lasting(200 * DAY)],
  w_validity_uses_up_limit: [DV, lasting(200 * DAY - 1000)],
  e_validity_start_not_near_issuance: [
    DV,
    (parts) => {
      parts.notBefore = der.time(NOW - 2 * DAY - 1000);
    },
    (parts) => {
      parts.notBefore = der.time(NOW + 2 * DAY + 1000);
    },
  ],
  e_validity_beyond_issuer: [
    ISSUING,
    (parts) => {
      parts.notAfter = der.time((root.context.notAfter ?? 0) + 1000);
    },
  ],
  e_key_malformed: [
    DV,
    (parts) => {
      parts.spki = der.sequence(der.sequence(der.oid('1.2.3')), der.bitString(Uint8Array.of(0)));
    },
  ],
  e_key_not_allowed: [
    DV,
    (parts) => {
      parts.spki = p521Key;
    },
  ],
  e_root_not_self_issued: [
    ROOT,
    subject(['CN', 'Another']),
    (parts) => {
      parts.spki = ecKey;
    },
  ],

  e_subject_empty_in_ca: [ROOT, subject()],
  e_subject_attribute_missing: [OV, subject(['C', 'IN'], ['L', 'Bengaluru']), subject(['C', 'IN'], ['O', 'Shop'])],
  e_subject_attribute_not_allowed: [DV, subject(['O', 'Shop'])],
  e_subject_attribute_repeated: [OV, subject(['C', 'IN'], ['L', 'Bengaluru'], ['O', 'Shop'], ['O', 'Shop'])],
  e_subject_multi_valued_rdn: [
    OV,
    (parts) => {
      const [country, place, name] = nameOf(['C', 'IN'], ['L', 'Bengaluru'], ['O', 'Shop']);
      parts.subject = encodeName([country ?? [], [...(place ?? []), ...(name ?? [])]]);
    },
  ],
  e_subject_string_type: [
    DV,
    subjectDer([ATTRIBUTE_OID.C, der.utf8String('IN')]),
    subjectDer([ATTRIBUTE_OID.CN, der.tlv(der.TAG.teletexString, Buffer.from('www.shop.example'))]),
  ],
  e_subject_bounds: [INTRANET, both(subject(['CN', 'n'.repeat(65)]), san({ kind: 'dns', value: 'db' }))],
  e_subject_country_not_two_letters: [DV, subjectDer([ATTRIBUTE_OID.C, der.printableString('in')])],
  e_subject_value_without_content: [OV, subject(['C', 'IN'], ['L', '-'], ['O', 'Shop'])],
  w_subject_value_outer_space: [OV, subject(['C', 'IN'], ['L', 'Bengaluru'], ['O', ' Shop'])],
  e_common_name_not_in_san: [DV, subject(['CN', 'other.example'])],

  e_san_too_few: [DV, drop(EXTENSION.subjectAltName)],
  e_san_missing_without_subject: [MUTUAL, both(subject(), drop(EXTENSION.subjectAltName))],
  e_san_too_many: [
    INTRANET,
    san(...dns('db'), ...Array.from({ length: 1000 }, (_, n): GeneralName => ({ kind: 'dns', value: `h${n}` }))),
  ],
  e_san_kind_not_allowed: [DV, san(...dns('www.shop.example'), { kind: 'email', value: 'a@shop.example' })],
  e_san_not_critical_without_subject: [DV_RSA, flip(EXTENSION.subjectAltName)],
  w_san_critical_with_subject: [DV, flip(EXTENSION.subjectAltName)],
  e_san_dns_underscore: [INTRANET, san(...dns('db', 'a_b.shop.example'))],
  e_san_dns_wildcard_position: [
    INTRANET,
    san(...dns('db', 'a*.shop.example')),
    san(...dns('db', 'www.*.shop.example')),
  ],
  e_san_dns_is_address: [INTRANET, san(...dns('db', '192.0.2.7'))],
  e_san_dns_syntax: [
    INTRANET,
    san(...dns('db', 'a..shop.example')),
    san(...dns('db', 'Shop.example')),
    san(...dns('db', 'shop.example.')),
    san(...dns('db', '-a.example')),
    san(...dns('db', 'xn--a.example')),
  ],
  e_san_dns_wildcard_not_allowed: [EV, san(...dns('*.shop.example'))],
  e_san_dns_internal_name: [
    DV,
    both(subject(), san(...dns('db'))),
    san(...dns('www.shop.example', 'a.local')),
    san(...dns('www.shop.example', '*.com')),
  ],
  e_san_ip_reserved: [
    DV,
    san(...dns('www.shop.example'), ip('10.1.2.3')),
    san(...dns('www.shop.example'), ip('fe80::1')),
  ],
  e_san_email_syntax: [
    MUTUAL,
    san({ kind: 'email', value: 'nobody' }),
    san({ kind: 'email', value: 'a b@shop.example' }),
  ],
  e_san_uri_not_absolute: [MUTUAL, san({ kind: 'uri', value: '/path' })],
  w_san_duplicate: [DV, san(...dns('www.shop.example', 'www.shop.example'))],

  e_extension_duplicate: [
    DV,
    (parts) => {
      parts.extensions = [...parts.extensions, ...parts.extensions.slice(0, 1)];
    },
  ],
  e_extension_unknown_critical: [DV, put('1.3.6.1.4.1.55555.1', der.nullValue(), true)],
  e_basic_constraints_mismatch: [
    DV,
    put(EXTENSION.basicConstraints, der.sequence(der.boolean(true)), true),
    drop(EXTENSION.basicConstraints),
  ],
  e_basic_constraints_not_critical: [DV, flip(EXTENSION.basicConstraints)],
  e_path_length_mismatch: [
    ISSUING,
    put(EXTENSION.basicConstraints, der.sequence(der.boolean(true), der.integer(3)), true),
  ],
  e_key_usage_missing: [DV, drop(EXTENSION.keyUsage), usage()],
  e_key_usage_not_critical: [DV, flip(EXTENSION.keyUsage)],
  e_key_usage_not_of_profile: [DV, usage('digitalSignature', 'keyAgreement'), usage('keyAgreement')],
  e_key_usage_cert_sign: [DV, usage('digitalSignature', 'keyCertSign')],
  e_key_usage_encipherment_without_rsa: [DV, usage('digitalSignature', 'keyEncipherment')],
  e_eku_not_of_profile: [DV, eku(EKU.emailProtection), drop(EXTENSION.extendedKeyUsage)],
  e_eku_any_in_public_tls: [DV, eku(EKU.serverAuth, EKU.any)],
  e_eku_client_auth_in_public_tls: [DV, eku(EKU.serverAuth, EKU.clientAuth)],
  e_aki_mismatch: [
    DV,
    drop(EXTENSION.authorityKeyIdentifier),
    put(EXTENSION.authorityKeyIdentifier, der.sequence(der.contextPrimitive(0, new Uint8Array(20)))),
  ],
  e_aki_critical: [DV, flip(EXTENSION.authorityKeyIdentifier)],
  e_ski_missing: [ISSUING, drop(EXTENSION.subjectKeyIdentifier)],
  e_ski_mismatch: [ISSUING, put(EXTENSION.subjectKeyIdentifier, der.octetString(new Uint8Array(20)))],
  e_ski_critical: [ISSUING, flip(EXTENSION.subjectKeyIdentifier)],
  e_policies_not_of_profile: [DV, drop(EXTENSION.certificatePolicies), policies('2.23.140.1.2.2')],
  e_policy_duplicate: [DV, policies('2.23.140.1.2.1', '2.23.140.1.2.1')],
  e_aia_missing: [DV, drop(EXTENSION.authorityInfoAccess)],
  e_aia_not_expected: [OCSP, put(EXTENSION.authorityInfoAccess, access('http://pki.example/ocsp'))],
  e_aia_not_http: [DV, put(EXTENSION.authorityInfoAccess, access('ldap://pki.example/'))],
  e_aia_critical: [DV, flip(EXTENSION.authorityInfoAccess)],
  e_cdp_missing: [DV, drop(EXTENSION.crlDistributionPoints)],
  e_cdp_not_expected: [OCSP, put(EXTENSION.crlDistributionPoints, point('http://pki.example/a.crl'))],
  e_cdp_not_http: [DV, put(EXTENSION.crlDistributionPoints, point('https://pki.example/a.crl'))],
  e_revocation_pointer_missing: [DV, both(drop(EXTENSION.crlDistributionPoints), drop(EXTENSION.authorityInfoAccess))],
  e_ocsp_nocheck_missing: [OCSP, drop(EXTENSION.ocspNoCheck)],
  e_ocsp_nocheck_not_expected: [DV, put(EXTENSION.ocspNoCheck, der.nullValue())],
};

const findings = ({ profile: chosen, issuer }: Base, tbs: Uint8Array): string[] =>
  lintTbs(tbs, { profile: chosen, issuer, now: NOW }).map(({ id }) => id);

describe('lint', () => {
  for (const [name, entry] of Object.entries(BASES)) {
    it(`finds nothing in ${name}, before and after taking it apart`, () => {
      assert.deepEqual(findings(entry, entry.tbs), []);
      assert.deepEqual(findings(entry, assemble(partsOf(entry.tbs))), []);
    });
  }

  it('has a breach and a clean certificate for every rule', () => {
    assert.deepEqual(LINTS.map(({ id }) => id).sort(), Object.keys(BREACHES).sort());
  });

  for (const [id, [start, ...changes]] of Object.entries(BREACHES)) {
    for (const [index, change] of changes.entries()) {
      it(`${id} finds breach ${index + 1}`, () => {
        const parts = partsOf(start.tbs);
        change(parts);
        assert.ok(findings(start, assemble(parts)).includes(id));
      });
    }
  }

  it('names severity, source and detail', () => {
    const parts = partsOf(DV.tbs);
    san(...dns('www.shop.example', 'a.local', 'b.local', 'c.local', 'd.local'))(parts);
    const found = lintTbs(assemble(parts), { profile: DV.profile, issuer: DV.issuer, now: NOW });
    assert.deepEqual(found, [
      {
        id: 'e_san_dns_internal_name',
        source: 'TLS BR 7.1.2.7.12',
        severity: 'error',
        detail: '"a.local", "b.local", "c.local" and 1 more',
      },
    ]);
    assert.ok(LINTS.every((lint) => lint.id.startsWith(lint.severity === 'error' ? 'e_' : 'w_') && lint.source !== ''));
    assert.equal(new Set(LINTS.map((lint) => lint.id)).size, LINTS.length);
  });

  it('allows exactly 200, 100 and 47 days as the schedule goes on', () => {
    for (const [date, days] of [
      ['2026-06-01', 200],
      ['2027-06-01', 100],
      ['2030-06-01', 47],
    ] as const) {
      const now = Date.parse(date);
      const parts = partsOf(DV.tbs);
      const lint = (length: number): string[] => {
        parts.notBefore = der.time(now);
        parts.notAfter = der.time(now + length);
        const issuer = { ...issuerBase, notAfter: now + 3650 * DAY };
        return lintTbs(assemble(parts), { profile: DV.profile, issuer, now }).map(({ id }) => id);
      };
      assert.deepEqual(lint((days - 1) * DAY - 1000), []);
      assert.deepEqual(lint(days * DAY - 1000), ['w_validity_uses_up_limit']);
      assert.deepEqual(lint(days * DAY), ['e_validity_too_long', 'w_validity_uses_up_limit']);
    }
  });

  it('reports bytes that are no certificate as one finding', () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(0x30), DV.tbs.subarray(0, -1), new Uint8Array(1 << 20)]) {
      assert.deepEqual(findings(DV, bytes), ['e_tbs_malformed']);
    }
  });

  it('accepts reserved addresses and single labels where the profile is private', () => {
    const parts = partsOf(INTRANET.tbs);
    san(...dns('db', 'db.local', '*.corp.internal'), ip('10.0.0.1'), ip('fd00::1'))(parts);
    assert.deepEqual(findings(INTRANET, assemble(parts)), []);
  });
});
