/**
 * What the core needs of the store. Reads are named queries; every change goes through one door, {@link Store.write},
 * as a write set: rows, compare-and-set updates, audit entries, jobs. Write sets that arrive together are committed
 * together; each either takes effect whole, with its audit entries, or not at all.
 */

import type {
  AccountRecord,
  AttemptRecord,
  AuditDraft,
  AuditRecord,
  CaRecord,
  CertificateRecord,
  CertificateState,
  CredentialRecord,
  CrlPieceRecord,
  CrlRecord,
  DomainRecord,
  GroupRecord,
  IdempotencyRecord,
  JobRecord,
  KeyRecord,
  MailApprovalRecord,
  OrderDomainRecord,
  OrderFamily,
  OrderPhase,
  OrderRecord,
  OrganizationRecord,
  ProductRecord,
  ProofRecord,
  ResponderRecord,
  SettingRecord,
  SubscriptionRecord,
  TokenRecord,
  UserRecord,
} from '../records/index.ts';
import type { NonEmpty } from '../util.ts';
import type { Instant } from './world.ts';

export interface Tables {
  account: AccountRecord;
  group: GroupRecord;
  user: UserRecord;
  organization: OrganizationRecord;
  product: ProductRecord;
  credential: CredentialRecord;
  token: TokenRecord;
  proof: ProofRecord;
  order: OrderRecord;
  subscription: SubscriptionRecord;
  certificate: CertificateRecord;
  domain: DomainRecord;
  attempt: AttemptRecord;
  mailApproval: MailApprovalRecord;
  orderDomain: OrderDomainRecord;
  ca: CaRecord;
  key: KeyRecord;
  responder: ResponderRecord;
  crl: CrlRecord;
  crlPiece: CrlPieceRecord;
  idempotency: IdempotencyRecord;
  setting: SettingRecord;
}

export type TableName = keyof Tables;
export type VersionedTable = {
  [T in TableName]: Tables[T] extends { readonly version: number } ? T : never;
}[TableName];

/** New row. `version` starts at the value in the row (1 by convention). */
export type Insert = {
  [T in TableName]: { readonly op: 'insert'; readonly table: T; readonly row: Tables[T] };
}[TableName];

/** Compare-and-set: takes effect when the row still has `version`; the store raises the version by one. */
export type Update = {
  [T in VersionedTable]: {
    readonly op: 'update';
    readonly table: T;
    readonly id: number;
    readonly version: number;
    readonly set: Partial<Omit<Tables[T], 'id' | 'version'>>;
  };
}[VersionedTable];

export type Delete = {
  readonly op: 'delete';
  readonly table: TableName;
  readonly id: number;
};

export type Write = Insert | Update | Delete;

export interface JobDraft {
  readonly kind: string;
  /** At most one waiting job per key: a second draft with the key of a waiting job is dropped. */
  readonly key: string | null;
  readonly payload: JobRecord['payload'];
  readonly runAt: Instant;
}

/** Told to every process after the commit, so that caches forget. */
export type Invalidation =
  | { readonly kind: 'certificate'; readonly caId: number; readonly serial: string }
  | { readonly kind: 'credential'; readonly credentialId: number }
  | { readonly kind: 'token'; readonly accessHash: string }
  | { readonly kind: 'ca' | 'crl'; readonly caId: number }
  | { readonly kind: 'account'; readonly accountId: number }
  | { readonly kind: 'catalog' };

interface WriteSetParts {
  readonly writes: readonly Write[];
  readonly jobs?: readonly JobDraft[];
  readonly invalidate?: readonly Invalidation[];
}

/**
 * A change of state with its audit entries, or bookkeeping that changes no state an auditor would ask about
 * (idempotency claims, leases, expired rows).
 */
export type WriteSet =
  | (WriteSetParts & { readonly audit: NonEmpty<AuditDraft> })
  | (WriteSetParts & { readonly bookkeeping: string });

/**
 * `conflict`: an update or delete met another version or no row. `duplicate`: an insert met a unique value; `constraint`
 * names it (`order.number`, `certificate.serial`, `domain.name`, `idempotency.scope`, …).
 */
export type WriteRefusal =
  | { readonly kind: 'conflict'; readonly table: TableName; readonly id: number }
  | { readonly kind: 'duplicate'; readonly constraint: string };

export type WriteOutcome = { readonly ok: true } | { readonly ok: false; readonly error: WriteRefusal };

/** The store cannot be reached or cannot write (disk full, database gone). Nothing of the write set took effect, unless `unknown`. */
export class StoreUnavailableError extends Error {
  /** The commit was sent but its outcome is not known; the caller must read before it repeats. */
  readonly unknown: boolean;
  constructor(message: string, options: { readonly unknown: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'StoreUnavailableError';
    this.unknown = options.unknown;
  }
}

/** A cursor that no page of the list has given out; the store throws it before it reads anything. */
export class InvalidCursorError extends Error {
  constructor() {
    super('The cursor does not belong to this list');
    this.name = 'InvalidCursorError';
  }
}

/**
 * Page of a list in a total order; cursors are opaque, others are refused with {@link InvalidCursorError}.
 * `from: 'end'` starts at the last page.
 */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
  readonly from?: 'start' | 'end';
}

