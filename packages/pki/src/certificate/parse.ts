import { DerError, type DerLimits, DerReader, der, readSequence } from '../der/index.ts';
import { readName } from '../names/index.ts';
import { fail, ok, type Result } from '../result.ts';
import { decodeExtensions, readExtensions } from './extensions.ts';
import { pemBlocks } from './pem-blocks.ts';
import { serialText } from './serial.ts';
import type {
  Certificate,
  CertificateError,
  CertificateErrorCode,
  CertificateExtension,
  DecodedExtensions,
  TbsCertificate,
  TimeEncoding,
} from './types.ts';

/** A certificate with ML-DSA-87 key and signature and 1,000 names stays below half of this. */
const LIMITS: DerLimits = { maxBytes: 256 * 1024, maxDepth: 24 };
const MAX_CHAIN = 16;
const MAX_SERIAL_OCTETS = 20;

/** Raised inside this module only; the exported functions turn it into their error value. */
class CertificateRefusal extends Error {
  readonly problem: CertificateError;
  constructor(code: CertificateErrorCode, detail: string) {
    super(detail);
    this.problem = { code, detail };
  }
}

function readTime(reader: DerReader): { at: number; encoding: TimeEncoding } {
  const encoding = reader.peek === der.TAG.utcTime ? 'utcTime' : 'generalizedTime';
  return { at: reader.time(), encoding };
}

/** Marks what goes wrong inside an extension, so that the caller can tell it from a broken certificate. */
class ExtensionError extends DerError {}

function decoded(extensions: readonly CertificateExtension[]): DecodedExtensions {
  try {
    return decodeExtensions(extensions);
  } catch (error) {
    if (error instanceof DerError) throw new ExtensionError(error.code, error.offset, 'bad extension value');
    throw error;
  }
}

function readVersion(fields: DerReader): number {
  const explicit = fields.optionalContext(0);
  if (explicit === undefined) return 1;
  const version = explicit.smallInteger() + 1;
  explicit.end();
  return version;
}

/**
 * Decodes a TBSCertificate (complete DER) without judging it: lint needs to see what is wrong.
 * @throws DerError
 */
export function readTbsCertificate(tbs: Uint8Array): TbsCertificate {
  const fields = readSequence(tbs, LIMITS);
  const version = readVersion(fields);
  const serialBytes = fields.integerBytes();
  const signatureAlgorithm = fields.any().bytes;
  const issuerDer = fields.any().bytes;
  const validity = fields.sequence();
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.end();
  const subjectDer = fields.any().bytes;
  const spki = fields.any().bytes;
  // issuerUniqueID and subjectUniqueID: bound to version 2 and 3, used by nobody (RFC 5280 section 4.1.2.8).
  if (fields.peek === 0x81) fields.any();
  if (fields.peek === 0x82) fields.any();
  const explicit = fields.optionalContext(3);
  fields.end();
  const extensions = explicit === undefined ? [] : readExtensions(explicit);
  explicit?.end();
  return {
    version,
    serial: serialText(serialBytes),
    serialBytes,
    signatureAlgorithm,
    issuer: readName(new DerReader(issuerDer)),
    issuerDer,
    notBefore: notBefore.at,
    notAfter: notAfter.at,
    notBeforeEncoding: notBefore.encoding,
    notAfterEncoding: notAfter.encoding,
    subject: readName(new DerReader(subjectDer)),
    subjectDer,
    spki,
    extensions,
    ...decoded(extensions),
  };
}

function judge(certificate: TbsCertificate, outerAlgorithm: Uint8Array): void {
  const { version, extensions, serialBytes, signatureAlgorithm } = certificate;
  if (version !== 3 && !(version === 1 && extensions.length === 0)) {
    throw new CertificateRefusal('certificate.badVersion', 'version must be 3, or 1 without extensions');
  }
  // The sign octet that a serial of 160 bits needs is not counted, as most implementations do not.
  if ((serialBytes[0] ?? 0) >= 0x80 || serialBytes.length > MAX_SERIAL_OCTETS + 1) {
    throw new CertificateRefusal('certificate.badSerial', 'serial number is negative or longer than 20 octets');
  }
  if (Buffer.compare(signatureAlgorithm, outerAlgorithm) !== 0) {
    throw new CertificateRefusal('certificate.algorithmMismatch', 'the two signature algorithms differ');
  }
  if (new Set(extensions.map(({ oid }) => oid)).size !== extensions.length) {
    throw new CertificateRefusal('certificate.duplicateExtension', 'an extension appears twice');
  }
}

function readCertificate(bytes: Uint8Array): Certificate {
  const fields = readSequence(bytes, LIMITS);
  const tbs = fields.any();
  if (tbs.tag !== der.TAG.sequence) throw new DerError('der.badTag', 0, 'SEQUENCE expected');
  const outerAlgorithm = fields.any().bytes;
  const signature = fields.bitString();
  fields.end();
  if (signature.unusedBits !== 0) throw new DerError('der.badValue', 0, 'signature is not whole octets');
  const fieldsOfTbs = readTbsCertificate(tbs.bytes);
  judge(fieldsOfTbs, outerAlgorithm);
  return { ...fieldsOfTbs, der: bytes, tbs: tbs.bytes, signature: signature.bytes };
}

/** Runs a reader and turns what it throws for bad input into an error value. */
function guarded<T>(read: () => T): Result<T, CertificateError> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof CertificateRefusal) return fail(error.problem);
    if (error instanceof ExtensionError) return fail({ code: 'certificate.badExtension', detail: error.message });
    if (error instanceof DerError) {
      const code = error.code === 'der.tooLarge' ? 'certificate.tooLarge' : 'certificate.malformed';
      return fail({ code, detail: error.message });
    }
    throw error;
  }
}

function decodePem(text: string): Uint8Array[] {
  if (text.length > LIMITS.maxBytes * 2 * MAX_CHAIN) {
    throw new CertificateRefusal('certificate.tooLarge', 'more text than a chain of certificates takes');
  }
  if (text.trim() === '') throw new CertificateRefusal('certificate.empty', 'no input');
  const blocks = pemBlocks(text, 'CERTIFICATE', MAX_CHAIN);
  if (blocks === undefined || blocks.length === 0) {
    throw new CertificateRefusal('certificate.notPem', `expected 1 to ${MAX_CHAIN} PEM blocks of label CERTIFICATE`);
  }
  return blocks;
}

/**
 * Reads one certificate from PEM text (first block of label CERTIFICATE) or DER bytes, strictly: DER only, version 3
 * (or a bare version 1), no repeated extension, known extensions well formed. Views into the input are kept.
 */
export function parseCertificate(input: string | Uint8Array): Result<Certificate, CertificateError> {
  return guarded(() => {
    if (input.length === 0) throw new CertificateRefusal('certificate.empty', 'no input');
    if (typeof input !== 'string') return readCertificate(input);
    const [first = new Uint8Array()] = decodePem(input);
    return readCertificate(first);
  });
}

/** Reads every certificate of a PEM bundle in the order given; at most 16. */
export function parseCertificateChain(pem: string): Result<Certificate[], CertificateError> {
  return guarded(() => decodePem(pem).map(readCertificate));
}
