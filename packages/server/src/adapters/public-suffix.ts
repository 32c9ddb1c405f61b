/** The Public Suffix List (ICANN section), for names that no registrant can hold. */
import type { PublicSuffix } from '@certwright/core';
import { parse } from 'tldts';

/**
 * Judges a name in ASCII (A-labels, lower case, no trailing dot, no `*.`). A top-level domain that the list does not
 * know counts as a suffix of one label (the list's rule `*`), so reserved domains such as `test` work as well.
 */
export const publicSuffix: PublicSuffix = (name) => {
  const { publicSuffix: suffix, domain } = parse(name, {
    allowIcannDomains: true,
    // sites such as github.io belong to somebody who may prove control over them
    allowPrivateDomains: false,
    extractHostname: false,
    validateHostname: false,
  });
  return { isSuffix: suffix === name, registrable: domain };
};
