/** The real world behind the core's ports: time, randomness, DNS, HTTP and mail. */
import { randomFillSync } from 'node:crypto';
import type { Clock, Mailer, Perspective, Random } from '@certwright/core';
import { createDnsResolver } from '../adapters/dns/resolver.ts';
import { createHttpFetcher } from '../adapters/http/fetcher.ts';
import { createMailer } from '../adapters/mail/mailer.ts';
import type { Config } from '../config/index.ts';

export const systemClock: Clock = { now: () => Date.now() };

/** Octets fetched from the system at one go: a call costs nearly the same for sixteen as for thousands. */
const POOL_BYTES = 4_096;

/** Hands out octets of the system's secure source, each once; none stays behind in the pool. */
export function pooledRandom(): Random {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let at = POOL_BYTES;
  return {
    bytes(length) {
      if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length));
      if (at + length > POOL_BYTES) {
        randomFillSync(pool);
        at = 0;
      }
      const octets = new Uint8Array(pool.subarray(at, at + length));
      pool.fill(0, at, at + length);
      at += length;
      return octets;
    },
  };
}

export const systemRandom: Random = pooledRandom();

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
