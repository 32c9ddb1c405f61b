import { createHash } from 'node:crypto';
import type { DistinguishedName } from '@certwright/pki';
import type { Outcome } from '../api.ts';
import { auditEntry, systemContext } from '../audit/draft.ts';
import type { Issuance, IssuingParty } from '../issuance/issuance.ts';
import type { Write } from '../ports/store.ts';
import type { Instant, VaultKey } from '../ports/world.ts';
import type { AuditDraft, CertificateRecord, KeyRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';

/** Account and order of certificates that the platform issues to itself. */
const PLATFORM = 0;

export interface PlatformCertificateInput {
  readonly issuer: IssuingParty;
  readonly profileId: string;
  readonly subject: DistinguishedName;
  readonly key: VaultKey;
  readonly notAfter: Instant;
  readonly label: string;
}

/** The row of a key pair that was just made or taken in. */
export function keyRecord(id: number, key: VaultKey, createdAt: Instant): KeyRecord {
  const { algorithm, spki, sealedPrivateKey } = key;
  return { id, algorithm, spki, sealedPrivateKey, createdAt };
}

/** Prepares a certificate of the platform itself: a CA, an OCSP signer. The caller records it, then has it signed. */
export function preparePlatformCertificate(
  issuance: Pick<Issuance, 'prepare'>,
  input: PlatformCertificateInput,
): Outcome<CertificateRecord> {
  return issuance.prepare({
    issuer: input.issuer,
    profileId: input.profileId,
    subject: input.subject,
    sans: [],
    spki: input.key.spki,
    notAfter: input.notAfter,
    accountId: PLATFORM,
    groupId: PLATFORM,
    orderId: PLATFORM,
    label: input.label,
    names: [],
  });
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Audit entry of a certificate that goes on record before it is signed. */
export function preparedEntry(actor: string, now: Instant, certificate: CertificateRecord, ca: string): AuditDraft {
  return auditEntry(systemContext(actor), now, {
    activity: 'certificate.prepared',
    objectType: 'certificate',
    objectId: certificate.serial,
    details: {
      ca,
      profile: certificate.profileId,
      tbsSha256: certificate.tbs === null ? '' : sha256(certificate.tbs),
    },
  });
}

/** The update and the audit entry that put the signed certificate on record. */
export function issuedCertificate(
  actor: string,
  now: Instant,
  certificate: CertificateRecord,
  der: Uint8Array,
  ca: string,
): { readonly write: Write; readonly entry: AuditDraft } {
  return {
    write: {
      op: 'update',
      table: 'certificate',
      id: certificate.id,
      version: certificate.version,
      set: { state: 'valid', der, tbs: null, leaseUntil: null },
    },
    entry: auditEntry(systemContext(actor), now, {
      activity: 'certificate.issued',
      objectType: 'certificate',
      objectId: certificate.serial,
      details: {
        ca,
        profile: certificate.profileId,
        certificateSha256: sha256(der),
        notAfter: new Date(certificate.notAfter).toISOString(),
      },
    }),
  };
}

export type AuthorityDeps = Pick<
  CoreDependencies,
  'store' | 'clock' | 'wallClock' | 'random' | 'vault' | 'settings' | 'log'
>;
