import { verifySignature } from '../keys/index.ts';
import type { CertificationRequest } from './certification-request.ts';

/** Whether the request is signed with the private key of its own public key (RFC 2986 section 3, step 2). */
export function verifyProofOfPossession(csr: CertificationRequest): Promise<boolean> {
  return verifySignature(csr.spki, csr.signatureAlgorithm.derAlgorithmIdentifier, csr.infoDer, csr.signature);
}
