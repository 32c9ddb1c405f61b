import type { IssuerContext, TbsCertificate } from '../certificate/index.ts';
import type { KeyError, PublicKeyInfo } from '../keys/index.ts';
import type { CertificateProfile } from '../profiles/index.ts';
import type { Result } from '../result.ts';

/** `error` stops issuance; `warn` is kept on record. */
export type LintSeverity = 'error' | 'warn';

export interface LintFinding {
  /** Stable name of the rule: `e_…` for errors, `w_…` for warnings. */
  readonly id: string;
  /** Standard and section the rule comes from. */
  readonly source: string;
  readonly severity: LintSeverity;
  readonly detail: string;
}

export interface LintOptions {
  readonly profile: CertificateProfile;
  readonly issuer: IssuerContext;
  /** Time of issuance, ms since the epoch. */
  readonly now: number;
}

/** The certificate under judgement, decoded once for all rules. */
export interface LintSubject extends LintOptions {
  readonly certificate: TbsCertificate;
  readonly key: Result<PublicKeyInfo, KeyError>;
}

/** One rule. `check` returns what is wrong, or undefined; it is not asked when `applies` is there and says no. */
export interface Lint {
  readonly id: string;
  readonly source: string;
  readonly severity: LintSeverity;
  readonly applies?: (subject: LintSubject) => boolean;
  readonly check: (subject: LintSubject) => string | undefined;
}

/** A rule whose breach stops issuance. */
export const error = (id: string, source: string, check: Lint['check'], applies?: Lint['applies']): Lint =>
  applies === undefined
    ? { id: `e_${id}`, source, severity: 'error', check }
    : { id: `e_${id}`, source, severity: 'error', check, applies };

/** A rule whose breach is only reported. */
export const warn = (id: string, source: string, check: Lint['check'], applies?: Lint['applies']): Lint =>
  applies === undefined
    ? { id: `w_${id}`, source, severity: 'warn', check }
    : { id: `w_${id}`, source, severity: 'warn', check, applies };

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export const isPublicTls = ({ profile }: LintSubject): boolean => profile.publicTlsSchedule;
export const isCaProfile = ({ profile }: LintSubject): boolean => profile.basicConstraints?.ca === true;
export const isRoot = ({ profile }: LintSubject): boolean => profile.kind === 'root';
