import type { KeyAlgorithm } from '../keys/index.ts';
import type { DistinguishedName, GeneralName } from '../names/index.ts';
import type { KeyUsage } from '../profiles/index.ts';

export interface CertificateExtension {
  /** Dotted OID. */
  readonly oid: string;
  readonly critical: boolean;
  /** DER inside the extnValue OCTET STRING. */
  readonly value: Uint8Array;
}

/** The extensions that Certwright understands, decoded; a missing extension is undefined or an empty list. */
export interface DecodedExtensions {
  readonly sans: readonly GeneralName[];
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  readonly keyUsage: readonly KeyUsage[] | undefined;
  /** Dotted OIDs. */
  readonly extendedKeyUsage: readonly string[];
  /** Dotted OIDs. */
  readonly policies: readonly string[];
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  readonly ocspUrls: readonly string[];
  readonly caIssuersUrls: readonly string[];
  readonly crlUrls: readonly string[];
  readonly ocspNoCheck: boolean;
}

export type TimeEncoding = 'utcTime' | 'generalizedTime';

/** TBSCertificate of RFC 5280 section 4.1.2, decoded but not judged. */
export interface TbsCertificate extends DecodedExtensions {
  /** 1 or 3. */
  readonly version: number;
  /** Lower-case hex without leading zero octets; of a negative number its two's complement. */
  readonly serial: string;
  /** Content octets of the INTEGER. */
  readonly serialBytes: Uint8Array;
  /** Complete DER AlgorithmIdentifier. */
  readonly signatureAlgorithm: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly issuerDer: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  /** Milliseconds since the epoch; the whole second belongs to the validity. */
  readonly notAfter: number;
  readonly notBeforeEncoding: TimeEncoding;
  readonly notAfterEncoding: TimeEncoding;
  readonly subject: DistinguishedName;
  readonly subjectDer: Uint8Array;
  /** SubjectPublicKeyInfo, complete DER. */
  readonly spki: Uint8Array;
  readonly extensions: readonly CertificateExtension[];
}

export interface Certificate extends TbsCertificate {
  readonly der: Uint8Array;
  /** The bytes the signature covers. */
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
}

export type CertificateErrorCode =
  | 'certificate.empty'
  | 'certificate.tooLarge'
  | 'certificate.notPem'
  | 'certificate.malformed'
  | 'certificate.badVersion'
  | 'certificate.badSerial'
  | 'certificate.badExtension'
  | 'certificate.duplicateExtension'
  | 'certificate.algorithmMismatch';

export interface CertificateError {
  readonly code: CertificateErrorCode;
  readonly detail: string;
}

/** Where certificates of an issuer tell relying parties to look; plain http URLs. */
export interface IssuerUrls {
  readonly ocsp?: string;
  readonly caIssuers?: string;
  readonly crl?: string;
}

/**
 * The issuing side of a certificate. Keep one object per CA and never change it: encodings are cached by identity.
 */
export interface IssuerContext {
  readonly name: DistinguishedName;
  /** The subject of the CA certificate byte for byte, for the issuer field must equal it. */
  readonly nameDer: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  readonly spki: Uint8Array;
  readonly keyAlgorithm: KeyAlgorithm;
  /** End of the CA certificate; undefined for a root that is just being made. */
  readonly notAfter: number | undefined;
  readonly urls: IssuerUrls;
}
