/** Order bodies and CSRs for tests of API v2. */
import { createCsr, generateKey, type KeyAlgorithm, nameOf } from '@certwright/pki';

export const requestor = { name: 'Order desk', email: 'orders@example.com', phone: '+12075550142' };
export const agreement = { signerName: 'Order desk', signerPlace: 'Portland', accepted: true };

/** A DV order for one name; `more` replaces members. */
export const dvOrder = (domain: string, more: Readonly<Record<string, unknown>> = {}) => ({
  productVariant: 'dv',
  requestor,
  certificate: { domain, autoSecureWww: false },
  ...more,
});

export const privateOrder = (hostname: string, more: Readonly<Record<string, unknown>> = {}) => ({
  variant: 'intranet-ssl',
  hostname,
  requestor,
  ...more,
});

/** PEM of a CSR with a new key. */
export async function csrFor(commonName: string, algorithm: KeyAlgorithm = 'ec-p256'): Promise<string> {
  const { privateKey } = await generateKey(algorithm);
  return createCsr({ subject: nameOf(['CN', commonName]), key: privateKey });
}