export interface Page<T> {
  readonly rows: readonly T[];
  readonly next: string | null;
  readonly previous: string | null;
}

export interface OffsetPage<T> {
  readonly rows: readonly T[];
  readonly total: number;
}

export interface DomainFilter {
  readonly accountId: number;
  readonly search?: string;
  readonly exact?: boolean;
  /** `expired`: active with validTill in the past. */
  readonly statuses?: readonly ('active' | 'inactive' | 'expired')[];
  readonly dcvStatuses?: readonly ('verified' | 'pending' | 'rejected')[];
  readonly methods?: readonly string[];
  readonly createdFrom?: Instant;
  /** Exclusive. */
  readonly createdBefore?: Instant;
  readonly organizationId?: number;
  readonly now: Instant;
  readonly sortBy: 'createdAt' | 'name' | 'verifiedAt' | 'validTill';
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface CertificateFilter {
  /** Null: every account (operator). */
  readonly accountId: number | null;
  /** The name itself or any name below it. */
  readonly domain?: string;
  readonly serial?: string;
  /** `expired`: notAfter has passed while `valid`. */
  readonly status?: 'valid' | 'hold' | 'revoked' | 'expired';
  readonly expiresFrom?: Instant;
  /** Exclusive. */
  readonly expiresBefore?: Instant;
  readonly now: Instant;
}

export interface AuditFilter {
  readonly accountId: number | null;
  readonly activity?: string;
  readonly objectType?: string;
  readonly objectId?: string;
  readonly from?: Instant;
  /** Exclusive. */
  readonly before?: Instant;
}

/** Row of a CRL, streamed. */
export interface RevokedEntry {
  /** Hex, two digits an octet, either case. */
  readonly serial: string;
  readonly revokedAt: Instant;
  readonly reason: string;
}

/** Row that an OCSP answer needs. */
export interface CertificateStatus {
  readonly certificateId: number;
  readonly state: CertificateState;
  readonly notAfter: Instant;
  readonly revokedAt: Instant | null;
  readonly revocationReason: string | null;
}

export interface Store {
  /** Next id for a row of any table: unique across processes, rising within one. */
  nextId(): Promise<number> | number;

  /**
   * Commits the write set, together with others that wait.
   * @throws StoreUnavailableError
   */
  write(set: WriteSet): Promise<WriteOutcome>;

  /** Is told of every invalidation committed by any process, this one included (there before `write` resolves). */
  onInvalidation(listener: (invalidation: Invalidation | { readonly kind: 'everything' }) => void): () => void;

  readonly accounts: {
    byId(id: number): Promise<AccountRecord | undefined>;
    byNumber(number: string): Promise<AccountRecord | undefined>;
    list(page: PageRequest): Promise<Page<AccountRecord>>;
    groups(accountId: number): Promise<readonly GroupRecord[]>;
    users(accountId: number): Promise<readonly UserRecord[]>;
    userById(id: number): Promise<UserRecord | undefined>;
    organizations(accountId: number): Promise<readonly OrganizationRecord[]>;
    organizationById(id: number): Promise<OrganizationRecord | undefined>;
    organizationByNumber(accountId: number, number: string): Promise<OrganizationRecord | undefined>;
    /** For operators: organization numbers are unique in the installation. */
    findOrganization(number: string): Promise<OrganizationRecord | undefined>;
  };

  readonly products: {
    /** The platform's products and the account's own, active and retired, by code. */
    forAccount(accountId: number): Promise<readonly ProductRecord[]>;
    byId(id: number): Promise<ProductRecord | undefined>;
  };

  readonly credentials: {
    byId(id: number): Promise<CredentialRecord | undefined>;
    ofAccount(accountId: number): Promise<readonly CredentialRecord[]>;
    tokenByAccessHash(hash: string): Promise<TokenRecord | undefined>;
    tokenByRefreshHash(hash: string): Promise<TokenRecord | undefined>;
    tokensOfFamily(familyId: number): Promise<readonly TokenRecord[]>;
    /** Live tokens of a credential. */
    liveTokens(credentialId: number): Promise<readonly TokenRecord[]>;
  };

  readonly orders: {
    byId(id: number): Promise<OrderRecord | undefined>;
    byNumber(number: string): Promise<OrderRecord | undefined>;
    byRequestNumber(accountId: number, requestNumber: string): Promise<OrderRecord | undefined>;
    subscription(id: number): Promise<SubscriptionRecord | undefined>;
    /** Ids of open orders that wait for the domain, oldest first, at most `limit` with id above `after`. */
    waitingForDomain(domainId: number, after: number, limit: number): Promise<readonly OrderDomainRecord[]>;
    domainLinks(orderId: number): Promise<readonly OrderDomainRecord[]>;
    /** Open orders of an organization that wait for its vetting. */
    waitingForOrganization(organizationId: number, after: number, limit: number): Promise<readonly number[]>;
    /** Newest first, for operators and lists. */
    list(
      filter: { readonly accountId: number | null; readonly phase?: OrderPhase; readonly family?: OrderFamily },
      page: PageRequest,
    ): Promise<Page<OrderRecord>>;
  };

