export { certId, issuerHashes, type OcspCertId, type OcspHash, publicKeyBits, responderKeyHash } from './cert-id.ts';
export {
  type BasicOcspResponse,
  type OcspResponse,
  type OcspResponseError,
  type ParsedSingleResponse,
  parseOcspResponse,
  verifyOcspResponse,
} from './parse-response.ts';
export {
  encodeOcspRequest,
  type OcspError,
  type OcspRequest,
  ocspRequestFromPath,
  parseOcspRequest,
} from './request.ts';
export {
  assembleOcspResponse,
  buildOcspResponseData,
  type OcspCertStatus,
  type OcspErrorStatus,
  type OcspResponseInput,
  type OcspSingleResponse,
  ocspErrorResponse,
} from './response.ts';
