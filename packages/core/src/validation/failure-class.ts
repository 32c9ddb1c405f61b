import type { DnsFailureReason, HttpFailureReason } from '../ports/network.ts';

/** Why a perspective did not find what it should: the words of the diagnostics (contract v2, DcvFailureClass). */
export type FailureClass =
  | 'RECORD_MISSING'
  | 'TOKEN_MISMATCH'
  | 'TOKEN_EXPIRED'
  | 'DNS_NXDOMAIN'
  | 'DNS_TIMEOUT'
  | 'DNS_SERVFAIL'
  | 'DNS_REFUSED'
  | 'DNS_ERROR'
  | 'HTTP_4XX'
  | 'HTTP_5XX'
  | 'HTTP_STATUS'
  | 'HTTP_TIMEOUT'
  | 'HTTP_CONNECT'
  | 'HTTP_TLS'
  | 'HTTP_ERROR'
  | 'HTTP_TOO_LARGE'
  | 'ADDRESS_FORBIDDEN'
  | 'REDIRECT_FORBIDDEN'
  | 'MAIL_NOT_CONFIRMED'
  | 'QUORUM_NOT_MET'
  | 'CAA_FORBIDS';

const DNS: Readonly<Record<DnsFailureReason, FailureClass>> = {
  timeout: 'DNS_TIMEOUT',
  servfail: 'DNS_SERVFAIL',
  refused: 'DNS_REFUSED',
  malformed: 'DNS_ERROR',
  network: 'DNS_ERROR',
  cnameLoop: 'DNS_ERROR',
};

const HTTP: Readonly<Record<HttpFailureReason, FailureClass>> = {
  timeout: 'HTTP_TIMEOUT',
  connect: 'HTTP_CONNECT',
  dns: 'DNS_ERROR',
  tls: 'HTTP_TLS',
  addressForbidden: 'ADDRESS_FORBIDDEN',
  redirectForbidden: 'REDIRECT_FORBIDDEN',
  tooManyRedirects: 'REDIRECT_FORBIDDEN',
  malformed: 'HTTP_ERROR',
};

export const dnsFailureClass = (reason: DnsFailureReason): FailureClass => DNS[reason];
export const httpFailureClass = (reason: HttpFailureReason): FailureClass => HTTP[reason];
