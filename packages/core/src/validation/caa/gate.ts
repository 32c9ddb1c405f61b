import { fail, ok } from '@certwright/pki';
import { type Actor, auditEntry } from '../../audit/draft.ts';
import { type DomainError, domainError } from '../../errors.ts';
import type { CaaGate } from '../../orders/ports.ts';
import type { AttemptRecord, ValidationMethod } from '../../records/index.ts';
import type { CoreDependencies } from '../../settings.ts';
import { unreachable } from '../../util.ts';
import type { CaaChecker, CaaVerdict } from './checker.ts';

/** Names whose records are looked up at the same time. */
const CONCURRENCY = 16;

/** URI that names an account in a CAA `accounturi` parameter. */
export const accountUri = (publicUrl: string, accountNumber: string): string =>
  `${publicUrl}/accounts/${accountNumber}`;

/** Why issuance is forbidden, and what the holder of the zone can do about it. */
export function caaDetail(name: string, verdict: CaaVerdict, identity: string): string {
  const records = `CAA records at ${verdict.at}`;
  switch (verdict.reason) {
    case 'lookupFailed':
      return `CAA records of ${name} could not be looked up (${verdict.at}); issuance is forbidden until they can`;
    case 'criticalTagUnknown':
      return `${records} forbid issuance for ${name}: a critical property is unknown to this CA`;
    case 'accountNotAuthorized':
      return `${records} authorize this CA for ${name}, but for another account (accounturi)`;
    case 'methodNotAuthorized':
      return `${records} authorize this CA for ${name}, but not with this validation method (validationmethods)`;
    case 'notAuthorized':
      return `${records} forbid issuance for ${name}; add 0 issue "${identity}" to allow it`;
    case 'noRecords':
    case 'noRestriction':
    case 'authorized':
    case 'notChecked':
      // some perspectives saw something else
      return `CAA records of ${name} are not seen alike from all perspectives`;
    default:
      return unreachable(verdict.reason);
  }
}

/** A verdict in the shape of a validation attempt, for diagnostics; nothing is on record under its ids. */
export function caaDiagnostics(
  accountId: number,
  verdict: CaaVerdict,
  method: ValidationMethod,
  at: number,
): AttemptRecord {
  const decisive = verdict.findings.find((finding) => !finding.ok);
  return {
    id: 0,
    accountId,
    domainId: 0,
    method,
    outcome: verdict.allowed ? 'verified' : 'failed',
    failureClass: verdict.allowed ? null : (decisive?.failureClass ?? 'CAA_FORBIDS'),
    diagnostics: {
      tokenIsStale: false,
      expected: { recordNames: verdict.findings[0]?.asked ?? [], value: '', url: null },
      findings: verdict.findings,
    },
    at,
  };
}

/** Asks CAA for all names of an order. Every asking leaves one audit entry, in the write set of what it decided. */
export function createCaaGate(
  deps: Pick<CoreDependencies, 'store' | 'clock' | 'settings'>,
  checker: CaaChecker,
): CaaGate {
  const { store, clock, settings } = deps;

  async function uriOf(actor: Actor, accountId: number): Promise<string | null> {
    if ('caller' in actor && actor.caller.accountId === accountId) {
      return accountUri(settings.publicUrl, actor.caller.accountNumber);
    }
    const account = await store.accounts.byId(accountId);
    return account === undefined ? null : accountUri(settings.publicUrl, account.number);
  }

  return {
    async permit(actor, names, accountId) {
      const uri = await uriOf(actor, accountId);
      const checked: { readonly name: string; readonly verdict: CaaVerdict }[] = [];
      for (let start = 0; start < names.length; start += CONCURRENCY) {
        const slice = names.slice(start, start + CONCURRENCY);
        const verdicts = await Promise.all(
          slice.map(async ({ name, method }) => ({
            name,
            verdict: await checker.check({ name, method, accountUri: uri }),
          })),
        );
        const refused = verdicts.find(({ verdict }) => !verdict.allowed);
        if (refused !== undefined) return fail(refusal(refused.name, refused.verdict, accountId));
        checked.push(...verdicts);
      }
      const [first] = checked;
      if (first === undefined) return ok({ audit: [] });
      const entry = auditEntry(actor, clock.now(), {
        activity: 'caa.checked',
        objectType: 'name',
        objectId: first.name,
        accountId,
        details: {
          names: checked.map(({ name, verdict }) => ({
            name,
            reason: verdict.reason,
            at: verdict.at,
            found: verdict.found,
          })),
        },
      });
      return ok({ audit: [entry] });
    },
  };

  function refusal(name: string, verdict: CaaVerdict, accountId: number): DomainError {
    return domainError('caa.forbids', caaDetail(name, verdict, settings.caaIdentities[0] ?? ''), {
      diagnostics: caaDiagnostics(accountId, verdict, 'dns-txt', clock.now()),
    });
  }
}
