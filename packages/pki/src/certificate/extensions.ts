import { type Der, DerError, DerReader, der } from '../der/index.ts';
import { encodeGeneralName, encodeGeneralNames, type GeneralName, readGeneralName } from '../names/index.ts';
import { ACCESS_METHOD, EXTENSION, KEY_USAGE_BIT, type KeyUsage } from '../profiles/index.ts';
import type { CertificateExtension, DecodedExtensions } from './types.ts';

/** More entries than any real extension has; a bound on what hostile input costs. */
const MAX_ENTRIES = 1024;
const DISTRIBUTION_POINT_NAME = 0;
const FULL_NAME = 0;
const KEY_IDENTIFIER = 0;

const USAGE_NAMES = Object.keys(KEY_USAGE_BIT) as readonly KeyUsage[];

/** One Extension (RFC 5280 section 4.1): `value` is the DER that goes into extnValue. */
export function encodeExtension(oid: string, critical: boolean, value: Der): Der {
  return critical
    ? der.sequence(der.oid(oid), der.boolean(true), der.octetString(value))
    : der.sequence(der.oid(oid), der.octetString(value));
}

export const encodeKeyUsage = (usages: readonly KeyUsage[]): Der =>
  encodeExtension(EXTENSION.keyUsage, true, der.namedBits(usages.map((usage) => KEY_USAGE_BIT[usage])));

export const encodeExtendedKeyUsage = (purposes: readonly string[]): Der =>
  encodeExtension(EXTENSION.extendedKeyUsage, false, der.sequence(...purposes.map(der.oid)));

/** Always critical, as RFC 5280 section 4.2.1.9 demands of CAs and the Baseline Requirements of subscribers. */
export function encodeBasicConstraints({ ca, pathLength }: { ca: boolean; pathLength?: number }): Der {
  const fields = ca ? [der.boolean(true)] : [];
  if (ca && pathLength !== undefined) fields.push(der.integer(pathLength));
  return encodeExtension(EXTENSION.basicConstraints, true, der.sequence(...fields));
}

export const encodePolicies = (policies: readonly string[]): Der =>
  encodeExtension(
    EXTENSION.certificatePolicies,
    false,
    der.sequence(...policies.map((policy) => der.sequence(der.oid(policy)))),
  );

export const encodeSubjectKeyIdentifier = (keyIdentifier: Uint8Array): Der =>
  encodeExtension(EXTENSION.subjectKeyIdentifier, false, der.octetString(keyIdentifier));

export const encodeAuthorityKeyIdentifier = (keyIdentifier: Uint8Array): Der =>
  encodeExtension(
    EXTENSION.authorityKeyIdentifier,
    false,
    der.sequence(der.contextPrimitive(KEY_IDENTIFIER, keyIdentifier)),
  );

export const encodeSubjectAltName = (names: readonly GeneralName[], critical: boolean): Der =>
  encodeExtension(EXTENSION.subjectAltName, critical, encodeGeneralNames(names));

/** DistributionPointName with one URL, as CRLDistributionPoints and IssuingDistributionPoint hold it. */
export const encodeDistributionPointName = (url: string): Der =>
  der.context(DISTRIBUTION_POINT_NAME, der.context(FULL_NAME, encodeGeneralName({ kind: 'uri', value: url })));

export const encodeCrlDistributionPoints = (url: string): Der =>
  encodeExtension(EXTENSION.crlDistributionPoints, false, der.sequence(der.sequence(encodeDistributionPointName(url))));

/** OCSP first: the first accessMethod is what relying parties try first. */
export function encodeAuthorityInfoAccess(urls: { ocsp?: string | undefined; caIssuers?: string | undefined }): Der {
  const entry = (method: string, url: string): Der =>
    der.sequence(der.oid(method), encodeGeneralName({ kind: 'uri', value: url }));
  const entries: Der[] = [];
  if (urls.ocsp !== undefined) entries.push(entry(ACCESS_METHOD.ocsp, urls.ocsp));
  if (urls.caIssuers !== undefined) entries.push(entry(ACCESS_METHOD.caIssuers, urls.caIssuers));
  return encodeExtension(EXTENSION.authorityInfoAccess, false, der.sequence(...entries));
}

export const encodeOcspNoCheck = (): Der => encodeExtension(EXTENSION.ocspNoCheck, false, der.nullValue());

/** Reads Extensions (the SEQUENCE OF, without outer tag). @throws DerError */
export function readExtensions(reader: DerReader): CertificateExtension[] {
  const list = reader.sequence();
  const extensions: CertificateExtension[] = [];
  do {
    if (extensions.length === 64) throw new DerError('der.tooLarge', 0, 'more than 64 extensions');
    const fields = list.sequence();
    const oid = fields.oid();
    let critical = false;
    if (fields.peek === der.TAG.boolean) {
      critical = fields.boolean();
      if (!critical) throw new DerError('der.badValue', 0, 'default FALSE is encoded');
    }
    const value = fields.octetString();
    fields.end();
    extensions.push({ oid, critical, value });
  } while (!list.done);
  return extensions;
}

