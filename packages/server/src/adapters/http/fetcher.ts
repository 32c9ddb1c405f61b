/** Fetches a proof of domain control over HTTP as the TLS BR 3.2.2.4.18 and 3.2.2.4.19 allow, without serving attackers. */
import { isIP, isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { DnsAnswer, HttpFetcher, HttpFetchLimits, HttpFetchOutcome, HttpHop, Resolver } from '@certwright/core';
import { createConcurrencyLimiter } from '../concurrency.ts';
import { isForbiddenAddress, isNetwork } from './address-filter.ts';
import { requestAddress } from './request.ts';
import { type HttpTarget, isRedirect, parseRedirect, parseTarget } from './target.ts';

const MAX_RUNNING = 64;
const MAX_WAITING = 1_024;
/** Addresses tried for one URL: one IPv6, then IPv4. */
const MAX_IPV4_ADDRESSES = 2;
const MAX_BODY_BYTES = 1 << 20;

/** Where to connect for a name, in place of DNS and the address filter. */
export interface ConnectOverride {
  readonly address: string;
  readonly httpPort: number;
  readonly tlsPort: number;
}

export interface HttpFetcherOptions {
  /** Answers for every name; the system's resolver is never asked. */
  readonly resolver: Resolver;
  /** CIDRs that may be reached although they are private or special. */
  readonly allowedNetworks?: readonly string[];
  readonly userAgent?: string;
  /** Consulted first, with the lower-case name; undefined means: by DNS. For the sandbox. */
  readonly connectOverride?: (name: string) => ConnectOverride | undefined;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

type Located =
  | { readonly kind: 'endpoints'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'refused' | 'failure'; readonly reason: Refusal['reason']; readonly detail: string };

type Refusal = Extract<HttpFetchOutcome, { kind: 'refused' | 'failure' }>;

/** Makes a fetcher. Throws when an allowed network is not a CIDR. */
export function createHttpFetcher(options: HttpFetcherOptions): HttpFetcher {
  const { resolver, allowedNetworks = [], userAgent = 'Certwright-DCV/1.0', connectOverride } = options;
  for (const text of allowedNetworks) if (!isNetwork(text)) throw new TypeError(`not a network: ${text}`);
  const limiter = createConcurrencyLimiter(MAX_RUNNING, MAX_WAITING);

  async function get(url: string, limits: HttpFetchLimits): Promise<HttpFetchOutcome> {
    const outcome = limiter.run(() => follow(url, limits));
    return outcome ?? { kind: 'failure', reason: 'timeout', detail: 'too many fetches at once', hops: [] };
  }

  async function follow(url: string, limits: HttpFetchLimits): Promise<HttpFetchOutcome> {
    const deadline = performance.now() + limits.timeoutMs;
    const hops: HttpHop[] = [];
    let next = parseTarget(url);
    for (let redirects = 0; ; redirects += 1) {
      if (next.kind === 'refused') return { ...next, hops };
      const { target } = next;
      const outcome = await request(target, limits, deadline, hops);
      if (outcome.kind !== 'response') return { ...outcome, hops };
      const { status, location, body, truncated } = outcome;
      if (!isFollowed(status, location)) {
        return { kind: 'response', status, body, truncated, finalUrl: target.url.href, hops };
      }
      if (redirects >= limits.maxRedirects) {
        return {
          kind: 'refused',
          reason: 'tooManyRedirects',
          detail: `more than ${limits.maxRedirects} redirects`,
          hops,
        };
      }
      next = parseRedirect(location, target.url);
    }
  }

  /** Requests one URL from the first of its addresses that accepts a connection, and notes each attempt in `hops`. */
  async function request(target: HttpTarget, limits: HttpFetchLimits, deadline: number, hops: HttpHop[]) {
    const located = await beforeDeadline(locate(target), deadline);
    if (located === undefined) return failure('timeout', 'the name was not resolved in time');
    if (located.kind !== 'endpoints') return located;
    const { endpoints } = located;
    for (const [index, { address, port }] of endpoints.entries()) {
      const remaining = deadline - performance.now();
      if (remaining <= 0) break;
      const outcome = await requestAddress({
        target,
        address,
        port,
        userAgent,
        maxBytes: Math.min(limits.maxBytes, MAX_BODY_BYTES),
        connectTimeoutMs: remaining / (endpoints.length - index),
        deadline,
        isBodySkipped: isFollowed,
      });
      const hop = { url: target.url.href, address };
      if (outcome.kind === 'response') {
        hops.push({ ...hop, status: outcome.status });
        return outcome;
      }
      hops.push(hop);
      const isLast = index === endpoints.length - 1;
      if (isLast || !outcome.isUnconnected) return failure(outcome.reason, outcome.detail);
    }
    return failure('timeout', 'no connection in time');
  }

  async function locate(target: HttpTarget): Promise<Located> {
    const override = connectOverride?.(target.host);
    if (override) {
      const { address, httpPort, tlsPort } = override;
      return { kind: 'endpoints', endpoints: [{ address, port: target.isTls ? tlsPort : httpPort }] };
    }
    const addresses = target.isAddress ? [target.host] : await resolveAddresses(target.host);
    if (!Array.isArray(addresses)) return addresses;
    const permitted = addresses.filter((address) => !isForbiddenAddress(address, allowedNetworks));
    if (permitted.length === 0) {
      const detail = `${target.host} leads to a private or special address: ${addresses.slice(0, 4).join(', ')}`;
      return { kind: 'refused', reason: 'addressForbidden', detail };
    }
    const ordered = [
      ...permitted.filter((address) => isIPv6(address)).slice(0, 1),
      ...permitted.filter((address) => !isIPv6(address)).slice(0, MAX_IPV4_ADDRESSES),
    ];
    return { kind: 'endpoints', endpoints: ordered.map((address) => ({ address, port: target.port })) };
  }

  /** At least one address, IPv6 before IPv4; one family that fails does not hide the other. */
  async function resolveAddresses(name: string): Promise<string[] | Refusal> {
    const answers = await Promise.all([resolver.resolve(name, 'AAAA'), resolver.resolve(name, 'A')]);
    const addresses = answers.flatMap(addressesOf);
    if (addresses.length > 0) return addresses;
    const failed = answers.find((answer) => answer.kind === 'failure');
    return failure('dns', failed ? `${failed.reason}: ${failed.detail}` : `${name} has no address`);
  }

  return { get };
}

function isFollowed(status: number, location: string | undefined): location is string {
  return isRedirect(status) && location !== undefined;
}

function addressesOf(answer: DnsAnswer): string[] {
  if (answer.kind !== 'records') return [];
  return answer.records.flatMap((record) =>
    (record.type === 'A' || record.type === 'AAAA') && isIP(record.address) ? [record.address] : [],
  );
}

function failure(reason: Refusal['reason'], detail: string): Refusal {
  return { kind: 'failure', reason, detail, hops: [] };
}

/** Undefined when the deadline comes first. */
async function beforeDeadline<T>(promise: Promise<T>, deadline: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, deadline - performance.now()));
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
