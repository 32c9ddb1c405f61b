import type { AccountRecord, GroupRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { BoundedMap } from '../support.ts';

/** An account with its groups, kept in memory until some process changes it. */
export interface AccountEntry {
  readonly account: AccountRecord;
  readonly groups: readonly GroupRecord[];
  readonly defaultGroup: GroupRecord;
}

export interface AccountDirectory {
  entry(accountId: number): Promise<AccountEntry | undefined>;
}

/** Reads accounts through a cache that invalidations empty. */
export function createAccountDirectory(deps: Pick<CoreDependencies, 'store'>): AccountDirectory {
  const entries = new BoundedMap<number, AccountEntry>(10_000);
  let generation = 0;
  deps.store.onInvalidation((change) => {
    if (change.kind === 'everything') entries.clear();
    else if (change.kind === 'account') entries.delete(change.accountId);
    else return;
    generation++;
  });
  return {
    async entry(accountId) {
      const known = entries.get(accountId);
      if (known !== undefined) return known;
      const before = generation;
      const [account, groups] = await Promise.all([
        deps.store.accounts.byId(accountId),
        deps.store.accounts.groups(accountId),
      ]);
      const defaultGroup = groups.find((group) => group.isDefault);
      if (account === undefined || defaultGroup === undefined) return undefined;
      const entry = { account, groups, defaultGroup };
      if (generation === before) entries.set(accountId, entry);
      return entry;
    },
  };
}
