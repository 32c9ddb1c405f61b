/** Root and issuing CA of a new installation. Claim → sign → record: whatever dies or races in between, one CA comes of it. */

import { type KeyAlgorithm, nameOf } from '@certwright/pki';
import type { BootstrapInput } from '../api.ts';
import { auditEntry, systemContext } from '../audit/draft.ts';
import type { Issuance } from '../issuance/issuance.ts';
import type { CaRecord, CertificateRecord, CrlSettings, SettingRecord } from '../records/index.ts';
import { addYears, MAX_ATTEMPTS } from '../support.ts';
import { canSign } from './directory.ts';
import {
  type AuthorityDeps,
  issuedCertificate,
  keyRecord,
  preparedEntry,
  preparePlatformCertificate,
} from './platform-certificates.ts';

const ROOT_SLUG = 'root-1';
const ISSUING_SLUG = 'issuing-1';
const ROOT_YEARS = 20;
const ISSUING_YEARS = 10;
/** A root is asked rarely and signs rarely: its CRL lasts a year (protocols section 7). */
const ROOT_CRL: CrlSettings = { partitions: 1, lifetimeMs: 365 * 86_400_000 };
const ACTOR = 'bootstrap';

interface Plan {
  readonly slug: string;
  readonly kind: CaRecord['kind'];
  readonly commonName: string;
  readonly organization: string;
  readonly years: number;
  readonly keyAlgorithm: KeyAlgorithm;
  /** Null: it signs itself. */
  readonly parent: CaRecord | null;
  readonly crl: CrlSettings;
}

/** What was put on record before signing: the ids of the CA to be. */
interface Claim {
  readonly setting: SettingRecord;
  readonly caId: number;
  readonly keyId: number;
  readonly certificateId: number;
}

const claimName = (slug: string): string => `bootstrap.${slug}`;

function readClaim(setting: SettingRecord): Claim {
  const [caId = 0, keyId = 0, certificateId = 0] = setting.value.split(' ').map(Number);
  return { setting, caId, keyId, certificateId };
}

export type Bootstrap = (
  input: BootstrapInput,
) => Promise<{ readonly root: CaRecord; readonly issuing: CaRecord; readonly created: boolean }>;

export function createBootstrap(deps: AuthorityDeps, issuance: Issuance): Bootstrap {
  const { store, clock, vault, log } = deps;

  /** Puts key and prepared certificate on record. Undefined when another process did so first. */
  async function claim(plan: Plan): Promise<Claim | undefined> {
    const now = clock.now();
    const key = await vault.generate(plan.keyAlgorithm);
    const [caId, keyId, settingId] = [await store.nextId(), await store.nextId(), await store.nextId()];
    const prepared = await preparePlatformCertificate(issuance, {
      issuer: plan.parent === null ? { kind: 'self', caId, slug: plan.slug, keyId } : { kind: 'ca', ca: plan.parent },
      profileId: plan.kind === 'root' ? 'root' : 'issuing-ca',
      subject: nameOf(['O', plan.organization], ['CN', plan.commonName]),
      key,
      notAfter: addYears(now, plan.years),
      label: plan.commonName,
    });
    if (!prepared.ok) throw new Error(`the CA ${plan.slug} cannot be made: ${prepared.error.detail}`);
    const certificate = prepared.value;
    const value = `${caId} ${keyId} ${certificate.id}`;
    const setting: SettingRecord = { id: settingId, name: claimName(plan.slug), value, version: 1 };
    const outcome = await store.write({
      writes: [
        { op: 'insert', table: 'setting', row: setting },
        { op: 'insert', table: 'key', row: keyRecord(keyId, key, now) },
        { op: 'insert', table: 'certificate', row: certificate },
      ],
      audit: [preparedEntry(ACTOR, now, certificate, plan.slug)],
    });
    return outcome.ok ? readClaim(setting) : undefined;
  }

  function record(plan: Plan, { caId, keyId }: Claim, certificate: CertificateRecord, der: Uint8Array): CaRecord {
    const { parent } = plan;
    return {
      id: caId,
      slug: plan.slug,
      name: plan.commonName,
      kind: plan.kind,
      parentId: parent?.id ?? null,
      certificate: der,
      chain: parent === null ? [] : [parent.certificate, ...parent.chain],
      keyId,
      keyAlgorithm: certificate.keyAlgorithm,
      status: 'active',
      crl: plan.crl,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      createdAt: clock.now(),
      version: 1,
    };
  }

  /** Signs what is claimed and puts the CA on record. Undefined when another process did so first. */
  async function complete(plan: Plan, claimed: Claim): Promise<CaRecord | undefined> {
    const certificate = await store.certificates.byId(claimed.certificateId);
    if (certificate?.state !== 'prepared') return undefined;
    const signer =
      plan.parent !== null && canSign(plan.parent)
        ? plan.parent
        : { keyId: claimed.keyId, keyAlgorithm: certificate.keyAlgorithm };
    const der = await issuance.sign(certificate, signer.keyId, signer.keyAlgorithm);
    const ca = record(plan, claimed, certificate, der);
    const issued = issuedCertificate(ACTOR, clock.now(), certificate, der, plan.parent?.slug ?? plan.slug);
    const outcome = await store.write({
      writes: [
        issued.write,
        { op: 'insert', table: 'ca', row: ca },
        { op: 'delete', table: 'setting', id: claimed.setting.id },
      ],
      audit: [
        issued.entry,
        auditEntry(systemContext(ACTOR), clock.now(), {
          activity: 'ca.created',
          objectType: 'ca',
          objectId: ca.slug,
          details: { kind: ca.kind, keyAlgorithm: ca.keyAlgorithm, certificate: certificate.serial },
        }),
      ],
      invalidate: [{ kind: 'ca', caId: ca.id }],
    });
    if (!outcome.ok) return undefined;
    log.info('ca.created', { ca: ca.slug, kind: ca.kind, keyAlgorithm: ca.keyAlgorithm });
    return ca;
  }

  async function ensure(plan: Plan): Promise<{ readonly ca: CaRecord; readonly created: boolean }> {
    for (let round = 0; round < MAX_ATTEMPTS; round++) {
      const existing = await store.authorities.bySlug(plan.slug);
      if (existing !== undefined) return { ca: existing, created: false };
      const setting = await store.settings.byName(claimName(plan.slug));
      const claimed = setting === undefined ? await claim(plan) : readClaim(setting);
      const ca = claimed === undefined ? undefined : await complete(plan, claimed);
      if (ca !== undefined) return { ca, created: true };
    }
    throw new Error(`the CA ${plan.slug} is neither on record nor could it be made; start again`);
  }

  return async ({ name, keyAlgorithm, crl }) => {
    const organization = name;
    const root = await ensure({
      slug: ROOT_SLUG,
      kind: 'root',
      commonName: `${name} Root CA 1`,
      organization,
      years: ROOT_YEARS,
      keyAlgorithm,
      parent: null,
      crl: ROOT_CRL,
    });
    const issuing = await ensure({
      slug: ISSUING_SLUG,
      kind: 'issuing',
      commonName: `${name} Issuing CA 1`,
      organization,
      years: ISSUING_YEARS,
      keyAlgorithm,
      parent: root.ca,
      crl,
    });
    return { root: root.ca, issuing: issuing.ca, created: issuing.created };
  };
}
