import { baseName, isWildcard, parseDnsName } from '@certwright/pki';
import type { PerspectiveFinding, ValidationMethod } from '../../records/index.ts';
import type { CoreDependencies } from '../../settings.ts';
import { excerpt, excerpts } from '../excerpt.ts';
import type { FailureClass } from '../failure-class.ts';
import { hasQuorum } from '../quorum.ts';
import { allStrategies, strategyOf } from '../strategies.ts';
import { type CaaPolicy, type CaaReason, evaluateCaa } from './evaluate.ts';
import { type CaaSet, createCaaTree } from './tree.ts';

export interface CaaQuestion {
  /** As the certificate shall carry it: `*.` kept. */
  readonly name: string;
  /** What proved the name; null while nothing did: then any method that could is good enough. */
  readonly method: ValidationMethod | null;
  readonly accountUri: string | null;
}

export interface CaaVerdict {
  readonly allowed: boolean;
  readonly reason: CaaReason;
  /** Name at which records were found or a lookup failed; empty when there are none. */
  readonly at: string;
  /** Records as in a zone file, e.g. `0 issue "ca.example"`. */
  readonly found: readonly string[];
  readonly findings: readonly PerspectiveFinding[];
}

export interface CaaChecker {
  /** Whether Certification Authority Authorization lets this CA issue for the name. Never rejects. */
  check(question: CaaQuestion): Promise<CaaVerdict>;
}

interface View extends Omit<CaaVerdict, 'findings'> {
  readonly finding: PerspectiveFinding;
}

function judge(set: CaaSet, policy: CaaPolicy): Omit<View, 'finding'> & { readonly detail: string } {
  switch (set.kind) {
    case 'none':
      return { allowed: true, reason: 'noRecords', at: '', found: [], detail: '' };
    case 'failure':
      return { allowed: false, reason: 'lookupFailed', at: set.at, found: [], detail: excerpt(set.detail) };
    case 'records': {
      const found = excerpts(set.records.map(({ critical, tag, value }) => `${critical ? 128 : 0} ${tag} "${value}"`));
      return { ...evaluateCaa(set.records, policy), at: set.at, found, detail: '' };
    }
  }
}

function failureClass(set: CaaSet, allowed: boolean): FailureClass | null {
  if (allowed) return null;
  if (set.kind !== 'failure') return 'CAA_FORBIDS';
  return set.timeout ? 'DNS_TIMEOUT' : 'DNS_SERVFAIL';
}

/**
 * Checks CAA (RFC 8659 with RFC 8657, TLS BR 3.2.2.8) from every perspective; they must corroborate as for domain
 * control (TLS BR 3.2.2.9). A lookup that fails forbids. In validation mode `accept` nobody is asked.
 */
export function createCaaChecker(deps: Pick<CoreDependencies, 'perspectives' | 'clock' | 'settings'>): CaaChecker {
  const { settings } = deps;
  const eyes = deps.perspectives.map((perspective) => ({
    perspective,
    tree: createCaaTree(perspective.resolver, deps.clock),
  }));

  function policyFor(question: CaaQuestion, wildcard: boolean): CaaPolicy {
    const strategies = allStrategies().filter((strategy) => !wildcard || strategy.provesWildcards);
    const proven = question.method === null ? undefined : strategyOf(question.method);
    return {
      wildcard,
      identities: settings.caaIdentities,
      methodLabels: (proven === undefined ? strategies : [proven]).map((strategy) => strategy.caaLabel),
      accountUri: question.accountUri,
    };
  }

  return {
    async check(question) {
      const nothing = { at: '', found: [], findings: [] };
      if (settings.validationMode() === 'accept') return { allowed: true, reason: 'notChecked', ...nothing };
      const parsed = parseDnsName(question.name);
      if (!parsed.ok) return { allowed: false, reason: 'lookupFailed', ...nothing, at: excerpt(question.name) };
      const base = baseName(parsed.value);
      const policy = policyFor(question, isWildcard(parsed.value));
      const views = await Promise.all(
        eyes.map(async ({ perspective, tree }): Promise<View> => {
          const set = await tree.find(base);
          const { detail, ...verdict } = judge(set, policy);
          return {
            ...verdict,
            finding: {
              perspective: perspective.name,
              region: perspective.region,
              resolver: set.server,
              ok: verdict.allowed,
              failureClass: failureClass(set, verdict.allowed),
              asked: set.asked.slice(0, 16),
              found: verdict.found,
              errorMessage: detail === '' && !verdict.allowed ? verdict.reason : detail,
            },
          };
        }),
      );
      const findings = views.map((view) => view.finding);
      const allowed = hasQuorum(findings);
      // the view that decided: the primary one, unless remote ones outvoted it
      const [primary] = views;
      const decisive = primary?.allowed === allowed ? primary : views.find((view) => view.allowed === allowed);
      if (decisive === undefined) return { allowed: false, reason: 'lookupFailed', ...nothing };
      const { reason, at, found } = decisive;
      return { allowed, reason, at, found, findings };
    },
  };
}
