import { randomHex } from '../support.ts';
import type { MailedStrategy } from './strategy.ts';

/** TLS BR 3.2.2.4.4 names these local parts. */
const LOCAL_PARTS = ['admin', 'administrator', 'webmaster', 'hostmaster', 'postmaster'];

/**
 * Constructed e-mail to domain contact (TLS BR 3.2.2.4.4): whoever reads one of five mailboxes at the name presses a
 * button behind a link that carries a value of its own for each mail. The rules would let it prove wildcards; the
 * contract (v2 section 8.1) proves those by DNS only.
 */
export const email: MailedStrategy = {
  kind: 'mailed',
  method: 'email',
  offeredFor: ['orders'],
  provesWildcards: false,
  provesSubdomains: true,
  caaLabel: 'ca-email',

  mint: (random) => ({ token: randomHex(random, 16), fileName: null }),

  artefact: ({ name }) => ({
    recordNames: [],
    url: null,
    recipients: LOCAL_PARTS.map((localPart) => `${localPart}@${name}`),
  }),
};
