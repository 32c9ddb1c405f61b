import { hash } from 'node:crypto';
import { serialText } from '../certificate/index.ts';
import { type Der, type DerReader, der, readSequence } from '../der/index.ts';

/** Hash algorithms by which a client may name an issuer. */
export type OcspHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const HASH_OID: Readonly<Record<OcspHash, string>> = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};
const OCSP_HASHES = Object.keys(HASH_OID) as readonly OcspHash[];

/** CertID of RFC 6960 section 4.1.1. */
export interface OcspCertId {
  /** Undefined when the client chose an algorithm that is not supported: the answer is `unauthorized`. */
  readonly hash: OcspHash | undefined;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** Lower-case hex without leading zero octets. */
  readonly serial: string;
  /** The client's own bytes: the answer repeats them, for some clients compare bytes. */
  readonly der: Uint8Array;
}

/** Content of the BIT STRING of a SubjectPublicKeyInfo: what key hashes cover. @throws DerError */
export function publicKeyBits(spki: Uint8Array): Uint8Array {
  const fields = readSequence(spki);
  fields.any();
  return fields.bitString().bytes;
}

/** The two issuer hashes of a CertID: over the subject Name of the CA (DER) and over its key bits. */
export function issuerHashes(
  issuerNameDer: Uint8Array,
  issuerKeyBits: Uint8Array,
  algorithm: OcspHash,
): { readonly issuerNameHash: Uint8Array; readonly issuerKeyHash: Uint8Array } {
  return {
    issuerNameHash: hash(algorithm, issuerNameDer, 'buffer'),
    issuerKeyHash: hash(algorithm, issuerKeyBits, 'buffer'),
  };
}

/** KeyHash of a byKey ResponderID: always SHA-1 (RFC 6960 section 4.2.1). @throws DerError */
export const responderKeyHash = (spki: Uint8Array): Uint8Array => hash('sha1', publicKeyBits(spki), 'buffer');

/**
 * DER CertID of the certificate with this serial (magnitude) from the issuer with this name (DER) and key (content of its
 * BIT STRING, see {@link publicKeyBits}).
 */
export function certId(
  issuerNameDer: Uint8Array,
  issuerKeyBits: Uint8Array,
  serial: Uint8Array,
  algorithm: OcspHash,
): Der {
  const { issuerNameHash, issuerKeyHash } = issuerHashes(issuerNameDer, issuerKeyBits, algorithm);
  return der.sequence(
    // RFC 5754 section 2: absent parameters are preferred, but the NULL of SHA-1's time is what OCSP clients send and expect.
    der.sequence(der.oid(HASH_OID[algorithm]), der.nullValue()),
    der.octetString(issuerNameHash),
    der.octetString(issuerKeyHash),
    der.unsignedInteger(serial),
  );
}

/** Reads the next value as a CertID. @throws DerError */
export function readCertId(reader: DerReader): OcspCertId {
  const bytes = reader.any().bytes;
  const fields = readSequence(bytes);
  const algorithm = fields.sequence();
  const oid = algorithm.oid();
  if (!algorithm.done) algorithm.null();
  algorithm.end();
  const issuerNameHash = fields.octetString();
  const issuerKeyHash = fields.octetString();
  const serial = serialText(fields.integerBytes());
  fields.end();
  return {
    hash: OCSP_HASHES.find((name) => HASH_OID[name] === oid),
    issuerNameHash,
    issuerKeyHash,
    serial,
    der: bytes,
  };
}
