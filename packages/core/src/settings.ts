import type { KeyPolicy } from '@certwright/pki';
import type { Mailer, Perspective } from './ports/network.ts';
import type { Store } from './ports/store.ts';
import type { Clock, KeyVault, Random, SecretBox, SignatureVerifier } from './ports/world.ts';

/** What an operator configures about the core. */
export interface CoreSettings {
  /** Base of links in mails, e.g. `https://ca.example:8440`; no trailing slash. */
  readonly publicUrl: string;
  /** Base of OCSP, CRL and CA certificate URLs in certificates; plain http. */
  readonly publicHttpUrl: string;
  /** Domain names that CAA records may authorize, first the one shown in hints. */
  readonly caaIdentities: readonly string[];
  /** `accept` meets every challenge without asking the network; sandbox and benchmarks only. */
  readonly validationMode: () => 'real' | 'accept';
  /** How long a verified domain may be reused, in days. */
  readonly domainReuseDays: number;
  readonly ocspLifetimeMs: number;
  /** Resident bound of kept OCSP answers, in entries. */
  readonly ocspCacheEntries: number;
  /** Lists of keys that are never certified. */
  readonly keyChecks: Pick<KeyPolicy, 'blocked' | 'debianWeak'>;
  /** Orders are taken for any `caProfileId` and `masterProductId` (sandbox). */
  readonly acceptAnyCaProfile: boolean;
}

export interface CoreLog {
  info(event: string, fields: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields: Readonly<Record<string, unknown>>): void;
  error(event: string, fields: Readonly<Record<string, unknown>>, error?: unknown): void;
}

/** `isSuffix`: the name is a registry's own; `registrable`: suffix and one label, null when the name has none. */
export type PublicSuffix = (name: string) => { readonly isSuffix: boolean; readonly registrable: string | null };

/** Everything outside that the core is given. */
export interface CoreDependencies {
  readonly store: Store;
  /** Time of the domain: what the sandbox can move. */
  readonly clock: Clock;
  /** Real time: tokens, leases, request signatures. The same as `clock` outside the sandbox. */
  readonly wallClock: Clock;
  readonly random: Random;
  readonly vault: KeyVault;
  /** Where signatures of CSRs are checked; by default on the calling thread or its pool. */
  readonly verifier?: SignatureVerifier;
  readonly secrets: SecretBox;
  /** At least one; the first is the primary. */
  readonly perspectives: readonly [Perspective, ...Perspective[]];
  readonly mailer: Mailer;
  /** Where registrations begin: the ICANN part of the Public Suffix List, for a name in ASCII without `*.`. */
  readonly publicSuffix: PublicSuffix;
  readonly settings: CoreSettings;
  readonly log: CoreLog;
}
