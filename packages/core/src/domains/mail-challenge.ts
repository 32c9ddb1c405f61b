/** Validation mails: who gets one, what it says, and when it is sent (TLS BR 3.2.2.4.4). */
import { auditEntry, systemContext } from '../audit/draft.ts';
import type { JobHandler } from '../jobs/runner.ts';
import type { Mail } from '../ports/network.ts';
import type { JobDraft, Write } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { Challenge, DomainRecord, MailApprovalRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { randomHex, randomToken } from '../support.ts';
import { liveChallenge } from './challenges.ts';

export const MAIL_JOB = 'mail.dcv';
/** One mail to a recipient in this time, and so many for one challenge. */
const INTERVAL_MS = 60_000;
const MAX_MAILS = 12;
/** 144 random bits; the TLS BR ask for 112. */
const TOKEN_BYTES = 18;
const TOKEN = /^[\w-]{24}$/;

/** Keyed-hash context of the tokens in mailed links. */
const CONTEXT = 'dcv-mail';

/** What the record keeps of a token from a link; undefined for text that never was one. */
export const mailTokenHash = (deps: Pick<CoreDependencies, 'secrets'>, token: string): string | undefined =>
  TOKEN.test(token) ? deps.secrets.keyedHash(token, CONTEXT) : undefined;

export interface MailPlan {
  readonly recipients: readonly string[];
  readonly writes: readonly Write[];
  readonly jobs: readonly JobDraft[];
}

/** Mails to send for a challenge now: to each recipient who did not just get one. Tokens are drawn when a mail is sent. */
export async function planMails(
  deps: Pick<CoreDependencies, 'store' | 'random'>,
  domain: DomainRecord,
  challenge: Challenge,
  recipients: readonly string[],
  now: Instant,
): Promise<MailPlan> {
  const earlier = await deps.store.domains.mailApprovalsOf(domain.id);
  const due = recipients.filter((recipient) => {
    const mails = earlier.filter((mail) => mail.recipient === recipient);
    const hasRecent = mails.some((mail) => mail.requestedAt <= now && now - mail.requestedAt < INTERVAL_MS);
    return !hasRecent && mails.filter((mail) => mail.challengeToken === challenge.token).length < MAX_MAILS;
  });
  const writes: Write[] = [];
  const jobs: JobDraft[] = [];
  for (const recipient of due) {
    const row: MailApprovalRecord = {
      id: await deps.store.nextId(),
      // stands for no token until one is drawn
      tokenHash: randomHex(deps.random, 32),
      accountId: domain.accountId,
      domainId: domain.id,
      recipient,
      challengeToken: challenge.token,
      requestedAt: now,
      expiresAt: challenge.expiresAt,
      approvedAt: null,
      version: 1,
    };
    writes.push({ op: 'insert', table: 'mailApproval', row });
    jobs.push({
      kind: MAIL_JOB,
      key: `${MAIL_JOB}:${row.id}`,
      payload: { approvalId: row.id, domainId: domain.id },
      runAt: now,
    });
  }
  return { recipients: due, writes, jobs };
}

function compose(domain: DomainRecord, approval: MailApprovalRecord, accountName: string, link: string): Mail {
  const account = accountName.replace(/[\p{C}\p{Z}]+/gu, ' ').slice(0, 100);
  const until = new Date(approval.expiresAt).toISOString().slice(0, 16).replace('T', ' ');
  return {
    to: approval.recipient,
    subject: `Confirm control of ${domain.name}`,
    text: [
      `The account "${account}" asks for a TLS certificate for ${domain.name}.`,
      '',
      'If you are responsible for this domain and agree, open the page below and press the confirm button:',
      '',
      link,
      '',
      `The link works once, until ${until} UTC.`,
      'If you know nothing of this request, do nothing: no certificate is issued without your confirmation.',
      '',
    ].join('\n'),
  };
}

/**
 * Sends one planned mail. The token is drawn here, so that it is nowhere on record but in the mail; a repeated run draws
 * another and voids the former.
 */
export function createMailJob(deps: CoreDependencies): JobHandler {
  const { store, clock, random, secrets, mailer, settings } = deps;
  return async ({ approvalId, domainId }) => {
    if (typeof approvalId !== 'number' || typeof domainId !== 'number') return;
    const [approvals, domain] = await Promise.all([
      store.domains.mailApprovalsOf(domainId),
      store.domains.byId(domainId),
    ]);
    const approval = approvals.find((one) => one.id === approvalId);
    if (approval === undefined || domain === undefined || approval.approvedAt !== null) return;
    if (liveChallenge(domain, 'email', clock.now())?.token !== approval.challengeToken) return;

    const token = randomToken(random, TOKEN_BYTES);
    const outcome = await store.write({
      bookkeeping: MAIL_JOB,
      writes: [
        {
          op: 'update',
          table: 'mailApproval',
          id: approval.id,
          version: approval.version,
          set: { tokenHash: secrets.keyedHash(token, CONTEXT) },
        },
      ],
    });
    if (!outcome.ok) throw new Error('the mail is being handled by another process');
    const account = await store.accounts.byId(approval.accountId);
    const mail = compose(domain, approval, account?.name ?? '', `${settings.publicUrl}/validation/mail/${token}`);
    const note = async (activity: 'notification.sent' | 'notification.failed') => {
      await store.write({
        writes: [],
        audit: [
          auditEntry(systemContext('mail'), clock.now(), {
            activity,
            objectType: 'domain',
            objectId: domain.publicId,
            accountId: domain.accountId,
            outcome: activity === 'notification.sent' ? 'success' : 'failure',
            details: { name: domain.name, purpose: 'domain validation', recipient: approval.recipient },
          }),
        ],
      });
    };
    try {
      await mailer.send(mail);
    } catch (error) {
      await note('notification.failed');
      throw error;
    }
    await note('notification.sent');
  };
}
