import { ok } from '@certwright/pki';
import type { AuthorityService } from '../api.ts';
import { installStandardProducts } from '../catalog/standard-products.ts';
import type { Issuance } from '../issuance/issuance.ts';
import type { CaRecord } from '../records/index.ts';
import type { CrlPublisher } from '../status/crl-publisher.ts';
import { createBootstrap } from './bootstrap.ts';
import { canSign } from './directory.ts';
import { createImport } from './import.ts';
import type { AuthorityDeps } from './platform-certificates.ts';
import type { Responders } from './responders.ts';

export interface AuthorityParts {
  readonly issuance: Issuance;
  readonly responders: Responders;
  readonly crls: CrlPublisher;
}

/** Certification authorities of the installation. */
export function createAuthorityService(
  deps: AuthorityDeps,
  { issuance, responders, crls }: AuthorityParts,
): AuthorityService {
  const bootstrap = createBootstrap(deps, issuance);
  const importCa = createImport(deps);

  /** An OCSP signer and CRLs, empty ones included, are there before the first certificate is asked about. */
  async function equip(ca: CaRecord): Promise<void> {
    if (!canSign(ca)) return;
    await responders.current(ca);
    await crls.newest(ca, 0);
  }

  return {
    list: async (_ctx) => ok(await deps.store.authorities.list()),

    async import(ctx, input) {
      const imported = await importCa(ctx, input);
      if (imported.ok) await equip(imported.value);
      return imported;
    },

    async bootstrap(input) {
      const made = await bootstrap(input);
      await equip(made.root);
      await equip(made.issuing);
      const products = await installStandardProducts(deps, made.issuing.id);
      if (!products.ok) throw new Error(products.error.detail);
      return made;
    },
  };
}