  readonly domains: {
    byId(id: number): Promise<DomainRecord | undefined>;
    byIds(ids: readonly number[]): Promise<readonly DomainRecord[]>;
    byPublicId(accountId: number, publicId: string): Promise<DomainRecord | undefined>;
    /** All rows of the account with one of these names (a name may exist under two organizations). */
    byNames(accountId: number, names: readonly string[]): Promise<readonly DomainRecord[]>;
    /** Rows that inherit from the domain. */
    children(domainId: number, after: number, limit: number): Promise<readonly DomainRecord[]>;
    /** Rows below `name` (sub-domains) under the organization. */
    below(
      accountId: number,
      organizationId: number | null,
      name: string,
      after: number,
      limit: number,
    ): Promise<readonly DomainRecord[]>;
    list(filter: DomainFilter): Promise<OffsetPage<DomainRecord>>;
    /** Newest first. */
    attempts(domainId: number, offset: number, limit: number): Promise<OffsetPage<AttemptRecord>>;
    attempt(domainId: number, attemptId: number): Promise<AttemptRecord | undefined>;
    lastAttempt(domainId: number): Promise<AttemptRecord | undefined>;
    mailApprovalByToken(tokenHash: string): Promise<MailApprovalRecord | undefined>;
    mailApprovalsOf(domainId: number): Promise<readonly MailApprovalRecord[]>;
  };

  readonly certificates: {
    byId(id: number): Promise<CertificateRecord | undefined>;
    bySerial(caId: number, serial: string): Promise<CertificateRecord | undefined>;
    status(caId: number, serial: string): Promise<CertificateStatus | undefined>;
    search(filter: CertificateFilter, page: PageRequest): Promise<Page<CertificateRecord>>;
    /** Kept counters; `expired` is counted among `valid`. */
    count(accountId: number | null): Promise<Readonly<Record<CertificateState, number>>>;
    /** Prepared certificates whose lease ran out before `now`. */
    unfinished(now: Instant, limit: number): Promise<readonly CertificateRecord[]>;
  };

  readonly authorities: {
    list(): Promise<readonly CaRecord[]>;
    bySlug(slug: string): Promise<CaRecord | undefined>;
    byId(id: number): Promise<CaRecord | undefined>;
    key(id: number): Promise<KeyRecord | undefined>;
    /** Newest first. */
    responders(caId: number): Promise<readonly ResponderRecord[]>;
    /** The newest signed CRL of the partition (0 = full). */
    crl(caId: number, partition: number): Promise<CrlRecord | undefined>;
    /** DER of a signed CRL, put together from its pieces; undefined when they are gone, replaced by a newer CRL. */
    crlDer(crl: Pick<CrlRecord, 'id' | 'size'>): Promise<Uint8Array | undefined>;
    /** The newest CRL row of the partition, signed or not. */
    lastCrl(caId: number, partition: number): Promise<CrlRecord | undefined>;
    /**
     * What is older than the newest signed CRL and may be deleted: pieces, a bounded number at a time, and the rows of
     * CRLs that have no further piece.
     */
    staleCrls(
      caId: number,
      partition: number,
    ): Promise<{ readonly crls: readonly number[]; readonly pieces: readonly number[] }>;
  };

  /**
   * Revoked and held certificates of a CA for one partition (0 = all), as of the call, in slices; those whose notAfter
   * lies before `notExpiredBefore` are left out.
   */
  revoked(caId: number, partition: number, notExpiredBefore: Instant): AsyncIterable<readonly RevokedEntry[]>;

  readonly idempotency: {
    byScope(scope: string): Promise<IdempotencyRecord | undefined>;
  };

  readonly settings: {
    byName(name: string): Promise<SettingRecord | undefined>;
  };

  readonly audit: {
    search(filter: AuditFilter, page: PageRequest): Promise<Page<AuditRecord>>;
  };

  readonly jobs: {
    /** Takes up to `limit` due jobs of these kinds for `leaseMs`; no other process gets them meanwhile. */
    take(kinds: readonly string[], now: Instant, leaseMs: number, limit: number): Promise<readonly JobRecord[]>;
    /** Removes a finished job. */
    done(id: number): Promise<void>;
    /** Puts a failed job back. */
    retry(id: number, runAt: Instant, error: string): Promise<void>;
    /** When the next job of these kinds is due; undefined when none waits. */
    nextDue(kinds: readonly string[]): Promise<Instant | undefined>;
    list(page: PageRequest): Promise<Page<JobRecord>>;
  };

  /**
   * Named lease across processes (leader of a periodic task). True when this process holds it until `until`
   * (real time, not the sandbox's clock).
   */
  lease(name: string, holder: string, now: Instant, until: Instant): Promise<boolean>;

  /** Deletes expired tokens, proofs, idempotency records and mail approvals, in bounded slices; returns how many. */
  prune(now: Instant): Promise<number>;

  close(): Promise<void>;
}
