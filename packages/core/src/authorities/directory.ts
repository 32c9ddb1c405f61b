import { type Certificate, type IssuerContext, issuerContext, parseCertificate } from '@certwright/pki';
import type { CaRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { BoundedMap } from '../support.ts';

/** A CA on record with what is read from its certificate. */
export interface AuthorityEntry {
  readonly ca: CaRecord;
  readonly certificate: Certificate;
  /** For what is signed in the name of the CA apart from certificates: CRLs. */
  readonly issuer: IssuerContext;
}

/** A CA whose key is here, so that it can sign. */
export type SigningCa = CaRecord & { readonly keyId: number };

export const canSign = (ca: CaRecord): ca is SigningCa => ca.keyId !== null;

export interface AuthorityDirectory {
  byId(id: number): Promise<AuthorityEntry | undefined>;
  bySlug(slug: string): Promise<AuthorityEntry | undefined>;
}

const MAX_ENTRIES = 10_000;
/** Longest slug there can be; longer ones are not looked up. */
export const MAX_SLUG = 63;

function makeEntry(ca: CaRecord): AuthorityEntry {
  const certificate = parseCertificate(ca.certificate);
  if (!certificate.ok) throw new Error(`certificate of CA ${ca.slug} on record: ${certificate.error.detail}`);
  const issuer = issuerContext(certificate.value, {});
  if (!issuer.ok) throw new Error(`certificate of CA ${ca.slug} on record: ${issuer.error.detail}`);
  return { ca, certificate: certificate.value, issuer: issuer.value };
}

/** Reads CAs through a cache that invalidations empty. */
export function createAuthorityDirectory({ store }: Pick<CoreDependencies, 'store'>): AuthorityDirectory {
  const byId = new BoundedMap<number, AuthorityEntry>(MAX_ENTRIES);
  const idOfSlug = new BoundedMap<string, number>(MAX_ENTRIES);
  let generation = 0;
  store.onInvalidation((change) => {
    if (change.kind === 'everything') {
      byId.clear();
      idOfSlug.clear();
    } else if (change.kind === 'ca') byId.delete(change.caId);
    else return;
    generation++;
  });

  async function keep(read: Promise<CaRecord | undefined>): Promise<AuthorityEntry | undefined> {
    const before = generation;
    const ca = await read;
    if (ca === undefined) return undefined;
    const entry = makeEntry(ca);
    // a change that came while the row was being read may not be in it
    if (generation === before) {
      byId.set(ca.id, entry);
      idOfSlug.set(ca.slug, ca.id);
    }
    return entry;
  }

  return {
    async byId(id) {
      return byId.get(id) ?? keep(store.authorities.byId(id));
    },
    async bySlug(slug) {
      if (slug.length > MAX_SLUG) return undefined;
      const id = idOfSlug.get(slug);
      const known = id === undefined ? undefined : byId.get(id);
      return known ?? keep(store.authorities.bySlug(slug));
    },
  };
}
