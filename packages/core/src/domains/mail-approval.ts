/** The page behind a mailed link: looking changes nothing, pressing the button proves the domain. */
import { fail, ok } from '@certwright/pki';
import type { DomainService } from '../api.ts';
import { type Actor, auditEntry } from '../audit/draft.ts';
import { domainError } from '../errors.ts';
import type { DomainRecord, MailApprovalRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { email } from '../validation/email.ts';
import { liveChallenge } from './challenges.ts';
import { mailTokenHash } from './mail-challenge.ts';
import type { ProofReading, Verifier } from './verification.ts';

interface Approvable {
  readonly approval: MailApprovalRecord;
  readonly domain: DomainRecord;
}

export function createMailApproval(
  deps: CoreDependencies,
  verifier: Pick<Verifier, 'record'>,
): Pick<DomainService, 'mailApproval' | 'approveByMail'> {
  const { store, clock } = deps;

  const unknownLink = () =>
    domainError('notFound', 'The link is unknown, was replaced or has run out; ask for a new mail');

  /** The approval of a link that was used, or that can be: its challenge must still be the live one. */
  async function find(token: string): Promise<Approvable | undefined> {
    const hash = mailTokenHash(deps, token);
    const approval = hash === undefined ? undefined : await store.domains.mailApprovalByToken(hash);
    if (approval === undefined || approval.expiresAt <= clock.now()) return undefined;
    const domain = await store.domains.byId(approval.domainId);
    if (domain === undefined) return undefined;
    if (approval.approvedAt !== null) return { approval, domain };
    const challenge = liveChallenge(domain, 'email', clock.now());
    return domain.status === 'active' && challenge?.token === approval.challengeToken
      ? { approval, domain }
      : undefined;
  }

  return {
    async mailApproval(token) {
      const found = await find(token);
      if (found === undefined) return fail(unknownLink());
      const { approval, domain } = found;
      const account = await store.accounts.byId(approval.accountId);
      return ok({
        domainName: domain.name,
        accountName: account?.name ?? '',
        recipient: approval.recipient,
        approved: approval.approvedAt !== null,
      });
    },

    async approveByMail(origin, token) {
      const actor: Actor = { system: 'mail-recipient', origin };
      const read = async (): Promise<ProofReading<{ readonly domainName: string }>> => {
        const found = await find(token);
        if (found === undefined) return { kind: 'refused', error: unknownLink() };
        const { approval, domain } = found;
        const value = { domainName: domain.name };
        // pressed twice: the first time counted
        if (approval.approvedAt !== null) return { kind: 'decided', decided: { value, change: null } };
        const now = clock.now();
        return {
          kind: 'proof',
          domain,
          proof: {
            strategy: email,
            challenge: liveChallenge(domain, 'email', now),
            observation: { outcome: 'verified', failureClass: null, findings: [] },
          },
          also: {
            writes: [
              {
                op: 'update',
                table: 'mailApproval',
                id: approval.id,
                version: approval.version,
                set: { approvedAt: now },
              },
            ],
            audit: [
              auditEntry(actor, now, {
                activity: 'dcv.mailApproved',
                objectType: 'domain',
                objectId: domain.publicId,
                accountId: domain.accountId,
                details: { name: domain.name, recipient: approval.recipient },
              }),
            ],
          },
          value: () => value,
        };
      };
      return verifier.record(actor, read);
    },
  };
}
