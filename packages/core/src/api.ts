/**
 * The use cases of Certwright. Faces translate their vocabulary to these calls and back; nothing else reaches the core.
 * Every call checks tenant and permission itself, answers with a value or a {@link DomainError}, and throws only for bugs
 * and for an unreachable store.
 */
import type { KeyAlgorithm, Result } from '@certwright/pki';
import type { DomainError } from './errors.ts';
import type { AuditFilter, CertificateFilter, OffsetPage, Page, PageRequest } from './ports/store.ts';
import type { Instant } from './ports/world.ts';
import type {
  AccountRecord,
  AttemptRecord,
  AuditRecord,
  CaRecord,
  CertificateRecord,
  CertificateState,
  Contact,
  CredentialRecord,
  CrlSettings,
  CustomFieldDefinition,
  DomainRecord,
  GroupRecord,
  IdempotencyRecord,
  OrderFamily,
  OrderPhase,
  OrderRecord,
  OrganizationRecord,
  PersonSubject,
  ProductRecord,
  RevocationReason,
  Role,
  StoredAnswer,
  SubscriptionRecord,
  ValidationMethod,
  VettedFor,
} from './records/index.ts';

export type Outcome<T> = Promise<Result<T, DomainError>>;

/** Who calls, through which face. Made by `credentials.authenticate` only. */
export interface Caller {
  readonly accountId: number;
  readonly accountNumber: string;
  readonly credentialId: number;
  readonly userId: number;
  readonly role: Role;
  /** Group the credential is bound to; null for the whole account. */
  readonly groupId: number | null;
  readonly tokenAuthType: 'oauth2' | 'legacy';
  readonly settings: AccountRecord['settings'];
}

/** Where a request came from; in every audit entry. */
export interface Origin {
  /** E.g. `rest-v2`, `manage`, `job`. */
  readonly channel: string;
  readonly requestId: string;
  readonly ip: string;
  /** What the order records as originator, e.g. `CERTInext API`. */
  readonly originator: string;
}

export interface CallContext {
  readonly caller: Caller;
  readonly origin: Origin;
}

/** An operator acts on the whole installation: CLI over the management socket, or an administrator's credential. */
export interface OperatorContext {
  readonly operator: string;
  readonly origin: Origin;
}

/** Stores the answer of a call under its Idempotency-Key in the transaction of its effect. */
export interface AnswerRecorder<T> {
  readonly claim: IdempotencyRecord;
  readonly render: (result: T) => StoredAnswer;
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: IdempotencyRecord }
  | { readonly kind: 'replay'; readonly answer: StoredAnswer };

export interface IdempotencyService {
  /**
   * Claims a key for 60 s, in a commit of its own. `scope` and `fingerprint` are hex SHA-256 made by the face.
   * Errors: `idempotency.inProgress` (with retryAfterMs), `idempotency.keyReused`.
   */
  claim(scope: string, fingerprint: string): Outcome<ClaimOutcome>;
  /** Frees a claim whose call ended without effect. */
  release(claim: IdempotencyRecord): Promise<void>;
}

// --- accounts, catalog -----------------------------------------------------------------------------------------

export interface AccountService {
  groups(
    ctx: CallContext,
  ): Outcome<{ readonly groups: readonly GroupRecord[]; readonly organizations: readonly OrganizationRecord[] }>;
  organizations(ctx: CallContext, groupNumber?: string): Outcome<readonly OrganizationRecord[]>;
  organization(
    ctx: CallContext,
    number: string,
  ): Outcome<{ readonly organization: OrganizationRecord; readonly domains: readonly string[] }>;
  /** Operator: makes an account with default group, administrator user. */
  create(
    ctx: OperatorContext,
    input: { readonly name: string; readonly administratorName: string; readonly administratorEmail: string },
  ): Outcome<{ readonly account: AccountRecord; readonly group: GroupRecord; readonly userId: number }>;
  list(ctx: OperatorContext, page: PageRequest): Outcome<Page<AccountRecord>>;
  createOrganization(
    ctx: OperatorContext,
    accountNumber: string,
    input: OrganizationInput,
  ): Outcome<OrganizationRecord>;
  /** Records the vetting result of an organization; orders that wait for it go on or are rejected. */
  vet(
    ctx: OperatorContext,
    organizationNumber: string,
    input: {
      readonly decision: 'validated' | 'rejected';
      readonly vettedFor: readonly VettedFor[];
      readonly preVettingToken: boolean;
      readonly reason: string;
    },
  ): Outcome<{ readonly organization: OrganizationRecord /** Shown once. */; readonly preVettingToken: string | null }>;
}