/** Calls `read` for each member of the SEQUENCE that fills `value`; there must be one at least. */
function readList<T>(value: Uint8Array, read: (reader: DerReader) => T): T[] {
  const outer = new DerReader(value);
  const list = outer.sequence();
  outer.end();
  const entries: T[] = [];
  do {
    if (entries.length === MAX_ENTRIES) throw new DerError('der.tooLarge', 0, `more than ${MAX_ENTRIES} entries`);
    entries.push(read(list));
  } while (!list.done);
  return entries;
}

function readKeyUsage(value: Uint8Array): KeyUsage[] {
  const reader = new DerReader(value);
  const { bytes } = reader.bitString();
  reader.end();
  return USAGE_NAMES.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function readBasicConstraints(value: Uint8Array): { isCa: boolean; pathLength: number | undefined } {
  const outer = new DerReader(value);
  const fields = outer.sequence();
  outer.end();
  const isCa = fields.peek === der.TAG.boolean && fields.boolean();
  const pathLength = fields.done ? undefined : fields.smallInteger();
  fields.end();
  return { isCa, pathLength };
}

function readOctets(value: Uint8Array): Uint8Array {
  const reader = new DerReader(value);
  const octets = reader.octetString();
  reader.end();
  return octets;
}

function readAuthorityKeyIdentifier(value: Uint8Array): Uint8Array | undefined {
  const outer = new DerReader(value);
  const fields = outer.sequence();
  outer.end();
  return fields.optionalContextPrimitive(KEY_IDENTIFIER);
}

function readPolicy(list: DerReader): string {
  const fields = list.sequence();
  const policy = fields.oid();
  if (!fields.done) fields.sequence();
  fields.end();
  return policy;
}

/** URLs of the fullName of a DistributionPoint; other forms yield none. */
export function readDistributionPointUrls(point: DerReader): string[] {
  const name = point.optionalContext(DISTRIBUTION_POINT_NAME);
  const fullName = name?.optionalContext(FULL_NAME);
  const urls: string[] = [];
  while (fullName !== undefined && !fullName.done && urls.length < 16) {
    const general = readGeneralName(fullName);
    if (general.kind === 'uri') urls.push(general.value);
  }
  return urls;
}

function readAccessDescription(list: DerReader): { method: string; url: string | undefined } {
  const fields = list.sequence();
  const method = fields.oid();
  const location = readGeneralName(fields);
  fields.end();
  return { method, url: location.kind === 'uri' ? location.value : undefined };
}

/** Decodes the known ones among `extensions`; of a repeated one the first counts. @throws DerError */
export function decodeExtensions(extensions: readonly CertificateExtension[]): DecodedExtensions {
  const value = (oid: string): Uint8Array | undefined => extensions.find((entry) => entry.oid === oid)?.value;
  const decode = <T>(oid: string, read: (value: Uint8Array) => T): T | undefined => {
    const found = value(oid);
    return found === undefined ? undefined : read(found);
  };
  const constraints = decode(EXTENSION.basicConstraints, readBasicConstraints);
  const access = decode(EXTENSION.authorityInfoAccess, (bytes) => readList(bytes, readAccessDescription)) ?? [];
  const accessUrls = (method: string): string[] =>
    access.flatMap((entry) => (entry.method === method && entry.url !== undefined ? [entry.url] : []));
  return {
    sans: decode(EXTENSION.subjectAltName, (bytes) => readList(bytes, readGeneralName)) ?? [],
    isCa: constraints?.isCa ?? false,
    pathLength: constraints?.pathLength,
    keyUsage: decode(EXTENSION.keyUsage, readKeyUsage),
    extendedKeyUsage: decode(EXTENSION.extendedKeyUsage, (bytes) => readList(bytes, (list) => list.oid())) ?? [],
    policies: decode(EXTENSION.certificatePolicies, (bytes) => readList(bytes, readPolicy)) ?? [],
    subjectKeyIdentifier: decode(EXTENSION.subjectKeyIdentifier, readOctets),
    authorityKeyIdentifier: decode(EXTENSION.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    ocspUrls: accessUrls(ACCESS_METHOD.ocsp),
    caIssuersUrls: accessUrls(ACCESS_METHOD.caIssuers),
    crlUrls:
      decode(EXTENSION.crlDistributionPoints, (bytes) =>
        readList(bytes, (list) => readDistributionPointUrls(list.sequence())),
      )?.flat() ?? [],
    ocspNoCheck: value(EXTENSION.ocspNoCheck) !== undefined,
  };
}
