/** Stub resolver of the validation authority: asks configured recursive (or sandbox) servers, trusts nothing it did not ask. */
import { getServers } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { DnsAnswer, DnsRecordType, Resolver } from '@certwright/core';
import { createConcurrencyLimiter } from '../concurrency.ts';
import { readAnswer } from './answer.ts';
import { type DnsServerAddress, type ExchangeOutcome, exchange } from './exchange.ts';
import { createQuestion, type DnsResponse, foldName } from './message.ts';

export type { DnsServerAddress } from './exchange.ts';

const MAX_RUNNING = 128;
const MAX_WAITING = 2_048;
const LABEL = /^[\x21-\x2d\x2f-\x5b\x5d-\x7e]{1,63}$/;

export interface DnsResolverOptions {
  /** Asked in order, the next one after each failure. Default: the system's servers. */
  readonly servers?: readonly DnsServerAddress[];
  /** For one try; a truncated answer gives the TCP exchange as much again. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  /** Bound for one `resolve`, CNAMEs and retries included. */
  readonly totalTimeoutMs?: number;
  readonly maxCnames?: number;
  /** Randomizes the letter case of questions and demands it back ("0x20"), against forged answers. */
  readonly randomizeCase?: boolean;
}

/**
 * Makes a resolver over UDP with EDNS and TCP fallback. Names are ASCII (A-labels), with or without trailing dot.
 * The AD bit is reported as received: it means something only when the path to the server is trusted.
 * Throws when a server's address is not an IP address or port.
 */
export function createDnsResolver(options: DnsResolverOptions = {}): Resolver {
  const { timeoutMs = 2_000, tries = 3, totalTimeoutMs = 15_000, maxCnames = 8, randomizeCase = false } = options;
  const servers = options.servers ?? systemDnsServers();
  for (const { address, port } of servers) {
    if (!isIP(address) || !isPort(port)) throw new TypeError(`not a DNS server address: ${address}:${port}`);
  }
  const limiter = createConcurrencyLimiter(MAX_RUNNING, MAX_WAITING);

  async function resolve(name: string, type: DnsRecordType): Promise<DnsAnswer> {
    const asked = foldName(name);
    if (!isQueryable(asked)) return failure('malformed', 'not a domain name in ASCII form', '');
    const answer = limiter.run(() => follow(asked, type));
    return answer ?? failure('network', 'too many DNS lookups at once', '');
  }

  async function follow(asked: string, type: DnsRecordType): Promise<DnsAnswer> {
    const deadline = performance.now() + totalTimeoutMs;
    const path = [asked];
    let ttl = Number.POSITIVE_INFINITY;
    let authenticated = true;
    for (;;) {
      const current = path.at(-1) ?? asked;
      if (!isQueryable(current)) return failure('malformed', 'a CNAME leads to something that is no host name', '');
      const reply = await query(current, type, deadline);
      if (reply.kind === 'failure') return reply;
      const step = readAnswer(reply.response, type, path, maxCnames);
      if (step.kind === 'failure') return failure(step.reason, step.detail, reply.server);
      ttl = Math.min(ttl, step.ttl);
      authenticated &&= reply.response.isAuthenticated;
      if (step.kind === 'followUp') continue;
      const context = { cnameChain: path.length > 1 ? path : [], ttl, server: reply.server, authenticated };
      return step.kind === 'records'
        ? { kind: 'records', records: step.records, ...context }
        : { kind: 'none', nxdomain: step.nxdomain, ...context };
    }
  }

  async function query(name: string, type: DnsRecordType, deadline: number): Promise<Reply> {
    let last: Reply = failure('network', 'no DNS server is configured', '');
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const server = servers[attempt % servers.length];
      if (!server) break;
      const label = formatServer(server);
      const remaining = deadline - performance.now();
      if (remaining <= 0) return failure('timeout', 'the whole lookup took too long', label);
      const outcome = await exchange(server, createQuestion(name, type, randomizeCase), Math.min(timeoutMs, remaining));
      const reply = judge(outcome, label);
      if (reply.kind === 'response') return reply;
      last = reply;
    }
    return last;
  }

  return { resolve };
}

/** The servers of the system's resolver configuration. */
function systemDnsServers(): DnsServerAddress[] {
  return getServers().flatMap((text) => parseDnsServer(text) ?? []);
}

/** Reads `address`, `address:port`, `[address]:port` or `localhost:port` (port 53 when absent); undefined when malformed. */
export function parseDnsServer(text: string): DnsServerAddress | undefined {
  if (isIP(text)) return { address: text, port: 53 };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const address = host.toLowerCase() === 'localhost' ? '127.0.0.1' : host;
  const port = Number(match?.[3] ?? 53);
  return isIP(address) && isPort(port) ? { address, port } : undefined;
}

type DnsFailure = Extract<DnsAnswer, { kind: 'failure' }>;
type Reply = { readonly kind: 'response'; readonly response: DnsResponse; readonly server: string } | DnsFailure;

function judge(outcome: ExchangeOutcome, server: string): Reply {
  if (outcome.kind === 'failure') return failure(outcome.reason, outcome.detail, server);
  const { rcode } = outcome.response;
  if (rcode === 0 || rcode === 3) return { kind: 'response', response: outcome.response, server };
  if (rcode === 5) return failure('refused', 'the server refused to answer', server);
  return failure(
    'servfail',
    rcode === 2 ? 'the server failed to answer' : `the server answered rcode ${rcode}`,
    server,
  );
}

function failure(reason: DnsFailure['reason'], detail: string, server: string): DnsFailure {
  return { kind: 'failure', reason, detail, server };
}

function formatServer({ address, port }: DnsServerAddress): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 0x10000;
}

/** Whether each label fits the wire and none holds a dot or backslash, whose meaning would be ambiguous. */
function isQueryable(name: string): boolean {
  return name === '' || (name.length <= 253 && name.split('.').every((label) => LABEL.test(label)));
}
