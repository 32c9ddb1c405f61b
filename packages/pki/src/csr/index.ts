export type {
  CertificationRequest,
  CsrError,
  CsrErrorCode,
  RequestedExtension,
} from './certification-request.ts';
export { type CsrTemplate, createCsr } from './create.ts';
export { MAX_CSR_BYTES, parseCsr } from './parse.ts';
export { fromPem, type PemError, type PemErrorCode, toPem } from './pem.ts';
export { verifyProofOfPossession } from './proof-of-possession.ts';
