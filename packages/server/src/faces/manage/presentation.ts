/** Records of the core as the management API shows them. */
import type {
  AccountRecord,
  AuditRecord,
  CaRecord,
  CertificateRecord,
  CredentialRecord,
  Instant,
  JobRecord,
  OrderRecord,
  OrderView,
  OrganizationRecord,
  Page,
  Requirement,
} from '@certwright/core';
import { toPem } from '@certwright/pki';
import type { Static } from 'typebox';
import type * as wire from './schemas.ts';

const time = (at: Instant): string => new Date(at).toISOString();
const timeOrNull = (at: Instant | null): string | null => (at === null ? null : time(at));

export function account(record: AccountRecord): Static<typeof wire.Account> {
  const { number, name, status, currency, createdAt } = record;
  return { number, name, status, currency, createdAt: time(createdAt) };
}

export function credential(record: CredentialRecord): Static<typeof wire.Credential> {
  const { id, type, authType, label, status, groupId, createdAt, expiresAt, revokedAt } = record;
  return {
    id,
    type,
    authType,
    label,
    status,
    groupBound: groupId !== null,
    createdAt: time(createdAt),
    expiresAt: timeOrNull(expiresAt),
    revokedAt: timeOrNull(revokedAt),
  };
}

export function authority(record: CaRecord): Static<typeof wire.Authority> {
  const { slug, name, kind, status, keyAlgorithm, keyId, notBefore, notAfter, crl, certificate } = record;
  return {
    slug,
    name,
    kind,
    status,
    keyAlgorithm,
    hasKey: keyId !== null,
    notBefore: time(notBefore),
    notAfter: time(notAfter),
    crl: { partitions: crl.partitions, lifetimeSeconds: Math.round(crl.lifetimeMs / 1000) },
    certificate: toPem('CERTIFICATE', certificate),
  };
}

function requirement(one: Requirement): { kind: string; met: boolean; pending?: string[] } {
  switch (one.kind) {
    case 'dcv':
      return { kind: one.kind, met: one.pending.length === 0, pending: [...one.pending] };
    case 'agreement':
      return { kind: one.kind, met: one.accepted !== null };
    case 'approval':
      return { kind: one.kind, met: one.mode === 'automatic' || one.approved !== null };
    default:
      return { kind: one.kind, met: one.met };
  }
}

export function order(record: OrderRecord, accountNumber: string): Static<typeof wire.Order> {
  return {
    number: record.number,
    requestNumber: record.requestNumber,
    accountNumber,
    family: record.family,
    productCode: record.productCode,
    phase: record.phase,
    lifecycle: record.lifecycle,
    label: record.label,
    names: record.names.map(({ value }) => value),
    requirements: record.requirements.map(requirement),
    requestor: { name: record.details.requestor.name, email: record.details.requestor.email },
    closingReason: record.details.closingReason,
    createdAt: time(record.createdAt),
    issuedAt: timeOrNull(record.issuedAt),
    closedAt: timeOrNull(record.closedAt),
  };
}

export function orderDetail(view: OrderView, accountNumber: string, now: Instant): Static<typeof wire.OrderDetail> {
  const { organization } = view;
  return {
    order: order({ ...view.order, phase: view.phase }, accountNumber),
    productName: view.product.name,
    organization:
      organization === null
        ? null
        : { number: organization.number, name: organization.name, validation: organization.validation },
    domains: view.domains.map(({ name, dcvStatus, validTill }) => ({
      name,
      dcvStatus,
      validTill: timeOrNull(validTill),
    })),
    certificate: view.certificate === null ? null : certificate(view.certificate, now),
  };
}

export function certificate(record: CertificateRecord, now: Instant): Static<typeof wire.Certificate> {
  return {
    serial: record.serial,
    label: record.label,
    names: [...record.names],
    state: record.state === 'valid' && record.notAfter <= now ? 'expired' : record.state,
    profile: record.profileId,
    keyAlgorithm: record.keyAlgorithm,
    notBefore: time(record.notBefore),
    notAfter: time(record.notAfter),
    revokedAt: timeOrNull(record.revokedAt),
    revocationReason: record.revocationReason,
  };
}

export function organization(record: OrganizationRecord): Static<typeof wire.Organization> {
  const { number, name, locality, countryCode, status, validation, vettedFor, vettedAt, vettedUntil, createdAt } =
    record;
  return {
    number,
    name,
    locality,
    countryCode,
    status,
    validation,
    vettedFor: [...vettedFor],
    vettedAt: timeOrNull(vettedAt),
    vettedUntil: timeOrNull(vettedUntil),
    createdAt: time(createdAt),
  };
}

export function auditEntry(record: AuditRecord): Static<typeof wire.AuditEntry> {
  const { at, accountId: _, previousHash: __, ...rest } = record;
  return { at: time(at), ...rest };
}

export function job(record: JobRecord, now: Instant): Static<typeof wire.Job> {
  const { id, kind, runAt, attempts, lastError, leaseUntil, createdAt } = record;
  return {
    id,
    kind,
    runAt: time(runAt),
    attempts,
    lastError,
    leased: leaseUntil !== null && leaseUntil > now,
    createdAt: time(createdAt),
  };
}

/** A page of records as a page of wire objects. */
export function page<R, W>(
  records: Page<R>,
  show: (record: R) => W,
): { items: W[]; next: string | null; previous: string | null } {
  return { items: records.rows.map(show), next: records.next, previous: records.previous };
}
