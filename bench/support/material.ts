import { generateKeyPairSync } from 'node:crypto';
import { createCsr, nameOf } from '@certwright/pki';

/** Name of the certificate that the request number `index` asks for. */
export const hostnameOf = (index: number): string => `host-${index}.bench.example`;

/** Distinct P-256 requests, PEM, one for each {@link hostnameOf}. */
export async function makeCsrs(count: number): Promise<readonly string[]> {
  const csrs: string[] = [];
  for (let index = 0; index < count; index++) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const hostname = hostnameOf(index);
    csrs.push(
      await createCsr({
        subject: nameOf(['CN', hostname]),
        sans: [{ kind: 'dns', value: hostname }],
        key: privateKey,
      }),
    );
  }
  return csrs;
}