export interface OrganizationInput {
  readonly name: string;
  readonly street1: string;
  readonly street2: string;
  readonly locality: string;
  readonly stateName: string;
  readonly stateCode: string;
  readonly postalCode: string;
  readonly countryCode: string;
  readonly registrationNumber: string;
  readonly jurisdictionCountry: string;
  readonly businessCategory: OrganizationRecord['businessCategory'];
}

export interface CatalogService {
  products(
    ctx: CallContext,
    groupNumber?: string,
  ): Outcome<{ readonly currency: string; readonly products: readonly ProductRecord[] }>;
  customFields(ctx: CallContext, productCode: string, groupNumber?: string): Outcome<readonly CustomFieldDefinition[]>;
}

// --- credentials ----------------------------------------------------------------------------------------------

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

export interface CredentialService {
  /** OAuth client credentials: account number and OAuth secret. Errors `credential.invalid`, `credential.wrongMode`, `credential.locked`. */
  tokenByClientSecret(origin: Origin, accountNumber: string, secret: string): Outcome<TokenPair>;
  /** appCode and access key of the older description. */
  tokenByAccessKey(origin: Origin, accountNumber: string, accessKey: string): Outcome<TokenPair>;
  /** Signed key: `authKey` = hex SHA-256 of access key + ts + txn (contract v2 section 2.1). `signedAt` is `ts` parsed. */
  tokenBySignedKey(
    origin: Origin,
    input: {
      readonly accountNumber: string;
      readonly authKey: string;
      readonly ts: string;
      readonly signedAt: Instant;
      readonly txn: string;
    },
  ): Outcome<TokenPair>;
  /** Spends the refresh token; reuse revokes the family. Error `grant.invalid`. */
  refresh(origin: Origin, accountNumber: string, secret: string, refreshToken: string): Outcome<TokenPair>;
  /** Bearer token to caller. Error `token.invalid`. Cached; revocation takes effect at once here, within 1 s in other processes. */
  authenticate(accessToken: string): Outcome<Caller>;
  create(
    ctx: OperatorContext,
    input: {
      readonly accountNumber: string;
      readonly authType: CredentialRecord['authType'];
      readonly label: string;
      readonly groupNumber?: string;
    },
  ): Outcome<{ readonly credential: CredentialRecord /** Shown once. */; readonly secret: string }>;
  list(ctx: OperatorContext, accountNumber: string): Outcome<readonly CredentialRecord[]>;
  revoke(ctx: OperatorContext, credentialId: number): Outcome<CredentialRecord>;
}

// --- orders ---------------------------------------------------------------------------------------------------

interface OrderRequestCommon {
  /** From the product header; undefined: resolve from the body. */
  readonly productCode?: string;
  readonly groupNumber?: string;
  /** `requestId` of the body: a draft to promote, or the caller's correlation value. */
  readonly requestId?: string;
  readonly saveAsDraft: boolean;
  readonly requestor: Contact;
  readonly technicalContact: Contact | null;
  readonly delegation: { readonly name: string; readonly email: string } | null;
  readonly emailNotifications: 'all' | 'none' | readonly string[];
  readonly recipientEmails: readonly string[];
  readonly tags: readonly string[];
  readonly customFields: readonly { readonly fieldId: string; readonly value: string }[];
  readonly remarks: string;
  readonly subscription: { readonly years: number; readonly autoRenew: boolean; readonly renewBeforeDays: number };
  /** PEM or base64 as received. */
  readonly csr?: string;
  readonly attested: boolean;
  readonly agreement?: { readonly signerName: string; readonly signerPlace: string; readonly accepted: boolean };
}

