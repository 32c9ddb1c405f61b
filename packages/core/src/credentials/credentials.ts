import { createHash, hash as digest, timingSafeEqual } from 'node:crypto';
import { fail, ok, type Result } from '@certwright/pki';
import type { AccountDirectory } from '../accounts/directory.ts';
import type { Caller, CredentialService, Origin, TokenPair } from '../api.ts';
import { auditEntry, systemContext } from '../audit/draft.ts';
import { type DomainError, domainError } from '../errors.ts';
import type { Write } from '../ports/store.ts';
import type { AccountRecord, CredentialRecord, TokenRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { BoundedMap, MAX_ATTEMPTS, randomHex, randomToken } from '../support.ts';
import { Lockout } from './lockout.ts';

/** Contract v2 section 2.2. */
const ACCESS_LIFETIME_S = 3600;
const REFRESH_LIFETIME_MS = 24 * 3_600_000;
/** How far `ts` of a signed-key proof may lie from now, either way. */
const PROOF_WINDOW_MS = 5 * 60_000;

const ACCESS_CONTEXT = 'access-token';
const REFRESH_CONTEXT = 'refresh-token';
const credentialContext = (credentialId: number): string => `credential:${credentialId}`;

interface CachedCaller {
  readonly caller: Caller;
  readonly credentialId: number;
  /** Keyed hash of the token, as on record. */
  readonly accessHash: string;
  readonly expiresAt: number;
}

const equalText = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const invalidClient = (): DomainError =>
  domainError('credential.invalid', 'Client authentication failed: unknown account number or wrong key');

/** Access keys carry a prefix and a checksum so that secret scanners know them. */
function newAccessKey(hex: string): string {
  return `cwk_${hex}${createHash('sha256').update(hex).digest('hex').slice(0, 6)}`;
}

export function createCredentialService(deps: CoreDependencies, directory: AccountDirectory): CredentialService {
  const { store, secrets, random, wallClock } = deps;
  const lockout = new Lockout();
  const callers = new BoundedMap<string, CachedCaller>(20_000);
  let generation = 0;

  function forget(isMeant: (entry: CachedCaller) => boolean): void {
    for (const [key, entry] of callers.entries()) if (isMeant(entry)) callers.delete(key);
  }

  store.onInvalidation((change) => {
    switch (change.kind) {
      case 'token':
        forget((entry) => entry.accessHash === change.accessHash);
        break;
      case 'credential':
        forget((entry) => entry.credentialId === change.credentialId);
        break;
      case 'account':
      case 'everything':
        callers.clear();
        break;
      default:
        return;
    }
    generation++;
  });

  function usable(credential: CredentialRecord): boolean {
    return credential.status === 'active' && (credential.expiresAt === null || credential.expiresAt > wallClock.now());
  }

  /**
   * Records a refused authentication: the first of a source, and the one that closes the door. Those for numbers that are
   * no account are written only then, as anybody can make up numbers.
   */
  async function refused(
    origin: Origin,
    accountNumber: string,
    key: string,
    found: Found | undefined,
    error: DomainError,
  ): Promise<Result<never, DomainError>> {
    const now = wallClock.now();
    const turn = lockout.fail(key, now);
    if (turn === 'closing' || (turn === 'first' && found !== undefined)) {
      await store.write({
        writes: [],
        audit: [
          auditEntry({ ...systemContext('authentication'), origin }, now, {
            activity: 'credential.authenticationFailed',
            objectType: 'account',
            objectId: accountNumber.slice(0, 32),
            accountId: found?.account.id ?? null,
            outcome: 'denied',
            details: { error: error.code, repeated: turn === 'closing' },
          }),
        ],
      });
    }
    return fail(error);
  }

  type Found = { readonly account: AccountRecord; readonly credentials: readonly CredentialRecord[] };

  async function find(accountNumber: string): Promise<Found | undefined> {
    const account = await store.accounts.byNumber(accountNumber);
    if (account === undefined || account.status !== 'active') return undefined;
    return { account, credentials: (await store.credentials.ofAccount(account.id)).filter(usable) };
  }

  function bySecret(found: Found, secret: string): CredentialRecord | undefined {
    let match: CredentialRecord | undefined;
    for (const credential of found.credentials) {
      if (equalText(secrets.keyedHash(secret, credentialContext(credential.id)), credential.secretHash))
        match = credential;
    }
    return match;
  }

  async function issue(
    origin: Origin,
    credential: CredentialRecord,
    authType: TokenRecord['authType'],
    options: { readonly writes?: readonly Write[]; readonly familyId?: number; readonly invalidateHash?: string } = {},
  ): Promise<Result<TokenPair, DomainError> | 'retry'> {
    const now = wallClock.now();
    const accessToken = randomToken(random, 32);
    const refreshToken = randomHex(random, 16);
    const id = await store.nextId();
    const token: TokenRecord = {
      id,
      credentialId: credential.id,
      accountId: credential.accountId,
      accessHash: secrets.keyedHash(accessToken, ACCESS_CONTEXT),
      refreshHash: secrets.keyedHash(refreshToken, REFRESH_CONTEXT),
      familyId: options.familyId ?? id,
      authType,
      state: 'live',
      expiresAt: now + ACCESS_LIFETIME_S * 1000,
      refreshExpiresAt: now + REFRESH_LIFETIME_MS,
      createdAt: now,
      version: 1,
    };
    const outcome = await store.write({
      writes: [...(options.writes ?? []), { op: 'insert', table: 'token', row: token }],
      audit: [
        auditEntry({ ...systemContext('authentication'), origin }, now, {
          activity: 'credential.tokenIssued',
          objectType: 'credential',
          objectId: credential.id,
          accountId: credential.accountId,
          details: { authType, refreshed: options.familyId !== undefined },
        }),
      ],
      ...(options.invalidateHash !== undefined
        ? { invalidate: [{ kind: 'token', accessHash: options.invalidateHash }] }
        : {}),
    });
    return outcome.ok ? ok({ accessToken, refreshToken, expiresIn: ACCESS_LIFETIME_S }) : 'retry';
  }

  async function exchange(
    origin: Origin,
    accountNumber: string,
    secret: string,
    wanted: CredentialRecord['authType'],
    authType: TokenRecord['authType'],
  ): Promise<Result<TokenPair, DomainError>> {
    const client = await authenticateClient(origin, accountNumber, secret, wanted);
    if (!client.ok) return client;
    const issued = await issue(origin, client.value, authType);
    return issued === 'retry' ? fail(domainError('conflict', 'Try again')) : issued;
  }

  async function authenticateClient(
    origin: Origin,
    accountNumber: string,
    secret: string,
    wanted: CredentialRecord['authType'],
  ): Promise<Result<CredentialRecord, DomainError>> {
    const key = `${accountNumber}|${origin.ip}`;
    const closed = lockout.closedFor(key, wallClock.now());
    if (closed > 0) {
      return fail(
        domainError('credential.locked', 'Too many failed attempts from this source; wait before trying again', {
          retryAfterMs: closed,
        }),
      );
    }
    const found = await find(accountNumber);
    // an unknown account costs one hash too, so that its answer takes as long
    const credential =
      found === undefined ? void secrets.keyedHash(secret, credentialContext(0)) : bySecret(found, secret);
    if (credential === undefined) return refused(origin, accountNumber, key, found, invalidClient());
    if (credential.authType !== wanted) {
      return refused(
        origin,
        accountNumber,
        key,
        found,
        domainError(
          'credential.wrongMode',
          wanted === 'oauth'
            ? 'This access key was not generated in OAuth mode'
            : 'This key was generated in OAuth mode; use client credentials',
        ),
      );
    }
    lockout.succeed(key);
    return ok(credential);
  }

  async function load(hash: string): Promise<CachedCaller | undefined> {
    const token = await store.credentials.tokenByAccessHash(hash);
    if (token === undefined || token.state !== 'live') return undefined;
    const credential = await store.credentials.byId(token.credentialId);
    if (credential === undefined || !usable(credential)) return undefined;
    const [entry, user] = await Promise.all([
      directory.entry(credential.accountId),
      store.accounts.userById(credential.userId),
    ]);
    if (entry === undefined || entry.account.status !== 'active' || user === undefined || user.status !== 'active') {
      return undefined;
    }
    const group = credential.groupId === null ? undefined : entry.groups.find((one) => one.id === credential.groupId);
    if (credential.groupId !== null && group?.status !== 'active') return undefined;
    return {
      credentialId: credential.id,
      accessHash: hash,
      expiresAt: Math.min(token.expiresAt, credential.expiresAt ?? Number.POSITIVE_INFINITY),
      caller: {
        accountId: entry.account.id,
        accountNumber: entry.account.number,
        credentialId: credential.id,
        userId: user.id,
        role: user.role,
        groupId: credential.groupId,
        tokenAuthType: token.authType,
        settings: entry.account.settings,
      },
    };
  }

  return {
    tokenByClientSecret: (origin, accountNumber, secret) => exchange(origin, accountNumber, secret, 'oauth', 'oauth2'),

    tokenByAccessKey: (origin, accountNumber, accessKey) =>
      exchange(origin, accountNumber, accessKey, 'accessKey', 'legacy'),

    async tokenBySignedKey(origin, input) {
      const key = `${input.accountNumber}|${origin.ip}`;
      const now = wallClock.now();
      const closed = lockout.closedFor(key, now);
      if (closed > 0) {
        return fail(
          domainError('credential.locked', 'Too many failed attempts from this source; wait before trying again', {
            retryAfterMs: closed,
          }),
        );
      }
      const found = await find(input.accountNumber);
      if (found === undefined || !found.account.settings.signedKeyTokens) {
        return refused(origin, input.accountNumber, key, found, invalidClient());
      }
      let match: CredentialRecord | undefined;
      for (const credential of found.credentials) {
        if (credential.sealedSecret === null) continue;
        const accessKey = secrets.open(credential.sealedSecret, credentialContext(credential.id));
        if (accessKey === undefined) continue;
        const expected = createHash('sha256')
          .update(accessKey)
          .update(input.ts + input.txn)
          .digest('hex');
        if (equalText(expected, input.authKey.toLowerCase())) match = credential;
      }
      if (match === undefined) return refused(origin, input.accountNumber, key, found, invalidClient());
      if (Math.abs(now - input.signedAt) > PROOF_WINDOW_MS) {
        return refused(
          origin,
          input.accountNumber,
          key,
          found,
          domainError('credential.invalid', 'ts is more than five minutes away from the time here; check the clock'),
        );
      }
      const issued = await issue(origin, match, 'legacy', {
        writes: [
          {
            op: 'insert',
            table: 'proof',
            row: {
              id: await store.nextId(),
              accountId: found.account.id,
              txn: input.txn,
              expiresAt: input.signedAt + 2 * PROOF_WINDOW_MS,
            },
          },
        ],
      });
      if (issued === 'retry') {
        return refused(
          origin,
          input.accountNumber,
          key,
          found,
          domainError('credential.invalid', 'txn was used before; send a new one with each request'),
        );
      }
      lockout.succeed(key);
      return issued;
    },

    async refresh(origin, accountNumber, secret, refreshToken) {
      const client = await authenticateClient(origin, accountNumber, secret, 'oauth');
      if (!client.ok) return client;
      const invalid = () =>
        fail(domainError('grant.invalid', 'Refresh token is expired, used or revoked; ask for a new token'));
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const token = await store.credentials.tokenByRefreshHash(secrets.keyedHash(refreshToken, REFRESH_CONTEXT));
        if (token === undefined || token.credentialId !== client.value.id) return invalid();
        const now = wallClock.now();
        if (token.state === 'spent') {
          // reuse of a spent refresh token: somebody holds a copy, the whole family ends (RFC 9700 section 4.14.2)
          const family = (await store.credentials.tokensOfFamily(token.familyId)).filter((one) => one.state === 'live');
          const revoked = await store.write({
            writes: family.map(
              (one) =>
                ({
                  op: 'update',
                  table: 'token',
                  id: one.id,
                  version: one.version,
                  set: { state: 'revoked' },
                }) as const,
            ),
            audit: [
              auditEntry({ ...systemContext('authentication'), origin }, now, {
                activity: 'credential.refreshTokenReused',
                objectType: 'credential',
                objectId: token.credentialId,
                accountId: token.accountId,
                outcome: 'denied',
              }),
            ],
            invalidate: family.map((one) => ({ kind: 'token', accessHash: one.accessHash }) as const),
          });
          if (!revoked.ok) continue;
          return invalid();
        }
        if (token.state !== 'live' || token.refreshExpiresAt <= now) return invalid();
        const issued = await issue(origin, client.value, token.authType, {
          familyId: token.familyId,
          writes: [{ op: 'update', table: 'token', id: token.id, version: token.version, set: { state: 'spent' } }],
          invalidateHash: token.accessHash,
        });
        if (issued !== 'retry') return issued;
      }
      return invalid();
    },

    async authenticate(accessToken) {
      const refusal = () =>
        fail(domainError('token.invalid', 'Bearer token is missing or no longer valid; get a new one at /oauth/token'));
      if (accessToken.length < 20 || accessToken.length > 512) return refusal();
      // in memory a plain hash is enough to keep tokens out of the cache, at a fifth of the keyed one's cost
      const key = digest('sha256', accessToken, 'base64');
      let entry = callers.get(key);
      if (entry === undefined) {
        const before = generation;
        entry = await load(secrets.keyedHash(accessToken, ACCESS_CONTEXT));
        if (entry !== undefined && generation === before) callers.set(key, entry);
      }
      if (entry === undefined || entry.expiresAt <= wallClock.now()) return refusal();
      return ok(entry.caller);
    },

    async create(ctx, input) {
      const account = await store.accounts.byNumber(input.accountNumber);
      if (account === undefined) return fail(domainError('notFound', `Account ${input.accountNumber} not found`));
      const [users, groups] = await Promise.all([store.accounts.users(account.id), store.accounts.groups(account.id)]);
      const user = users.find((one) => one.status === 'active' && one.role === 'administrator');
      if (user === undefined)
        return fail(domainError('notFound', 'The account has no active administrator to bind the credential to'));
      const group =
        input.groupNumber === undefined ? undefined : groups.find((one) => one.number === input.groupNumber);
      if (input.groupNumber !== undefined && group === undefined) {
        return fail(
          domainError('notFound', `Group ${input.groupNumber} not found under account ${input.accountNumber}`),
        );
      }
      const now = wallClock.now();
      const id = await store.nextId();
      const secret = input.authType === 'oauth' ? randomHex(random, 16) : newAccessKey(randomHex(random, 16));
      const credential: CredentialRecord = {
        id,
        accountId: account.id,
        groupId: group?.id ?? null,
        userId: user.id,
        type: 'REST',
        authType: input.authType,
        label: input.label.slice(0, 200),
        secretHash: secrets.keyedHash(secret, credentialContext(id)),
        sealedSecret: input.authType === 'accessKey' ? secrets.seal(Buffer.from(secret), credentialContext(id)) : null,
        status: 'active',
        expiresAt: null,
        createdAt: now,
        revokedAt: null,
        version: 1,
      };
      const outcome = await store.write({
        writes: [{ op: 'insert', table: 'credential', row: credential }],
        audit: [
          auditEntry(ctx, now, {
            activity: 'credential.created',
            objectType: 'credential',
            objectId: id,
            accountId: account.id,
            details: { type: 'REST', authType: input.authType, label: credential.label },
          }),
        ],
      });
      return outcome.ok ? ok({ credential, secret }) : fail(domainError('conflict', 'Try again'));
    },

    async list(_ctx, accountNumber) {
      const account = await store.accounts.byNumber(accountNumber);
      if (account === undefined) return fail(domainError('notFound', `Account ${accountNumber} not found`));
      return ok(await store.credentials.ofAccount(account.id));
    },

    async revoke(ctx, credentialId) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const credential = await store.credentials.byId(credentialId);
        if (credential === undefined) return fail(domainError('notFound', `Credential ${credentialId} not found`));
        if (credential.status === 'revoked') return ok(credential);
        const now = wallClock.now();
        const set = { status: 'revoked', revokedAt: now } as const;
        const outcome = await store.write({
          writes: [{ op: 'update', table: 'credential', id: credential.id, version: credential.version, set }],
          audit: [
            auditEntry(ctx, now, {
              activity: 'credential.revoked',
              objectType: 'credential',
              objectId: credential.id,
              accountId: credential.accountId,
            }),
          ],
          invalidate: [{ kind: 'credential', credentialId }],
        });
        if (outcome.ok) return ok({ ...credential, ...set, version: credential.version + 1 });
      }
      return fail(domainError('conflict', 'The credential is being changed by somebody else; try again'));
    },
  };
}
