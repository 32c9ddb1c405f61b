/** The real world behind the core's ports: time, randomness, DNS, HTTP and mail. */
import { randomBytes } from 'node:crypto';
import type { Clock, Mailer, Perspective, Random } from '@certwright/core';
import { createDnsResolver } from '../adapters/dns/resolver.ts';
import { createHttpFetcher } from '../adapters/http/fetcher.ts';
import { createMailer } from '../adapters/mail/mailer.ts';
import type { Config } from '../config/index.ts';

export const systemClock: Clock = { now: () => Date.now() };
export const systemRandom: Random = { bytes: (length) => randomBytes(length) };

/** The vantage point of this process: the configured resolvers, else those of the system. */
export function createPerspective({ dns }: Pick<Config, 'dns'>): Perspective {
  const resolver = createDnsResolver(dns.servers.length > 0 ? { servers: dns.servers } : {});
  const http = createHttpFetcher({ resolver, allowedNetworks: dns.allowedNetworks });
  return { name: 'local', region: 'local', resolver, http };
}

/** The configured mail server; without one every mail is refused, so that its job stays visible. */
export function createMailTransfer({ smtp }: Pick<Config, 'smtp'>): Mailer {
  if (smtp === null) {
    return {
      async send() {
        throw new Error('no mail server is configured; set smtp.host');
      },
    };
  }
  const { credentials, ...server } = smtp;
  return createMailer({ ...server, ...(credentials === null ? {} : { credentials }) });
}
