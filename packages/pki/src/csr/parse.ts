import { DerError, type DerReader, readSequence } from '../der/read.ts';
import { describeSpki, type KeyErrorCode, type PublicKeyInfo, signatureAlgorithmOf } from '../keys/index.ts';
import { type DistinguishedName, readName } from '../names/index.ts';
import { fail, ok, type Result } from '../result.ts';
import { readAttributes } from './attributes.ts';
import type { CertificationRequest, CsrError, CsrErrorCode } from './certification-request.ts';
import { decodeBase64, fromPem, type PemErrorCode } from './pem.ts';
import { CsrRefusal, refuse, within } from './refusal.ts';

/** Largest accepted input, as text or DER. An ML-DSA-87 request with 100 names has 15 kB of PEM. */
export const MAX_CSR_BYTES = 65_536;

const LIMITS = { maxBytes: MAX_CSR_BYTES, maxDepth: 16 };

const PEM_CODE: Readonly<Record<PemErrorCode, CsrErrorCode>> = {
  'pem.notPem': 'csr.notPem',
  'pem.wrongLabel': 'csr.wrongLabel',
  'pem.notBase64': 'csr.notBase64',
};

function decodeText(input: string): Uint8Array {
  const text = input.startsWith('\ufeff') ? input.slice(1) : input;
  if (text.includes('-----')) {
    const decoded = fromPem(text, 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST');
    return decoded.ok ? decoded.value : refuse(PEM_CODE[decoded.error.code], decoded.error.detail);
  }
  const bytes = decodeBase64(text) ?? refuse('csr.notBase64', 'neither PEM nor base64');
  return bytes.length === 0 ? refuse('csr.empty', 'no request given') : bytes;
}

function decode(input: string | Uint8Array): Uint8Array {
  if (input.length > MAX_CSR_BYTES) refuse('csr.tooLarge', `request of more than ${MAX_CSR_BYTES} bytes`);
  if (input.length === 0) refuse('csr.empty', 'no request given');
  if (typeof input === 'string') return decodeText(input);
  // Base64 of a SEQUENCE starts with "M", PEM with "-" or text: octet 30 ("0") first is DER.
  if (input[0] === 0x30) return input;
  const text = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('utf8');
  if (/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text)) refuse('csr.der.badTag', 'neither text nor a DER SEQUENCE');
  return decodeText(text);
}

/** Empty values are legal in a request and mean "no such attribute"; control characters are never meant. */
function readSubject(info: DerReader): DistinguishedName {
  const name = within('csr.badSubject', () => readName(info));
  for (const { value } of name.flat()) {
    if (/\p{Cc}/u.test(value)) refuse('csr.badSubject', 'subject has a control character');
  }
  if (name.every((rdn) => rdn.every((member) => member.value !== ''))) return name;
  return name.map((rdn) => rdn.filter((member) => member.value !== '')).filter((rdn) => rdn.length > 0);
}

const UNSUPPORTED: ReadonlySet<KeyErrorCode> = new Set(['key.unsupportedAlgorithm', 'key.unsupportedCurve']);

function readKey(info: DerReader): PublicKeyInfo {
  const spki = within('csr.badKey', () => info.any().bytes);
  const described = describeSpki(spki);
  if (described.ok) return described.value;
  const { code, detail } = described.error;
  return refuse(UNSUPPORTED.has(code) ? 'csr.unsupportedKey' : 'csr.badKey', detail);
}

function parseDer(bytes: Uint8Array): CertificationRequest {
  // The caller may reuse its buffer while the signature is still being checked.
  const der = Uint8Array.from(bytes);
  const outer = readSequence(der, LIMITS);
  const infoDer = outer.any().bytes;
  const sigAlgDer = outer.any().bytes;
  const { bytes: signature, unusedBits } = within('csr.badSignature', () => outer.bitString());
  outer.end();
  if (unusedBits !== 0 || signature.length === 0) refuse('csr.badSignature', 'signature is not whole octets');

  const info = readSequence(infoDer, LIMITS);
  const version = within('csr.badVersion', () => info.smallInteger());
  if (version !== 0) refuse('csr.badVersion', `version number ${version} where 0 is the only one`);
  const subject = readSubject(info);
  const key = readKey(info);
  // RFC 2986 demands the attributes even when there are none; old clients leave them out.
  const { extensions, sans, challengePassword } = within('csr.badAttributes', () => {
    const attributes = info.optionalContext(0);
    info.end();
    return attributes === undefined
      ? { extensions: [], sans: [], challengePassword: undefined }
      : readAttributes(attributes);
  });

  const signatureAlgorithm =
    signatureAlgorithmOf(sigAlgDer) ?? refuse('csr.badSignatureAlgorithm', 'unsupported or weak signature algorithm');
  if (signatureAlgorithm.family !== key.family) {
    refuse('csr.badSignatureAlgorithm', `${signatureAlgorithm.name} cannot be made with a key of kind ${key.family}`);
  }
  return {
    der,
    infoDer,
    subject,
    spki: key.spki,
    key,
    sans,
    extensions,
    ...(challengePassword === undefined ? {} : { challengePassword }),
    signatureAlgorithm,
    signature,
  };
}

/**
 * Parses a PKCS #10 request (RFC 2986) given as PEM with either header (LF or CRLF, text before it, white space around it),
 * as bare base64 with or without line breaks, or as DER; at most 64 KiB. The input may change afterwards: it is copied.
 * The structure, names, key and requested extensions are checked; the signature by `verifyProofOfPossession`,
 * the quality of the key by `checkKey`.
 */
export function parseCsr(input: string | Uint8Array): Result<CertificationRequest, CsrError> {
  try {
    return ok(parseDer(decode(input)));
  } catch (error) {
    if (error instanceof CsrRefusal) return fail(error.problem);
    if (error instanceof DerError) return fail({ code: `csr.${error.code}`, detail: error.message });
    throw error;
  }
}
