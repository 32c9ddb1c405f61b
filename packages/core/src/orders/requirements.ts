/** Builds and refreshes the requirements of an order from its product and the evidence on record. */
import { isWildcard, parseDnsName } from '@certwright/pki';
import type { Instant } from '../ports/world.ts';
import type {
  DomainRecord,
  OrderName,
  OrderRecord,
  OrganizationRecord,
  ProductRecord,
  Requirement,
  SslLevel,
} from '../records/index.ts';
import { unreachable } from '../util.ts';
import type { DomainRegister } from './ports.ts';

/** Whether the organization's vetting carries a certificate of this level now (contract platform section 3.6). */
export function isVetted(organization: OrganizationRecord | null, level: SslLevel | null, now: Instant): boolean {
  if (organization === null || organization.status !== 'active' || organization.validation !== 'validated')
    return false;
  if (organization.vettedUntil === null || organization.vettedUntil <= now) return false;
  switch (level) {
    case 'ev':
      return organization.vettedFor.includes('ev');
    case 'ov':
      return organization.vettedFor.includes('ov') || organization.vettedFor.includes('ev');
    case 'dv':
    case null:
      return true;
    default:
      return unreachable(level);
  }
}

const nameIsWildcard = (name: OrderName): boolean => {
  const parsed = parseDnsName(name.value);
  return parsed.ok && isWildcard(parsed.value);
};

/** Names whose domain row does not prove control now. */
export function unprovenNames(
  names: readonly OrderName[],
  domains: readonly DomainRecord[],
  register: Pick<DomainRegister, 'isProven'>,
  now: Instant,
): string[] {
  const rows = new Map(domains.map((domain) => [domain.id, domain]));
  return names
    .filter((name) => {
      if (name.domainId === null) return false;
      const row = rows.get(name.domainId);
      return row === undefined || !register.isProven(row, { wildcard: nameIsWildcard(name) }, now);
    })
    .map((name) => name.value);
}

export interface Evidence {
  readonly organization: OrganizationRecord | null;
  readonly unproven: readonly string[];
  readonly csr: boolean;
  readonly agreement: {
    readonly name: string;
    readonly place: string;
    readonly ip: string;
    readonly at: Instant;
  } | null;
  /** The right pre-vetting token was presented. */
  readonly preVetted: boolean;
}

/** Requirements of a new order. */
export function initialRequirements(product: ProductRecord, evidence: Evidence, now: Instant): Requirement[] {
  const { rules } = product;
  return rules.requirements.map((kind): Requirement => {
    switch (kind) {
      case 'organization':
        return { kind, met: isVetted(evidence.organization, rules.level, now) };
      case 'mailbox':
      case 'identity':
      case 'documents':
        return { kind, met: false };
      case 'dcv':
        return { kind, pending: evidence.unproven };
      case 'csr':
        return { kind, met: evidence.csr };
      case 'agreement':
        return { kind, accepted: evidence.agreement };
      case 'approval': {
        const automatic = rules.approval === 'automatic' || (rules.approval === 'preVetted' && evidence.preVetted);
        return { kind, mode: automatic ? 'automatic' : 'manual', approved: null };
      }
      default:
        return unreachable(kind);
    }
  });
}

/** The same requirements with `organization` and `dcv` judged anew; unchanged ones are kept by identity. */
export function refreshRequirements(
  order: Pick<OrderRecord, 'requirements' | 'level'>,
  evidence: { readonly organization: OrganizationRecord | null; readonly unproven: readonly string[] },
  now: Instant,
): readonly Requirement[] {
  let changed = false;
  const next = order.requirements.map((requirement): Requirement => {
    if (requirement.kind === 'organization') {
      // once met it stays met, as the order was accepted on that vetting; unless the organization was refused since
      const stands = evidence.organization?.status === 'active' && evidence.organization.validation !== 'rejected';
      const met = stands && (requirement.met || isVetted(evidence.organization, order.level, now));
      if (met === requirement.met) return requirement;
      changed = true;
      return { kind: 'organization', met };
    }
    if (requirement.kind === 'dcv' && requirement.pending.join() !== evidence.unproven.join()) {
      changed = true;
      return { kind: 'dcv', pending: evidence.unproven };
    }
    return requirement;
  });
  return changed ? next : order.requirements;
}

/** Replaces the requirement of this kind. */
export function withRequirement(
  requirements: readonly Requirement[],
  replacement: Requirement,
): readonly Requirement[] {
  return requirements.map((requirement) => (requirement.kind === replacement.kind ? replacement : requirement));
}

export function requirement<K extends Requirement['kind']>(
  requirements: readonly Requirement[],
  kind: K,
): Extract<Requirement, { kind: K }> | undefined {
  return requirements.find((one): one is Extract<Requirement, { kind: K }> => one.kind === kind);
}
