/** What one response says about a name: records, nothing, or a CNAME to go on with (RFC 1034 section 3.6.2, RFC 2308). */
import type { DnsFailureReason, DnsRecord, DnsRecordType } from '@certwright/core';
import type { DnsResponse } from './message.ts';

const RCODE_NXDOMAIN = 3;

export type AnswerStep =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly ttl: number }
  | { readonly kind: 'none'; readonly nxdomain: boolean; readonly ttl: number }
  /** The server did not follow the CNAME to its end; the last name of the path has to be asked for. */
  | { readonly kind: 'followUp'; readonly ttl: number }
  | { readonly kind: 'failure'; readonly reason: DnsFailureReason; readonly detail: string };

/**
 * Reads a NOERROR or NXDOMAIN response. `path` holds the names passed so far, ends with the one asked for, and is
 * extended by the CNAMEs of this response; one longer than `maxCnames` links or with a repeated name is a loop.
 */
export function readAnswer(response: DnsResponse, type: DnsRecordType, path: string[], maxCnames: number): AnswerStep {
  let current = path.at(-1) ?? '';
  let ttl = Number.POSITIVE_INFINITY;
  let hasFollowed = false;
  for (;;) {
    const found = response.answers.filter(({ record }) => record.type === type && record.name === current);
    if (found.length > 0) {
      return {
        kind: 'records',
        records: found.map(({ record }) => record),
        ttl: Math.min(ttl, ...found.map((timed) => timed.ttl)),
      };
    }
    const alias = response.answers.find(({ record }) => record.type === 'CNAME' && record.name === current);
    if (alias?.record.type !== 'CNAME') break;
    const { target } = alias.record;
    if (path.includes(target)) return { kind: 'failure', reason: 'cnameLoop', detail: `${target} leads to itself` };
    if (path.length > maxCnames) {
      return { kind: 'failure', reason: 'cnameLoop', detail: `more than ${maxCnames} CNAMEs in a row` };
    }
    path.push(target);
    current = target;
    ttl = Math.min(ttl, alias.ttl);
    hasFollowed = true;
  }

  const soa = response.authorities.find(({ record }) => record.type === 'SOA' && isWithin(current, record.name));
  const negativeTtl = soa?.record.type === 'SOA' ? Math.min(soa.ttl, soa.record.minimum) : 0;
  if (response.rcode === RCODE_NXDOMAIN) return { kind: 'none', nxdomain: true, ttl: Math.min(ttl, negativeTtl) };
  if (soa) return { kind: 'none', nxdomain: false, ttl: Math.min(ttl, negativeTtl) };
  if (hasFollowed) return { kind: 'followUp', ttl };
  // A referral says where to ask, not that there is nothing; taking it for "none" would skip CAA.
  const isReferral =
    !response.isAuthoritative &&
    !response.isRecursionAvailable &&
    response.authorities.some(({ record }) => record.type === 'NS');
  if (isReferral) return { kind: 'failure', reason: 'refused', detail: 'the server only refers to other servers' };
  return { kind: 'none', nxdomain: false, ttl: 0 };
}

function isWithin(name: string, zone: string): boolean {
  return zone === '' || name === zone || name.endsWith(`.${zone}`);
}
