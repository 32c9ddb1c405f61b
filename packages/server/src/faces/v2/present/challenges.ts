/** What an applicant has to publish, for orders and for the domain register (contract section 8.2). */
import type { Challenge, ChallengeView } from '@certwright/core';
import type { Static } from 'typebox';
import { optional } from '../operation.ts';
import type { DomainDcv } from '../schemas/domains.ts';
import type { OrderDcvChallenge, OrderDcvChallengeEntry } from '../schemas/orders.ts';
import { legacyTime, rfc3339 } from '../time-format.ts';
import { VALIDATION_DIRECTORY } from './diagnostics.ts';

type Entry = Static<typeof OrderDcvChallengeEntry>;

function artefact(view: ChallengeView, challenge: Challenge) {
  switch (view.method) {
    case 'http-url':
      return { ...optional('fileName', challenge.fileName ?? undefined), fileToken: challenge.token };
    case 'email':
      // the value travels in the mail only: who reads it proves control
      return { emailAddresses: [...view.recipients] };
    default:
      return { txtToken: challenge.token };
  }
}

function instructionsOf({ method, recordName, url, recipients, name }: ChallengeView): string {
  switch (method) {
    case 'http-url':
      return `Publish the token as the whole content of ${url ?? ''}, then call verify.`;
    case 'email':
      return `A mail went to ${recipients.join(', ')}; one of them has to confirm it.`;
    default:
      return `Publish the value as a TXT record at ${recordName ?? name}, then call verify.`;
  }
}

function entry(view: ChallengeView): Entry {
  const { name, challenge, method, recordName, url } = view;
  if (challenge === undefined) return { domain: name, method };
  return {
    domain: name,
    method,
    ...artefact(view, challenge),
    ...optional('dnsHost', recordName ?? undefined),
    ...optional('host', recordName ?? url ?? undefined),
    tokenExpiry: rfc3339(challenge.expiresAt),
  };
}

/**
 * The superset of the shapes that clients read, for the name asked for. `pending` are all names that still need proof,
 * `otherWays` further methods for the same name.
 */
export function orderChallenge(
  orderNumber: string,
  asked: ChallengeView,
  challenge: Challenge,
  pending: readonly ChallengeView[],
  otherWays: readonly ChallengeView[],
): Static<typeof OrderDcvChallenge> {
  const flat = entry(asked);
  return {
    ...flat,
    orderNumber,
    domainName: asked.name,
    dcvMethod: asked.method,
    ...optional('fileNameContent', flat.txtToken),
    ...optional('dvFileName', flat.fileName),
    ...optional('dvFileToken', flat.fileToken),
    token: flat.txtToken ?? flat.fileToken ?? '',
    tokenExpiry: rfc3339(challenge.expiresAt),
    tokenExpiryDate: legacyTime(challenge.expiresAt),
    instructions: instructionsOf(asked),
    challenges: pending.map(entry),
    methods: Object.fromEntries([asked, ...otherWays].map((way) => [way.method, entry(way)])),
  };
}

/** The challenge of a domain; only the method once the domain is verified. */
export function domainDcv(view: ChallengeView): Static<typeof DomainDcv> {
  const { method, challenge } = view;
  if (challenge === undefined) return { method };
  return {
    method,
    ...(method === 'http-url'
      ? {
          fileToken: challenge.token,
          ...optional(
            'fileName',
            challenge.fileName === null ? undefined : `${VALIDATION_DIRECTORY}/${challenge.fileName}`,
          ),
        }
      : method === 'email'
        ? {}
        : { txtToken: challenge.token }),
    tokenExpiry: rfc3339(challenge.expiresAt),
    instructions: instructionsOf(view),
  };
}
