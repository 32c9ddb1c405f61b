import { type IssueValue, parseIssueValue } from './issue-value.ts';

export interface CaaProperty {
  readonly critical: boolean;
  readonly tag: string;
  readonly value: string;
}

export interface CaaPolicy {
  readonly wildcard: boolean;
  /** Issuer domain names that stand for this CA. */
  readonly identities: readonly string[];
  /** Labels of the methods that prove or may prove the name (RFC 8657 section 4). */
  readonly methodLabels: readonly string[];
  /** URI of the account that asks (RFC 8657 section 3); null when no account does. */
  readonly accountUri: string | null;
}

export type CaaReason =
  | 'noRecords'
  | 'noRestriction'
  | 'authorized'
  | 'criticalTagUnknown'
  | 'notAuthorized'
  | 'accountNotAuthorized'
  | 'methodNotAuthorized'
  | 'lookupFailed'
  | 'notChecked';

/** Understood; those that say nothing about TLS certificates restrict nothing (RFC 8659, RFC 9495, TLS BR appendix A). */
const KNOWN_TAGS = new Set(['issue', 'issuewild', 'iodef', 'issuemail', 'issuevmc', 'contactemail', 'contactphone']);

const valuesOf = (parsed: IssueValue, tag: string): string[] =>
  parsed.parameters.filter((parameter) => parameter.tag === tag).map((parameter) => parameter.value);

/** Undefined when the parameters let this account and method issue. A parameter given twice fits nobody. */
function parameterRefusal(parsed: IssueValue, policy: CaaPolicy): CaaReason | undefined {
  const accounts = valuesOf(parsed, 'accounturi');
  if (accounts.length > 1 || (accounts.length === 1 && accounts[0] !== policy.accountUri)) {
    return 'accountNotAuthorized';
  }
  const methods = valuesOf(parsed, 'validationmethods');
  if (methods.length === 0) return undefined;
  const listed = methods.length === 1 ? (methods[0] ?? '').split(',') : [];
  return policy.methodLabels.some((label) => listed.includes(label)) ? undefined : 'methodNotAuthorized';
}

/** Judges a Relevant Resource Record Set that is not empty (RFC 8659 sections 4.1 to 4.3, RFC 8657). */
export function evaluateCaa(
  records: readonly CaaProperty[],
  policy: CaaPolicy,
): { readonly allowed: boolean; readonly reason: CaaReason } {
  const properties = records.map((record) => ({ ...record, tag: record.tag.toLowerCase() }));
  if (properties.some(({ critical, tag }) => critical && !KNOWN_TAGS.has(tag))) {
    return { allowed: false, reason: 'criticalTagUnknown' };
  }
  const issueWild = properties.filter(({ tag }) => tag === 'issuewild');
  const restricting =
    policy.wildcard && issueWild.length > 0 ? issueWild : properties.filter(({ tag }) => tag === 'issue');
  if (restricting.length === 0) return { allowed: true, reason: 'noRestriction' };

  const identities = new Set(policy.identities.map((identity) => identity.toLowerCase()));
  let reason: CaaReason = 'notAuthorized';
  for (const { value } of restricting) {
    const parsed = parseIssueValue(value);
    if (parsed === undefined || !identities.has(parsed.issuer)) continue;
    const refusal = parameterRefusal(parsed, policy);
    if (refusal === undefined) return { allowed: true, reason: 'authorized' };
    reason = refusal;
  }
  return { allowed: false, reason };
}
