/** The products that every installation has: the reference table of the contract (v2 section 7.4, table A) as data. */
import { fail, ok } from '@certwright/pki';
import type { Outcome } from '../api.ts';
import { auditEntry, systemContext } from '../audit/draft.ts';
import { domainError } from '../errors.ts';
import type { ProductRecord, ProductRules, RequirementKind, SslLevel } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';

type StandardProduct = Pick<ProductRecord, 'code' | 'aliases' | 'name' | 'family' | 'categoryId' | 'typeId' | 'rules'>;

const SSL_REQUIREMENTS: Readonly<Record<SslLevel, readonly RequirementKind[]>> = {
  dv: ['dcv', 'csr', 'agreement', 'approval'],
  ov: ['organization', 'dcv', 'csr', 'agreement', 'approval'],
  ev: ['organization', 'dcv', 'csr', 'agreement', 'approval'],
};

const MAX_SANS = 250;

function ssl(
  code: string,
  typeId: string,
  level: SslLevel,
  shape: { readonly wildcard?: boolean; readonly multiDomain?: boolean } = {},
): StandardProduct {
  const { wildcard = false, multiDomain = false } = shape;
  const variant = `${level}${wildcard ? '-wildcard' : ''}${multiDomain ? '-ucc' : ''}`;
  return {
    code,
    aliases: [],
    name: `${level.toUpperCase()} SSL${wildcard ? ' Wildcard' : ''}${multiDomain ? ' UCC' : ''}`,
    family: 'ssl',
    categoryId: '3',
    typeId,
    rules: {
      requirements: SSL_REQUIREMENTS[level],
      approval: level === 'dv' ? 'automatic' : 'preVetted',
      profileId: `tls-${level}`,
      level,
      wildcard,
      multiDomain,
      maxAdditionalNames: multiDomain ? MAX_SANS : 0,
      years: [1, 2, 3],
      maxCertificateDays: null,
      variant,
      caa: true,
    },
  };
}

type SignerType = 'natural-person' | 'legal-person' | 'legal-entity';

const SIGNER: Readonly<
  Record<
    SignerType,
    { readonly typeId: string; readonly name: string; readonly requirements: readonly RequirementKind[] }
  >
> = {
  'natural-person': {
    typeId: '10',
    name: 'Natural Person',
    requirements: ['documents', 'csr', 'agreement', 'approval'],
  },
  'legal-person': { typeId: '11', name: 'Legal Person', requirements: ['documents', 'csr', 'agreement', 'approval'] },
  'legal-entity': {
    typeId: '12',
    name: 'Legal Entity',
    requirements: ['documents', 'organization', 'csr', 'agreement', 'approval'],
  },
};

const PLAIN_RULES = { level: null, wildcard: false, multiDomain: false, maxAdditionalNames: 0, caa: false } as const;

function signer(firstCode: number, type: SignerType): StandardProduct[] {
  const { typeId, name, requirements } = SIGNER[type];
  return [1, 2, 3].map((years) => ({
    code: String(firstCode + years - 1),
    aliases: [],
    name: `${name} Document Signer ${years} ${years === 1 ? 'Year' : 'Years'}`,
    family: 'signature',
    categoryId: '1',
    typeId,
    rules: {
      ...PLAIN_RULES,
      requirements,
      approval: 'manual',
      profileId: `document-signer-${type}`,
      years: [years],
      maxCertificateDays: null,
      variant: type,
    },
  }));
}

function smime(code: string, years: number, days: number | null, name: string): StandardProduct {
  return {
    code,
    aliases: [],
    name,
    family: 'smime',
    categoryId: '2',
    typeId: '41',
    rules: {
      ...PLAIN_RULES,
      requirements: ['mailbox', 'csr', 'agreement', 'approval'],
      approval: 'automatic',
      profileId: 'smime-simple',
      years: [years],
      maxCertificateDays: days,
      variant: 'smime-simple',
    },
  };
}

function privatePki(
  code: string,
  aliases: readonly string[],
  name: string,
  variant: string,
  profileId: string,
  approval: ProductRules['approval'],
  maxCertificateDays: number,
): StandardProduct {
  return {
    code,
    aliases,
    name,
    family: 'private-pki',
    categoryId: '8',
    typeId: '39',
    rules: {
      ...PLAIN_RULES,
      requirements: ['csr', 'approval'],
      approval,
      profileId,
      maxAdditionalNames: MAX_SANS,
      years: [1, 2, 3],
      maxCertificateDays,
      variant,
    },
  };
}

export const STANDARD_PRODUCTS: readonly StandardProduct[] = [
  ssl('842', '13', 'dv'),
  ssl('843', '14', 'dv', { wildcard: true }),
  ssl('844', '15', 'dv', { multiDomain: true }),
  ssl('845', '21', 'dv', { wildcard: true, multiDomain: true }),
  ssl('846', '16', 'ov'),
  ssl('847', '17', 'ov', { wildcard: true }),
  ssl('848', '18', 'ov', { multiDomain: true }),
  ssl('849', '22', 'ov', { wildcard: true, multiDomain: true }),
  ssl('850', '19', 'ev'),
  ssl('851', '20', 'ev', { multiDomain: true }),
  ...signer(819, 'natural-person'),
  ...signer(822, 'legal-person'),
  ...signer(825, 'legal-entity'),
  smime('903', 1, null, 'S/MIME Simple MV-S 1 Year'),
  smime('904', 2, null, 'S/MIME Simple MV-S 2 Years'),
  smime('905', 1, 90, 'S/MIME Simple MV-S 3 Months'),
  smime('914', 1, null, 'S/MIME Simple MV-S 1 Year'),
  smime('915', 2, null, 'S/MIME Simple MV-S 2 Years'),
  privatePki('950', ['104', '149'], 'Private PKI Intranet SSL', 'intranet-ssl', 'intranet-server', 'automatic', 397),
  privatePki('951', ['108'], 'Private PKI IGTF Host', 'igtf-host', 'igtf-host', 'automatic', 395),
  // after 950: without a product header an intranet order means the automatic one
  privatePki('990', [], 'Private PKI Intranet SSL with approval', 'intranet-ssl', 'intranet-server', 'manual', 396),
];

/** Installs the standard products that are not there yet. Safe when several processes do it at once. */
export async function installStandardProducts(
  deps: Pick<CoreDependencies, 'store' | 'clock'>,
  issuingCaId: number,
): Promise<Awaited<Outcome<number>>> {
  const { store, clock } = deps;
  for (let round = 0; round < 3; round++) {
    const present = new Set((await store.products.forAccount(0)).map((product) => product.code));
    const missing = STANDARD_PRODUCTS.filter((product) => !present.has(product.code));
    if (missing.length === 0) return ok(0);
    const now = clock.now();
    const rows: ProductRecord[] = [];
    for (const product of missing) {
      rows.push({
        ...product,
        id: await store.nextId(),
        accountId: null,
        issuingCaId,
        prices: Object.fromEntries(product.rules.years.map((years) => [String(years), '1.00'])),
        customFields: [],
        status: 'active',
        createdAt: now,
        version: 1,
      });
    }
    const outcome = await store.write({
      writes: rows.map((row) => ({ op: 'insert', table: 'product', row }) as const),
      audit: [
        auditEntry(systemContext('bootstrap'), now, {
          activity: 'catalog.installed',
          objectType: 'catalog',
          objectId: 'standard',
          details: { products: rows.map((row) => row.code) },
        }),
      ],
      invalidate: [{ kind: 'catalog' }],
    });
    if (outcome.ok) return ok(rows.length);
  }
  return fail(domainError('conflict', 'The standard products are being installed by another process'));
}
