/** One question to one DNS server: UDP first, TCP when the answer was truncated or forgeries arrive (RFC 7766). */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { DnsFailureReason } from '@certwright/core';
import {
  type DecodedResponse,
  type DnsQuestion,
  type DnsResponse,
  decodeResponse,
  encodeQuery,
  isTruncatedAnswer,
} from './message.ts';

/** So many unrelated datagrams on one socket are no accident: the question moves to TCP, where they cannot be forged. */
const MAX_UNRELATED_DATAGRAMS = 16;
const RCODE_FORMERR = 1;

export interface DnsServerAddress {
  /** IPv4 or IPv6 address. */
  readonly address: string;
  readonly port: number;
}

export type ExchangeOutcome =
  | { readonly kind: 'response'; readonly response: DnsResponse }
  | { readonly kind: 'failure'; readonly reason: DnsFailureReason; readonly detail: string };

type UdpOutcome = ExchangeOutcome | { readonly kind: 'useTcp' };

/** Asks `server`; each of the at most three steps (UDP, UDP without EDNS, TCP) takes no longer than `timeoutMs`. */
export async function exchange(
  server: DnsServerAddress,
  question: DnsQuestion,
  timeoutMs: number,
): Promise<ExchangeOutcome> {
  let query = encodeQuery(question, true);
  let outcome = await exchangeUdp(server, question, query, timeoutMs);
  if (outcome.kind === 'response' && outcome.response.rcode === RCODE_FORMERR) {
    query = encodeQuery(question, false);
    outcome = await exchangeUdp(server, question, query, timeoutMs);
  }
  return outcome.kind === 'useTcp' ? exchangeTcp(server, question, query, timeoutMs) : outcome;
}

function exchangeUdp(
  server: DnsServerAddress,
  question: DnsQuestion,
  query: Buffer,
  timeoutMs: number,
): Promise<UdpOutcome> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    let unrelated = 0;
    let isDone = false;
    const timer = setTimeout(() => finish({ kind: 'failure', reason: 'timeout', detail: 'no answer' }), timeoutMs);

    function finish(outcome: UdpOutcome): void {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    }

    socket.on('error', (error) => finish(networkFailure(error)));
    socket.on('message', (datagram) => {
      if (isTruncatedAnswer(datagram, question)) return finish({ kind: 'useTcp' });
      const decoded = decodeResponse(datagram, question);
      if (decoded.kind === 'unrelated') {
        unrelated += 1;
        if (unrelated >= MAX_UNRELATED_DATAGRAMS) finish({ kind: 'useTcp' });
      } else if (decoded.kind === 'caseChanged') {
        finish({ kind: 'useTcp' });
      } else {
        finish(toOutcome(decoded));
      }
    });
    // A connected socket has a fresh random port and receives from this server only; ICMP errors are reported at once.
    socket.connect(server.port, server.address, () => {
      if (isDone) return;
      socket.send(query, (error) => {
        if (error) finish(networkFailure(error));
      });
    });
  });
}

function exchangeTcp(
  server: DnsServerAddress,
  question: DnsQuestion,
  query: Buffer,
  timeoutMs: number,
): Promise<ExchangeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: server.port });
    let received: Buffer = Buffer.alloc(0);
    const timer = setTimeout(
      () => finish({ kind: 'failure', reason: 'timeout', detail: 'no answer over TCP' }),
      timeoutMs,
    );

    function finish(outcome: ExchangeOutcome): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    }

    socket.on('error', (error) => finish(networkFailure(error)));
    socket.on('close', () => finish({ kind: 'failure', reason: 'network', detail: 'TCP connection closed early' }));
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on('data', (chunk: Buffer) => {
      // Bounded by the two-byte length: nothing is read past the first message.
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) return;
      const end = 2 + received.readUInt16BE(0);
      if (received.length >= end) finish(toOutcome(decodeResponse(received.subarray(2, end), question)));
    });
  });
}

function toOutcome(decoded: DecodedResponse): ExchangeOutcome {
  switch (decoded.kind) {
    case 'response':
      return decoded;
    case 'malformed':
      return { kind: 'failure', reason: 'malformed', detail: decoded.detail };
    case 'unrelated':
      return { kind: 'failure', reason: 'malformed', detail: 'the answer is not for the question asked' };
    case 'caseChanged':
      return {
        kind: 'failure',
        reason: 'malformed',
        detail: 'the server does not keep the letter case of the question',
      };
  }
}

function networkFailure(error: Error): ExchangeOutcome {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'socket error';
  return { kind: 'failure', reason: 'network', detail: code };
}
