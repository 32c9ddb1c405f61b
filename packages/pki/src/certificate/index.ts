export { assembleCertificate, buildTbsCertificate, type TbsInput } from './build.ts';
export { type IssuerError, issuerContext, selfIssuerContext } from './issuer.ts';
export { parseCertificate, parseCertificateChain, readTbsCertificate } from './parse.ts';
export { serialNumber, serialText } from './serial.ts';
export type {
  Certificate,
  CertificateError,
  CertificateErrorCode,
  CertificateExtension,
  DecodedExtensions,
  IssuerContext,
  IssuerUrls,
  TbsCertificate,
  TimeEncoding,
} from './types.ts';
export { type ChainError, type ChainErrorCode, isSelfIssued, validateChain, verifyIssued } from './verify.ts';