export interface SslOrderRequest extends OrderRequestCommon {
  readonly family: 'ssl';
  /** As received, e.g. `dv` or `ov-wildcard-ucc`. */
  readonly variant: string;
  /** Names as received; parsed by the core. */
  readonly domain: string;
  readonly additionalDomains: readonly string[];
  /** Undefined: default (true, but false for a wildcard primary). */
  readonly autoSecureWww?: boolean;
  readonly organization?: { readonly number: string; readonly preVettingToken?: string };
}

export interface PrivatePkiOrderRequest extends OrderRequestCommon {
  readonly family: 'private-pki';
  readonly variant: string;
  readonly hostname: string;
  readonly additionalHosts: readonly string[];
  readonly caProfileId?: string;
  readonly masterProductId?: string;
}

export interface SignatureOrderRequest extends OrderRequestCommon {
  readonly family: 'signature';
  readonly subject: PersonSubject;
}

export type OrderRequest = SslOrderRequest | PrivatePkiOrderRequest | SignatureOrderRequest;

/** An order with all that faces show of it. */
export interface OrderView {
  readonly order: OrderRecord;
  readonly product: ProductRecord;
  readonly subscription: SubscriptionRecord;
  readonly certificate: CertificateRecord | null;
  /** The domains of a DCV requirement, in the order of the names. */
  readonly domains: readonly DomainRecord[];
  readonly organization: OrganizationRecord | null;
  readonly originalNumber: string | null;
  /** Now, by the core's clock: expiry is judged by it. */
  readonly phase: OrderPhase;
}

export interface CertificateFile {
  readonly order: OrderRecord;
  readonly certificate: CertificateRecord;
  readonly der: Uint8Array;
  /** Issuing CA first, root last. */
  readonly chain: readonly Uint8Array[];
}

