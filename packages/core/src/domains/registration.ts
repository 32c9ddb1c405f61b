/** Names that orders bring in: each gets a row of the register, an existing one when there is one. */
import { baseName, fail, isWildcard, ok, type Result } from '@certwright/pki';
import { auditEntry } from '../audit/draft.ts';
import type { DomainError } from '../errors.ts';
import type { DomainRegister } from '../orders/ports.ts';
import type { Write } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { AuditDraft, DomainRecord, ValidationMethod } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { coveringAncestor, inheritedFrom, mayInherit } from './inheritance.ts';
import { ancestorsOf, knownName, nameRefusal } from './names.ts';
import { isProven, isVerified } from './reuse.ts';
import { newDomain, rowsByName } from './rows.ts';
import { domainAfter, domainUpdate } from './transact.ts';
import { inactive } from './verification.ts';

const DEFAULT_METHOD: ValidationMethod = 'dns-txt';

interface Named {
  readonly name: string;
  readonly base: string;
  readonly wildcard: boolean;
}

type Rows = Map<string, DomainRecord[]>;

/**
 * The row that shall prove a name: one that proves it now, else the organization's own, else any of the account, as a
 * proof serves every order of the account. Undefined when there is none; error `domain.inactive`.
 */
function pickRow(
  { name, base, wildcard }: Named,
  organizationId: number | null,
  rows: Rows,
  now: Instant,
): Result<DomainRecord | undefined, DomainError> {
  const own = rows.get(base) ?? [];
  // a wildcard registered by itself was proved at its base, like everything else
  const alike = wildcard ? [...own, ...(rows.get(name) ?? [])] : own;
  const active = alike.filter((row) => row.status === 'active');
  const isOwn = (row: DomainRecord) => row.organizationId === organizationId;
  const proven = active.filter((row) => isProven(row, { wildcard }, now));
  const open = active.filter((row) => row.name === base);
  const found =
    proven.find(isOwn) ?? proven[0] ?? open.find(isOwn) ?? open.find((row) => row.dcvStatus !== 'rejected') ?? open[0];
  if (found === undefined && alike.length > 0 && active.length === 0) return fail(inactive(name));
  return ok(found);
}

/** The register as orders need it. */
export function createDomainRegister(
  deps: Pick<CoreDependencies, 'store' | 'random' | 'publicSuffix'>,
): DomainRegister {
  const { store, random, publicSuffix } = deps;

  /** The owner of names of an order that names no organization. */
  async function defaultOwner(accountId: number): Promise<number | null> {
    const organizations = await store.accounts.organizations(accountId);
    const active = organizations.filter((organization) => organization.status === 'active');
    return active.length === 1 ? (active[0]?.id ?? null) : null;
  }

  return {
    isProven,

    async registerForOrder({ accountId, organizationId, names, ctx, now }) {
      const wanted: Named[] = [];
      for (const text of names) {
        const name = knownName(text);
        const refusal = nameRefusal(name, publicSuffix);
        if (refusal !== undefined) return fail(refusal);
        wanted.push({ name, base: baseName(name), wildcard: isWildcard(name) });
      }
      const rows: Rows = await rowsByName(
        store,
        accountId,
        wanted.flatMap(({ name, base }) => [name, base, ...ancestorsOf(base, publicSuffix)]),
      );
      const owner = organizationId ?? (await defaultOwner(accountId));

      const writes: Write[] = [];
      const audit: AuditDraft[] = [];
      /** Rows that this call makes or changes, with the position of their write. */
      const own = new Map<number, { readonly row: DomainRecord; readonly index: number; readonly isNew: boolean }>();
      const latest = (row: DomainRecord) => own.get(row.id)?.row ?? row;

      async function create(named: Named): Promise<DomainRecord> {
        const ancestor = coveringAncestor(named.base, organizationId ?? 'any', rows, publicSuffix, now);
        const row = newDomain(random, {
          id: await store.nextId(),
          accountId,
          organizationId: ancestor === undefined ? owner : ancestor.organizationId,
          name: named.base,
          method: DEFAULT_METHOD,
          createdAt: now,
        });
        own.set(row.id, { row, index: writes.length, isNew: true });
        writes.push({ op: 'insert', table: 'domain', row });
        rows.set(row.name, [...(rows.get(row.name) ?? []), row]);
        audit.push(
          auditEntry(ctx, now, {
            activity: 'domain.registered',
            objectType: 'domain',
            objectId: row.publicId,
            details: { name: row.name, byOrder: true },
          }),
        );
        return row;
      }

      /** Verifies the row through a name above, when there is a proof that reaches it. */
      function inherit(row: DomainRecord): DomainRecord {
        if (isVerified(row, now) || row.dcvStatus === 'rejected' || !mayInherit(row)) return row;
        const ancestor = coveringAncestor(row.name, row.organizationId, rows, publicSuffix, now);
        if (ancestor === undefined) return row;
        const set = inheritedFrom(ancestor);
        const made = own.get(row.id);
        const index = made?.index ?? writes.length;
        const verified = made?.isNew === true ? { ...row, ...set } : domainAfter(row, set);
        writes[index] =
          made?.isNew === true ? { op: 'insert', table: 'domain', row: verified } : domainUpdate(row, set);
        own.set(row.id, { row: verified, index, isNew: made?.isNew === true });
        audit.push(
          auditEntry(ctx, now, {
            activity: 'domain.verified',
            objectType: 'domain',
            objectId: row.publicId,
            details: { name: row.name, through: ancestor.name },
          }),
        );
        return verified;
      }

      const chosen: DomainRecord[] = [];
      for (const named of wanted) {
        const found = pickRow(named, owner, rows, now);
        if (!found.ok) return found;
        const row = latest(found.value ?? (await create(named)));
        // a wildcard takes a proof of its own (contract v2 section 8.5)
        chosen.push(named.wildcard ? row : inherit(row));
      }
      return ok({ domains: chosen.map(latest), writes, audit });
    },
  };
}
