import type { Store } from '../ports/store.ts';
import type { Instant, Random } from '../ports/world.ts';
import type { DomainRecord, ValidationMethod } from '../records/index.ts';
import { randomToken } from '../support.ts';

/** Names asked of the store in one query. */
const NAMES_AT_ONCE = 500;

/** A row that proves nothing yet. */
export const newDomain = (
  random: Random,
  about: {
    readonly id: number;
    readonly accountId: number;
    readonly organizationId: number | null;
    readonly name: string;
    readonly method: ValidationMethod;
    readonly createdAt: Instant;
  },
): DomainRecord => ({
  ...about,
  publicId: randomToken(random, 36),
  status: 'active',
  dcvStatus: 'pending',
  challenges: [],
  verifiedAt: null,
  verifiedBy: null,
  validTill: null,
  inheritedFrom: null,
  caaStatus: 'unchecked',
  skipCaa: false,
  deactivatedAt: null,
  version: 1,
});

/** Values of a row whose proof is gone. */
export const UNPROVEN = { dcvStatus: 'pending', verifiedAt: null, verifiedBy: null, validTill: null } as const;

/** Rows of the account by name, oldest first. */
export async function rowsByName(
  store: Store,
  accountId: number,
  names: Iterable<string>,
): Promise<Map<string, DomainRecord[]>> {
  const unique = [...new Set(names)];
  const byName = new Map<string, DomainRecord[]>();
  for (let start = 0; start < unique.length; start += NAMES_AT_ONCE) {
    const rows = await store.domains.byNames(accountId, unique.slice(start, start + NAMES_AT_ONCE));
    for (const row of [...rows].sort((a, b) => a.id - b.id)) {
      const known = byName.get(row.name);
      if (known === undefined) byName.set(row.name, [row]);
      else known.push(row);
    }
  }
  return byName;
}
