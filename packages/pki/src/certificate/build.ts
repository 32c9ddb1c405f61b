import { type Der, der, readSequence } from '../der/index.ts';
import { keyIdentifier, signatureAlgorithmFor } from '../keys/index.ts';
import { type DistinguishedName, encodeName, type GeneralName } from '../names/index.ts';
import type { CertificateProfile, UsageFamily } from '../profiles/index.ts';
import {
  encodeAuthorityInfoAccess,
  encodeAuthorityKeyIdentifier,
  encodeBasicConstraints,
  encodeCrlDistributionPoints,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  encodeOcspNoCheck,
  encodePolicies,
  encodeSubjectAltName,
  encodeSubjectKeyIdentifier,
} from './extensions.ts';
import type { IssuerContext } from './types.ts';

/** Use the same `profile` and `issuer` objects again and again: encodings are cached by identity. */
export interface TbsInput {
  readonly profile: CertificateProfile;
  readonly issuer: IssuerContext;
  /** Magnitude, from `serialNumber`. */
  readonly serial: Uint8Array;
  readonly subject: DistinguishedName;
  readonly sans: readonly GeneralName[];
  /** DER SubjectPublicKeyInfo of a key that was checked. */
  readonly spki: Uint8Array;
  /** Milliseconds since the epoch, cut to the second. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** CRL of the certificate's partition; the issuer's CRL when absent. */
  readonly crlUrl?: string;
}

/** What certificates of one issuer, profile and key family have in common, encoded once. */
interface Template {
  /** Signature algorithm and issuer name. */
  readonly middle: Der;
  readonly extensions: Der;
}

/** URLs of partitions are few; the bound only guards against misuse. */
const MAX_CACHED_URLS = 4096;
const VERSION_3 = der.context(0, der.integer(2));
const EMPTY = new Uint8Array();

const templates = new WeakMap<IssuerContext, WeakMap<CertificateProfile, Map<UsageFamily, Template>>>();
const distributionPoints = new Map<string, Der>();

function makeTemplate(issuer: IssuerContext, profile: CertificateProfile, family: UsageFamily): Template {
  const { basicConstraints, extendedKeyUsage, policies, authorityInfoAccess } = profile;
  // In a root too: RFC 5280 section 4.2.1.1 allows to leave it out there, the Baseline Requirements recommend it (7.1.2.1.2).
  const extensions = [encodeAuthorityKeyIdentifier(issuer.keyIdentifier)];
  if (basicConstraints !== undefined) extensions.push(encodeBasicConstraints(basicConstraints));
  extensions.push(encodeKeyUsage(profile.keyUsage[family]));
  if (extendedKeyUsage.length > 0) extensions.push(encodeExtendedKeyUsage(extendedKeyUsage));
  if (policies.length > 0) extensions.push(encodePolicies(policies));
  const { caIssuers } = issuer.urls;
  const ocsp = authorityInfoAccess === 'ocspAndCaIssuers' ? issuer.urls.ocsp : undefined;
  if (authorityInfoAccess !== 'none' && (ocsp !== undefined || caIssuers !== undefined)) {
    extensions.push(encodeAuthorityInfoAccess({ ocsp, caIssuers }));
  }
  if (profile.ocspNoCheck) extensions.push(encodeOcspNoCheck());
  return {
    middle: der.concat(signatureAlgorithmFor(issuer.keyAlgorithm).derAlgorithmIdentifier, issuer.nameDer),
    extensions: der.concat(...extensions),
  };
}

function template(issuer: IssuerContext, profile: CertificateProfile, family: UsageFamily): Template {
  let byProfile = templates.get(issuer);
  if (byProfile === undefined) {
    byProfile = new WeakMap();
    templates.set(issuer, byProfile);
  }
  let byFamily = byProfile.get(profile);
  if (byFamily === undefined) {
    byFamily = new Map();
    byProfile.set(profile, byFamily);
  }
  let made = byFamily.get(family);
  if (made === undefined) {
    made = makeTemplate(issuer, profile, family);
    byFamily.set(family, made);
  }
  return made;
}

function distributionPoint(url: string): Der {
  let encoded = distributionPoints.get(url);
  if (encoded === undefined) {
    if (distributionPoints.size >= MAX_CACHED_URLS) distributionPoints.clear();
    encoded = encodeCrlDistributionPoints(url);
    distributionPoints.set(url, encoded);
  }
  return encoded;
}

/** Usage family by the algorithm identifier alone: the key itself was checked before. @throws DerError */
function familyOf(spki: Uint8Array): UsageFamily {
  switch (readSequence(spki).sequence().oid()) {
    case '1.2.840.113549.1.1.1':
      return 'rsa';
    case '1.2.840.10045.2.1':
      return 'ec';
    case '1.3.101.112':
      return 'ed25519';
    default:
      return 'mlDsa';
  }
}

/**
 * DER of the TBSCertificate that `input` describes (RFC 5280 section 4.1). Nothing is checked here: `lintTbs` judges the result.
 * The subject alternative name is critical exactly when the subject is empty (section 4.2.1.6).
 * @throws DerError when the public key is no SubjectPublicKeyInfo
 */
export function buildTbsCertificate(input: TbsInput): Uint8Array {
  const { profile, issuer, subject, sans, spki } = input;
  const { middle, extensions } = template(issuer, profile, familyOf(spki));
  const crlUrl = profile.crlDistributionPoints ? (input.crlUrl ?? issuer.urls.crl) : undefined;
  return der.sequence(
    VERSION_3,
    der.unsignedInteger(input.serial),
    middle,
    der.sequence(der.time(input.notBefore), der.time(input.notAfter)),
    encodeName(subject),
    spki,
    der.context(
      3,
      der.sequence(
        extensions,
        crlUrl === undefined ? EMPTY : distributionPoint(crlUrl),
        profile.subjectKeyIdentifier ? encodeSubjectKeyIdentifier(keyIdentifier(spki)) : EMPTY,
        sans.length === 0 ? EMPTY : encodeSubjectAltName(sans, subject.length === 0),
      ),
    ),
  );
}

/** The certificate from its signed parts: `signatureAlgorithm` is the complete AlgorithmIdentifier that `tbs` names too. */
export function assembleCertificate(
  tbs: Uint8Array,
  signatureAlgorithm: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  return der.sequence(tbs, signatureAlgorithm, der.bitString(signature));
}
