import type { DerErrorCode } from '../der/read.ts';
import type { PublicKeyInfo, SignatureAlgorithm } from '../keys/index.ts';
import type { DistinguishedName, GeneralName } from '../names/index.ts';

export type CsrErrorCode =
  | 'csr.empty'
  | 'csr.tooLarge'
  | 'csr.notPem'
  | 'csr.wrongLabel'
  | 'csr.notBase64'
  | `csr.${DerErrorCode}`
  | 'csr.badVersion'
  | 'csr.badSubject'
  | 'csr.badKey'
  | 'csr.unsupportedKey'
  | 'csr.badAttributes'
  | 'csr.duplicateAttribute'
  | 'csr.badExtension'
  | 'csr.duplicateExtension'
  | 'csr.badSignatureAlgorithm'
  | 'csr.badSignature';

/** Why input is not an acceptable PKCS #10 request; `detail` is safe to show and holds nothing of the input but numbers and labels. */
export interface CsrError {
  readonly code: CsrErrorCode;
  readonly detail: string;
}

/** A requested extension; `value` is the content of its OCTET STRING. */
export interface RequestedExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** A well-formed certification request (RFC 2986). Proof of possession is not checked yet: `verifyProofOfPossession`. */
export interface CertificationRequest {
  readonly der: Uint8Array;
  /** CertificationRequestInfo: the bytes that are signed. */
  readonly infoDer: Uint8Array;
  /** Attributes with an empty value are left out. */
  readonly subject: DistinguishedName;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly key: PublicKeyInfo;
  /** Names of the requested subjectAltName extension, as written; text is ASCII without control characters. */
  readonly sans: readonly GeneralName[];
  /** All requested extensions, subjectAltName included. */
  readonly extensions: readonly RequestedExtension[];
  readonly challengePassword?: string;
  readonly signatureAlgorithm: SignatureAlgorithm;
  /** Content of the signature BIT STRING. */
  readonly signature: Uint8Array;
}
