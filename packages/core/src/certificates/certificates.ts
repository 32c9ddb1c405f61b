import { ok } from '@certwright/pki';
import type { CertificateService } from '../api.ts';
import type { Settler } from '../orders/settle.ts';
import type { CoreDependencies } from '../settings.ts';

/** Inventory of certificates, for operators. */
export function createCertificateService(
  deps: Pick<CoreDependencies, 'store'>,
  settler: Pick<Settler, 'resume'>,
): CertificateService {
  const { store } = deps;
  return {
    search: async (_ctx, filter, page) => ok(await store.certificates.search(filter, page)),
    count: async (_ctx) => ok(await store.certificates.count(null)),
    resumeUnfinished: () => settler.resume(),
  };
}
