/** One GET to one address that was checked before: no name lookup, no connection reuse, everything bounded. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { performance } from 'node:perf_hooks';
import type { HttpFailureReason } from '@certwright/core';
import type { HttpTarget } from './target.ts';

const MAX_HEADER_BYTES = 16 * 1024;

export interface AddressedRequest {
  readonly target: HttpTarget;
  readonly address: string;
  readonly port: number;
  readonly userAgent: string;
  readonly maxBytes: number;
  readonly connectTimeoutMs: number;
  /** For the whole exchange, on the clock of `performance.now()`. */
  readonly deadline: number;
  /** Whether the body of an answer with this status and Location is of no interest. */
  readonly isBodySkipped: (status: number, location: string | undefined) => boolean;
}

export type AddressedOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly location: string | undefined;
      readonly body: Uint8Array;
      readonly truncated: boolean;
    }
  | {
      readonly kind: 'failure';
      readonly reason: HttpFailureReason;
      readonly detail: string;
      /** Nothing was sent: another address of the same name may be tried. */
      readonly isUnconnected: boolean;
    };

/**
 * Sends the request and reads at most `maxBytes` of the body. Certificates are not verified on https
 * (the point is to find proof, not to trust the host). Never rejects.
 */
export function requestAddress(input: AddressedRequest): Promise<AddressedOutcome> {
  const { target } = input;
  return new Promise((resolve) => {
    let stage: 'connecting' | 'securing' | 'connected' = 'connecting';
    let isDone = false;
    const options: RequestOptions = {
      method: 'GET',
      host: input.address,
      port: input.port,
      path: `${target.url.pathname}${target.url.search}`,
      headers: {
        host: target.url.host,
        'user-agent': input.userAgent,
        accept: '*/*',
        'accept-encoding': 'identity',
        connection: 'close',
      },
      agent: false,
      setHost: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      ...(target.isTls ? { servername: target.isAddress ? '' : target.host, rejectUnauthorized: false } : {}),
    };
    const request = target.isTls ? httpsRequest(options) : httpRequest(options);
    const connectTimer = setTimeout(() => fail('timeout', 'no connection in time'), input.connectTimeoutMs);
    const deadlineTimer = setTimeout(
      () => fail('timeout', 'no complete answer in time'),
      Math.max(0, input.deadline - performance.now()),
    );

    function finish(outcome: AddressedOutcome): void {
      if (isDone) return;
      isDone = true;
      clearTimeout(connectTimer);
      clearTimeout(deadlineTimer);
      request.destroy();
      resolve(outcome);
    }

    function fail(reason: HttpFailureReason, detail: string): void {
      finish({ kind: 'failure', reason, detail, isUnconnected: stage === 'connecting' });
    }

    request.on('socket', (socket) => {
      socket.once('connect', () => {
        stage = target.isTls ? 'securing' : 'connected';
        if (!target.isTls) clearTimeout(connectTimer);
      });
      socket.once('secureConnect', () => {
        stage = 'connected';
        clearTimeout(connectTimer);
      });
    });
    request.on('error', (error) => {
      const code = errorCode(error);
      if (stage === 'connecting') fail('connect', code);
      else if (stage === 'securing') fail('tls', code);
      else if (code.startsWith('HPE_')) fail('malformed', 'the answer is not valid HTTP');
      else fail('connect', 'the connection was closed before an answer');
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      fail('malformed', 'the server wants another protocol');
    });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      if (input.isBodySkipped(status, location)) {
        finish({ kind: 'response', status, location, body: new Uint8Array(), truncated: false });
        return;
      }
      readBody(response, input.maxBytes, (body) => {
        if (body.kind === 'failure') fail(body.reason, body.detail);
        else finish({ kind: 'response', status, location, body: body.bytes, truncated: body.truncated });
      });
    });
    request.end();
  });
}

type BodyOutcome =
  | { readonly kind: 'body'; readonly bytes: Uint8Array; readonly truncated: boolean }
  | { readonly kind: 'failure'; readonly reason: HttpFailureReason; readonly detail: string };

/** Reports the body once: whole, cut after `maxBytes`, or why it ended early. */
function readBody(response: IncomingMessage, maxBytes: number, report: (outcome: BodyOutcome) => void): void {
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    const room = maxBytes - length;
    bytes.set(chunk.subarray(0, room), length);
    length += Math.min(chunk.length, room);
    if (chunk.length > room) report({ kind: 'body', bytes, truncated: true });
  });
  response.on('end', () => report({ kind: 'body', bytes: bytes.slice(0, length), truncated: false }));
  response.on('error', (error) => {
    const isSyntax = errorCode(error).startsWith('HPE_');
    report({
      kind: 'failure',
      reason: isSyntax ? 'malformed' : 'connect',
      detail: isSyntax ? 'the body is not valid HTTP' : 'the connection was closed before the end of the body',
    });
  });
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'socket error';
}
