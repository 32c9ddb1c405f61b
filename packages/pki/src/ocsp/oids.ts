export const OCSP_OID = {
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  extendedRevoke: '1.3.6.1.5.5.7.48.1.9',
} as const;

/** Longest nonce in octets; the shortest is one (RFC 9654 section 2.1). */
export const MAX_NONCE = 128;
