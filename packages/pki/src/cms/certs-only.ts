import { DerError, type DerLimits, type DerReader, der, readSequence } from '../der/index.ts';
import { fail, ok, type Result } from '../result.ts';

export interface CmsError {
  readonly code: 'cms.tooLarge' | 'cms.malformed' | 'cms.notCertsOnly' | 'cms.tooManyCertificates';
  readonly detail: string;
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const DATA = '1.2.840.113549.1.7.1';
const LIMITS: DerLimits = { maxBytes: 1 << 20, maxDepth: 16 };
const MAX_CERTIFICATES = 64;

/**
 * DER of a certs-only SignedData (RFC 5652 section 5, RFC 8551 section 3.8): a PKCS #7 file with certificates and nothing else.
 * The order given is kept, leaf first by custom, although SET OF in DER would be sorted: many readers take the first one for
 * the leaf, and RFC 5652 asks for BER only.
 */
export function certsOnly(certificates: readonly Uint8Array[]): Uint8Array {
  const signedData = der.sequence(
    der.integer(1),
    der.set(),
    der.sequence(der.oid(DATA)),
    der.context(0, ...certificates),
    der.set(),
  );
  return der.sequence(der.oid(SIGNED_DATA), der.context(0, signedData));
}

const notCertsOnly = (detail: string): Result<never, CmsError> => fail({ code: 'cms.notCertsOnly', detail });

function readSignedData(fields: DerReader): Result<Uint8Array[], CmsError> {
  fields.smallInteger();
  fields.content(der.TAG.set);
  if (fields.sequence().oid() !== DATA) return notCertsOnly('content is not of type data');
  const list = fields.optionalContext(0);
  const certificates: Uint8Array[] = [];
  while (list !== undefined && !list.done) {
    if (certificates.length === MAX_CERTIFICATES) {
      return fail({ code: 'cms.tooManyCertificates', detail: `more than ${MAX_CERTIFICATES} certificates` });
    }
    const { tag, bytes } = list.any();
    if (tag !== der.TAG.sequence) return notCertsOnly('a certificate of another kind than X.509');
    certificates.push(bytes);
  }
  // CRLs may accompany the certificates.
  if (fields.peek === 0xa1) fields.any();
  const signers = fields.content(der.TAG.set);
  fields.end();
  return signers.length > 0 ? notCertsOnly('it has signers') : ok(certificates);
}

/** The certificates (DER, in order) of a certs-only SignedData in DER; at most 64. */
export function parseCertsOnly(bytes: Uint8Array): Result<Uint8Array[], CmsError> {
  try {
    const outer = readSequence(bytes, LIMITS);
    if (outer.oid() !== SIGNED_DATA) return notCertsOnly('not SignedData');
    const explicit = outer.enter(0xa0);
    outer.end();
    const fields = explicit.sequence();
    explicit.end();
    return readSignedData(fields);
  } catch (error) {
    if (error instanceof DerError) {
      return fail({ code: error.code === 'der.tooLarge' ? 'cms.tooLarge' : 'cms.malformed', detail: error.message });
    }
    throw error;
  }
}