export interface OrderService {
  /** Places an order, saves a draft, or promotes one. Meeting the last requirement issues at once. */
  create(ctx: CallContext, request: OrderRequest, recorder?: AnswerRecorder<OrderView>): Outcome<OrderView>;
  get(ctx: CallContext, family: OrderFamily, number: string): Outcome<OrderView>;
  cancelDraft(
    ctx: CallContext,
    family: OrderFamily,
    requestNumber: string,
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView>;
  submitCsr(
    ctx: CallContext,
    family: OrderFamily,
    number: string,
    input: { readonly csr: string; readonly attested: boolean },
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView>;
  acceptAgreement(
    ctx: CallContext,
    family: OrderFamily,
    number: string,
    input: { readonly signerName: string; readonly signerPlace: string; readonly accepted: boolean },
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView>;
  cancel(
    ctx: CallContext,
    family: OrderFamily,
    number: string,
    reason: string,
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView>;
  /** The subscriber withdraws with the word reject (contract v2 section 13). */
  reject(
    ctx: CallContext,
    family: OrderFamily,
    number: string,
    reason: string,
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView>;
  /** Records the download. Error `order.notIssued`. */
  download(ctx: CallContext, family: OrderFamily, number: string): Outcome<CertificateFile>;
  revoke(
    ctx: CallContext,
    family: OrderFamily,
    number: string,
    input: { readonly reason: RevocationReason; readonly note: string },
    recorder?: AnswerRecorder<OrderView>,
  ): Outcome<OrderView>;

  // operators
  find(ctx: OperatorContext, number: string): Outcome<OrderView>;
  list(
    ctx: OperatorContext,
    filter: { readonly accountNumber?: string; readonly phase?: OrderPhase; readonly family?: OrderFamily },
    page: PageRequest,
  ): Outcome<Page<OrderRecord>>;
  approve(ctx: OperatorContext, number: string): Outcome<OrderView>;
  refuse(ctx: OperatorContext, number: string, reason: string): Outcome<OrderView>;
}

// --- domains and validation ------------------------------------------------------------------------------------

export interface ChallengeView {
  readonly domain: DomainRecord;
  /** The name as the order or the register has it: a wildcard of an order keeps its `*.`, its row may not. */
  readonly name: string;
  readonly method: ValidationMethod;
  /** Undefined when the domain is verified. */
  readonly challenge?: import('./records/domains.ts').Challenge;
  /** dns: name of the record to publish. */
  readonly recordName: string | null;
  /** http-url: address of the file. */
  readonly url: string | null;
  /** email: who gets the mail. */
  readonly recipients: readonly string[];
}

export interface DomainView {
  readonly domain: DomainRecord;
  readonly organization: OrganizationRecord | null;
  readonly challenge: ChallengeView | null;
  /** Whether the name will be verified through an ancestor (contract v2 section 8.5). */
  readonly autoVerify: 'scheduled' | 'noEligibleAncestor' | 'ineligible';
}

export interface VerificationView {
  readonly domain: DomainRecord;
  readonly attempt: AttemptRecord | null;
}

export interface DomainQuery {
  readonly search?: string;
  readonly exact: boolean;
  readonly statuses?: readonly ('active' | 'inactive' | 'expired')[];
  readonly dcvStatuses?: readonly ('verified' | 'pending' | 'rejected')[];
  readonly methods?: readonly ValidationMethod[];
  readonly createdFrom?: Instant;
  readonly createdBefore?: Instant;
  /** Organization number or the opaque id of a domain row. */
  readonly organization?: string;
  readonly groupNumber?: string;
  readonly sortBy: 'createdAt' | 'name' | 'verifiedAt' | 'validTill';
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface DomainService {
  add(
    ctx: CallContext,
    input: {
      readonly name: string;
      readonly organizationNumber?: string;
      readonly method: ValidationMethod;
      readonly skipCaa: boolean;
    },
    recorder?: AnswerRecorder<DomainView>,
  ): Outcome<DomainView>;
  renew(
    ctx: CallContext,
    input: { readonly name: string; readonly organizationNumber?: string; readonly method: ValidationMethod },
    recorder?: AnswerRecorder<DomainView>,
  ): Outcome<DomainView>;
  get(ctx: CallContext, publicId: string): Outcome<DomainView>;
  list(ctx: CallContext, query: DomainQuery): Outcome<OffsetPage<DomainView>>;
  /** Makes the challenge on the first read and a new one after its expiry. */
  challenge(ctx: CallContext, publicId: string): Outcome<ChallengeView>;
  changeMethod(
    ctx: CallContext,
    publicId: string,
    method: ValidationMethod,
    recorder?: AnswerRecorder<ChallengeView>,
  ): Outcome<ChallengeView>;
  /** Error `dcv.*` carries the attempt in `diagnostics`. */
  verify(ctx: CallContext, publicId: string, recorder?: AnswerRecorder<VerificationView>): Outcome<VerificationView>;
  attempts(ctx: CallContext, publicId: string, offset: number, limit: number): Outcome<OffsetPage<AttemptRecord>>;
  attempt(
    ctx: CallContext,
    publicId: string,
    attemptId: number | 'last',
  ): Outcome<{ readonly attempt: AttemptRecord; readonly domain: DomainRecord }>;
  deactivate(ctx: CallContext, publicId: string, recorder?: AnswerRecorder<DomainView>): Outcome<DomainView>;

  /**
   * Challenges of an order: of `domain` (default the primary one) and of every name that still needs proof.
   * Email challenges are mailed by this call (again at most once a minute a recipient).
   * Errors: `dcv.nameNotOnOrder`, `dcv.methodRefused`, `dcv.alreadyVerified`, `order.wrongState`.
   */
  orderChallenges(
    ctx: CallContext,
    number: string,
    domain: string | undefined,
    method: ValidationMethod,
  ): Outcome<{
    readonly order: OrderRecord;
    readonly asked: ChallengeView;
    readonly pending: readonly ChallengeView[];
  }>;
  /** Checks one name of an order now; meeting the last requirement issues. */
  verifyForOrder(
    ctx: CallContext,
    number: string,
    input: { readonly domain: string; readonly method: ValidationMethod },
    recorder?: AnswerRecorder<VerificationView>,
  ): Outcome<VerificationView>;

  /** What the page behind a mailed link shows; changes nothing. Error `notFound`. */
  mailApproval(token: string): Outcome<{
    readonly domainName: string;
    readonly accountName: string;
    readonly recipient: string;
    readonly approved: boolean;
  }>;
  /** The recipient pressed the confirm button. */
  approveByMail(origin: Origin, token: string): Outcome<{ readonly domainName: string }>;
}

// --- certification authorities, status, inventory, audit ---------------------------------------------------------

export interface OcspAnswer {
  /** DER OCSPResponse. */
  readonly body: Uint8Array;
  /** Null for error answers and answers with a nonce: not cacheable. */
  readonly cache: { readonly thisUpdate: Instant; readonly nextUpdate: Instant; readonly etag: string } | null;
}

/** Counted since the start of the process. */
export interface OcspStatistics {
  /** Answers given out that were signed before. */
  readonly precomputed: number;
  /** Signatures made. */
  readonly signed: number;
  /** Error answers: malformed requests, certificates that do not exist. */
  readonly withoutAnswer: number;
  /** Certificates whose answers are kept now. */
  readonly kept: number;
}

export interface StatusService {
  /** Answers an OCSP request (DER) for the CA; undefined when there is no such CA. Never an error: malformed requests have their answer. */
  ocsp(caSlug: string, request: Uint8Array): Promise<OcspAnswer | undefined>;
  /** Newest CRL (partition 0 = full); made on the spot when none is on record yet. */
  crl(
    caSlug: string,
    partition: number,
  ): Promise<
    | { readonly der: Uint8Array; readonly thisUpdate: Instant; readonly nextUpdate: Instant; readonly number: number }
    | undefined
  >;
  /** CA certificate with its chain (nearest first). */
  authority(
    caSlug: string,
  ): Promise<{ readonly certificate: Uint8Array; readonly chain: readonly Uint8Array[] } | undefined>;
  /** Makes CRLs that are due: after a revocation, daily, before nextUpdate; returns how many. */
  publishDueCrls(): Promise<number>;
  /** Renews OCSP signer certificates that pass two thirds of their life. */
  renewResponders(): Promise<number>;
  statistics(): OcspStatistics;
}

export interface AuthorityService {
  list(ctx: OperatorContext): Outcome<readonly CaRecord[]>;
  /** Takes in an existing CA: certificate, key (PKCS#8 DER), chain. Error `ca.importRefused`. */
  import(
    ctx: OperatorContext,
    input: {
      readonly slug: string;
      readonly name: string;
      readonly certificate: string;
      readonly chain: string;
      readonly pkcs8: Uint8Array;
      readonly crl: CrlSettings;
    },
  ): Outcome<CaRecord>;
  /** First start: root and issuing CA, OCSP signers, platform products. Safe when several processes start at once. */
  bootstrap(
    input: BootstrapInput,
  ): Promise<{ readonly root: CaRecord; readonly issuing: CaRecord; readonly created: boolean }>;
}

export interface BootstrapInput {
  readonly name: string;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly crl: CrlSettings;
}

export interface CertificateService {
  search(ctx: OperatorContext, filter: CertificateFilter, page: PageRequest): Outcome<Page<CertificateRecord>>;
  count(ctx: OperatorContext): Outcome<Readonly<Record<CertificateState, number>>>;
  /** Finishes certificates that were recorded but not signed when a process died; returns how many. */
  resumeUnfinished(): Promise<number>;
}

export interface AuditService {
  search(ctx: OperatorContext, filter: AuditFilter, page: PageRequest): Outcome<Page<AuditRecord>>;
}

export interface Core {
  readonly accounts: AccountService;
  readonly catalog: CatalogService;
  readonly credentials: CredentialService;
  readonly orders: OrderService;
  readonly domains: DomainService;
  readonly status: StatusService;
  readonly authorities: AuthorityService;
  readonly certificates: CertificateService;
  readonly audit: AuditService;
  readonly idempotency: IdempotencyService;
  /** Runs due jobs until `stop` resolves what is in flight. */
  readonly jobs: {
    /** Kinds of jobs that are worked on here. */
    readonly kinds: readonly string[];
    start(): void;
    stop(): Promise<void> /** Runs everything that is due now (tests, sandbox clock). */;
    runDue(): Promise<number>;
  };
}
