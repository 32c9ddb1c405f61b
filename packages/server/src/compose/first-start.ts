/** What the first process on an empty database makes; safe when several start at once. */
import { setTimeout as wait } from 'node:timers/promises';
import type { AuthorityService, Clock, Core, Store } from '@certwright/core';
import type { Config } from '../config/index.ts';
import { systemOperator } from './as-account.ts';

const LEASE = 'first-start';
const LEASE_MS = 60_000;
const POLL_MS = 100;
const GIVE_UP_MS = 120_000;
/** Holds the number of the platform's own account; written last, so that its presence means that all is made. */
const MARK = 'platform.account';

export interface FirstAccount {
  readonly accountNumber: string;
  readonly administratorEmail: string;
  /** OAuth client secret of the administrator's credential; shown once. */
  readonly clientSecret: string;
}

export interface Beginning {
  /** Account that the platform's own orders run under. */
  readonly platformAccount: string;
  /** Set in the process that made the first account. */
  readonly firstAccount: FirstAccount | null;
  readonly authorities: Awaited<ReturnType<AuthorityService['bootstrap']>>;
}

interface BeginOptions {
  readonly core: Pick<Core, 'accounts' | 'credentials' | 'authorities'>;
  readonly store: Store;
  readonly wallClock: Clock;
  /** Identity of this process among those that share the database. */
  readonly holder: string;
  readonly config: Pick<Config, 'ca' | 'firstAccount'>;
  /** False where the caller makes its own accounts (sandbox). */
  readonly makeFirstAccount: boolean;
}

/** Makes CA, platform account and first account unless they exist, and returns them. */
export async function begin(options: BeginOptions): Promise<Beginning> {
  const { core, store, config } = options;
  const authorities = await core.authorities.bootstrap({
    name: config.ca.name,
    keyAlgorithm: config.ca.algorithm,
    crl: { partitions: config.ca.crlPartitions, lifetimeMs: config.ca.crlLifetimeMs },
  });
  const known = await store.settings.byName(MARK);
  if (known !== undefined) return { platformAccount: known.value, firstAccount: null, authorities };
  return { ...(await makeAccounts(options)), authorities };
}

async function makeAccounts(options: BeginOptions): Promise<Omit<Beginning, 'authorities'>> {
  const { store, wallClock, holder } = options;
  const deadline = wallClock.now() + GIVE_UP_MS;
  for (;;) {
    const known = await store.settings.byName(MARK);
    if (known !== undefined) return { platformAccount: known.value, firstAccount: null };
    const now = wallClock.now();
    if (await store.lease(LEASE, holder, now, now + LEASE_MS)) {
      try {
        return await makeUnderLease(options);
      } finally {
        await store.lease(LEASE, holder, wallClock.now(), wallClock.now());
      }
    }
    if (now > deadline)
      throw new Error('another process has been making the first account for two minutes; start again');
    await wait(POLL_MS);
  }
}

async function makeUnderLease(options: BeginOptions): Promise<Omit<Beginning, 'authorities'>> {
  const { core, store, config, makeFirstAccount } = options;
  const before = await store.settings.byName(MARK);
  if (before !== undefined) return { platformAccount: before.value, firstAccount: null };

  const firstAccount = makeFirstAccount ? await makeAdministrator(core, config) : null;
  const platform = await createAccount(core, {
    name: 'Certwright platform',
    administratorName: 'Certwright',
    administratorEmail: 'platform@localhost',
  });
  const outcome = await store.write({
    writes: [
      { op: 'insert', table: 'setting', row: { id: await store.nextId(), name: MARK, value: platform, version: 1 } },
    ],
    bookkeeping: 'number of the platform’s own account',
  });
  if (!outcome.ok) throw new Error('the lease of the first start was lost; start again');
  return { platformAccount: platform, firstAccount };
}

async function createAccount(
  core: Pick<Core, 'accounts'>,
  input: Parameters<Core['accounts']['create']>[1],
): Promise<string> {
  const created = await core.accounts.create(systemOperator, input);
  if (!created.ok) throw new Error(`the account ${input.name} cannot be made: ${created.error.detail}`);
  return created.value.account.number;
}

async function makeAdministrator(
  core: Pick<Core, 'accounts' | 'credentials'>,
  { firstAccount }: Pick<Config, 'firstAccount'>,
): Promise<FirstAccount> {
  const accountNumber = await createAccount(core, firstAccount);
  const credential = await core.credentials.create(systemOperator, {
    accountNumber,
    authType: 'oauth',
    label: 'first start',
  });
  if (!credential.ok) throw new Error(`the first credential cannot be made: ${credential.error.detail}`);
  return {
    accountNumber,
    administratorEmail: firstAccount.administratorEmail,
    clientSecret: credential.value.secret,
  };
}
