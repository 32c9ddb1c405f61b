import {
  type Certificate,
  describeSpki,
  fail,
  isSelfIssued,
  type KeyAlgorithm,
  ok,
  parseCertificate,
  parseCertificateChain,
  type Result,
  validateChain,
} from '@certwright/pki';
import type { AuthorityService, OperatorContext, Outcome } from '../api.ts';
import { auditEntry } from '../audit/draft.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { VaultKey } from '../ports/world.ts';
import type { CaRecord } from '../records/index.ts';
import { MAX_SLUG } from './directory.ts';
import { type AuthorityDeps, keyRecord } from './platform-certificates.ts';

type ImportInput = Parameters<AuthorityService['import']>[1];

interface Material {
  readonly certificate: Certificate;
  /** Nearest first, root last. */
  readonly chain: readonly Certificate[];
  readonly keyAlgorithm: KeyAlgorithm;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MAX_PARTITIONS = 1024;
/** RFC 5280 leaves it open; ten days and a year are what the protocols contract (section 7) allows. */
const MAX_CRL_LIFETIME_MS = { issuing: 10 * DAY_MS, root: 366 * DAY_MS } as const;
const MAX_NAME = 200;

const refuse = (detail: string): Result<never, DomainError> => fail(domainError('ca.importRefused', detail));
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function settingsProblem({ slug, name, crl }: ImportInput, kind: CaRecord['kind']): string | undefined {
  if (slug.length > MAX_SLUG || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(slug) || slug.endsWith('-delta'))
    return `The slug is part of URLs: 1 to ${MAX_SLUG} lower-case letters, digits and single hyphens, not ending in -delta`;
  if (name.trim() === '' || name.length > MAX_NAME) return `The name has 1 to ${MAX_NAME} characters`;
  if (!Number.isInteger(crl.partitions) || crl.partitions < 1 || crl.partitions > MAX_PARTITIONS)
    return `CRL partitions are 1 to ${MAX_PARTITIONS}`;
  const longest = MAX_CRL_LIFETIME_MS[kind];
  if (!(crl.lifetimeMs >= HOUR_MS && crl.lifetimeMs <= longest))
    return `The CRL lifetime is an hour to ${longest / DAY_MS} days`;
  return undefined;
}

/** Certificate and chain, checked against each other and the time; the chain must end in a self-signed root. */
async function readMaterial(input: ImportInput, now: number): Promise<Result<Material, DomainError>> {
  const parsed = parseCertificate(input.certificate);
  if (!parsed.ok) return refuse(`The CA certificate cannot be read: ${parsed.error.detail}`);
  const certificate = parsed.value;
  const above = input.chain.trim() === '' ? ok([]) : parseCertificateChain(input.chain);
  if (!above.ok) return refuse(`The chain cannot be read: ${above.error.detail}`);
  // files with the whole chain begin with the certificate itself
  const chain = above.value.filter(({ der }) => !equal(der, certificate.der));

  if (!certificate.isCa) return refuse('The certificate is not of a CA (basicConstraints)');
  const { keyUsage } = certificate;
  if (keyUsage !== undefined && !keyUsage.includes('keyCertSign'))
    return refuse('The CA certificate does not allow to sign certificates (keyUsage keyCertSign)');
  if (keyUsage !== undefined && !keyUsage.includes('cRLSign'))
    return refuse('The CA certificate does not allow to sign CRLs (keyUsage cRLSign), which every CA here does');
  const path = [certificate, ...chain];
  const root = path.at(-1);
  if (root === undefined || !isSelfIssued(root)) return refuse('The chain must end with the self-signed root');
  const valid = await validateChain([...path, root], { anchors: [root], now });
  if (!valid.ok) return refuse(`The chain does not hold at certificate ${valid.error.index}: ${valid.error.detail}`);
  const key = describeSpki(certificate.spki);
  if (!key.ok || key.value.algorithm === undefined)
    return refuse('The CA key is of a kind or size that is not supported');
  return ok({ certificate, chain, keyAlgorithm: key.value.algorithm });
}

/** Takes in a CA that was made elsewhere; see {@link AuthorityService.import}. Its CRL and OCSP signer are for the caller. */
export function createImport(deps: AuthorityDeps) {
  const { store, clock, vault } = deps;

  async function takeKey(pkcs8: Uint8Array, certificate: Certificate): Promise<Result<VaultKey, DomainError>> {
    let key: VaultKey;
    try {
      key = await vault.import(pkcs8);
    } catch {
      return refuse('The private key cannot be read: an unencrypted PKCS #8 key of a supported kind is expected');
    }
    return equal(key.spki, certificate.spki) ? ok(key) : refuse('The private key does not belong to the certificate');
  }

  return async (ctx: OperatorContext, input: ImportInput): Outcome<CaRecord> => {
    const now = clock.now();
    const material = await readMaterial(input, now);
    if (!material.ok) return material;
    const { certificate, chain, keyAlgorithm } = material.value;
    const kind = isSelfIssued(certificate) ? 'root' : 'issuing';
    const problem = settingsProblem(input, kind);
    if (problem !== undefined) return refuse(problem);
    const key = await takeKey(input.pkcs8, certificate);
    if (!key.ok) return key;

    const others = await store.authorities.list();
    const same = others.find((other) => equal(other.certificate, certificate.der));
    if (same !== undefined) return refuse(`This CA is on record already, as ${same.slug}`);
    const [nearest] = chain;
    const parent = nearest && others.find((other) => equal(other.certificate, nearest.der));
    const keyId = await store.nextId();
    const ca: CaRecord = {
      id: await store.nextId(),
      slug: input.slug,
      name: input.name.trim(),
      kind,
      parentId: parent?.id ?? null,
      certificate: certificate.der,
      chain: chain.map(({ der }) => der),
      keyId,
      keyAlgorithm,
      status: 'active',
      crl: input.crl,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      createdAt: now,
      version: 1,
    };
    const outcome = await store.write({
      writes: [
        { op: 'insert', table: 'key', row: keyRecord(keyId, key.value, now) },
        { op: 'insert', table: 'ca', row: ca },
      ],
      audit: [
        auditEntry(ctx, now, {
          activity: 'ca.imported',
          objectType: 'ca',
          objectId: ca.slug,
          details: { kind, keyAlgorithm, serial: certificate.serial, issuedBy: parent?.slug ?? '' },
        }),
      ],
      invalidate: [{ kind: 'ca', caId: ca.id }],
    });
    return outcome.ok ? ok(ca) : refuse(`The slug ${ca.slug} is taken`);
  };
}
