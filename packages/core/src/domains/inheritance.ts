/** A verified name covers the names below it in the same organization (contract v2 section 8.5). */
import type { DomainView } from '../api.ts';
import { type Actor, auditEntry } from '../audit/draft.ts';
import type { Store, Write } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { AuditDraft, DomainRecord } from '../records/index.ts';
import type { PublicSuffix } from '../settings.ts';
import { strategyOf } from '../validation/strategies.ts';
import { ancestorsOf } from './names.ts';
import { isVerified } from './reuse.ts';
import { UNPROVEN } from './rows.ts';
import { type DomainSet, domainAfter, domainUpdate } from './transact.ts';

const PAGE = 200;

/** Whether the row's own proof covers names below it. Inherited proofs do not go further, wildcards are names of their own. */
export const coversSubdomains = (domain: DomainRecord, now: Instant): boolean =>
  isVerified(domain, now) &&
  domain.inheritedFrom === null &&
  !domain.name.startsWith('*.') &&
  domain.verifiedBy !== null &&
  strategyOf(domain.verifiedBy)?.provesSubdomains === true;

/** Whether the row may be verified through an ancestor: not a wildcard, and not meant to be proved host by host. */
export const mayInherit = (domain: Pick<DomainRecord, 'name' | 'method'>): boolean =>
  !domain.name.startsWith('*.') && strategyOf(domain.method)?.provesSubdomains === true;

/** The nearest ancestor in the organization whose proof covers the name; `rows` holds the account's rows by name. */
export function coveringAncestor(
  name: string,
  organizationId: number | null | 'any',
  rows: ReadonlyMap<string, readonly DomainRecord[]>,
  publicSuffix: PublicSuffix,
  now: Instant,
): DomainRecord | undefined {
  for (const ancestor of ancestorsOf(name, publicSuffix)) {
    const found = rows
      .get(ancestor)
      ?.find(
        (row) => (organizationId === 'any' || row.organizationId === organizationId) && coversSubdomains(row, now),
      );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Values that a row takes over from the ancestor that covers it. */
export const inheritedFrom = (ancestor: DomainRecord): DomainSet => ({
  dcvStatus: 'verified',
  // the time of the proof: a shorter reuse period counts from it
  verifiedAt: ancestor.verifiedAt,
  verifiedBy: ancestor.verifiedBy,
  validTill: ancestor.validTill,
  inheritedFrom: ancestor.id,
});

/** How likely a pending name is to be verified by itself. */
export function autoVerifyOf(
  domain: DomainRecord,
  rows: ReadonlyMap<string, readonly DomainRecord[]>,
  publicSuffix: PublicSuffix,
  now: Instant,
): DomainView['autoVerify'] {
  if (!mayInherit(domain)) return 'ineligible';
  if (domain.inheritedFrom !== null) return 'scheduled';
  return coveringAncestor(domain.name, domain.organizationId, rows, publicSuffix, now) === undefined
    ? 'noEligibleAncestor'
    : 'scheduled';
}

/** What has to change for a child so that it agrees with its ancestor; undefined when it does. */
function adjustment(child: DomainRecord, ancestor: DomainRecord, now: Instant): DomainSet | undefined {
  if (child.status !== 'active') return undefined;
  if (coversSubdomains(ancestor, now)) {
    const isChild = child.inheritedFrom === ancestor.id;
    if (!isChild && (isVerified(child, now) || child.dcvStatus === 'rejected' || !mayInherit(child))) return undefined;
    const set = inheritedFrom(ancestor);
    return isChild && child.dcvStatus === 'verified' && child.validTill === set.validTill ? undefined : set;
  }
  if (child.inheritedFrom !== ancestor.id) return undefined;
  // the ancestor was proved by a method that covers nothing below, or is not proved at all now
  if (isVerified(ancestor, now)) return { ...UNPROVEN, inheritedFrom: null };
  return child.dcvStatus === 'verified' ? UNPROVEN : undefined;
}

export interface Spread {
  readonly writes: readonly Write[];
  readonly audit: readonly AuditDraft[];
  /** Rows that are verified by it. */
  readonly verified: readonly DomainRecord[];
  /** Rows looked at last; undefined at the end. */
  readonly next: { readonly children: number; readonly below: number } | undefined;
}

/** One page of the changes that an ancestor's new state means for the rows below. */
export async function spread(
  store: Store,
  actor: Actor,
  ancestor: DomainRecord,
  now: Instant,
  after = { children: 0, below: 0 },
): Promise<Spread> {
  const children = await store.domains.children(ancestor.id, after.children, PAGE);
  const below = coversSubdomains(ancestor, now)
    ? await store.domains.below(ancestor.accountId, ancestor.organizationId, ancestor.name, after.below, PAGE)
    : [];
  const rows = new Map([...children, ...below].map((row) => [row.id, row]));
  rows.delete(ancestor.id);
  const writes: Write[] = [];
  const audit: AuditDraft[] = [];
  const verified: DomainRecord[] = [];
  for (const row of rows.values()) {
    const set = adjustment(row, ancestor, now);
    if (set === undefined) continue;
    writes.push(domainUpdate(row, set));
    const isNowVerified = set.dcvStatus === 'verified';
    if (isNowVerified) verified.push(domainAfter(row, set));
    audit.push(
      auditEntry(actor, now, {
        activity: isNowVerified ? 'domain.verified' : 'domain.reset',
        objectType: 'domain',
        objectId: row.publicId,
        accountId: row.accountId,
        details: { name: row.name, through: ancestor.name },
      }),
    );
  }
  const isFull = children.length === PAGE || below.length === PAGE;
  const next = isFull
    ? { children: children.at(-1)?.id ?? after.children, below: below.at(-1)?.id ?? after.below }
    : undefined;
  return { writes, audit, verified, next };
}
