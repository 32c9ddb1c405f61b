/** The sandbox's own internet and what the validator sees of it. */
import type { Mailer, Perspective, Resolver } from '@certwright/core';
import { createDnsResolver, type DnsServerAddress } from '../adapters/dns/resolver.ts';
import { createHttpFetcher } from '../adapters/http/fetcher.ts';
import { createMailer } from '../adapters/mail/mailer.ts';
import type { Cleanup } from './cleanup.ts';
import { createHostTable, type HostTable } from './hosts.ts';
import { createSandboxDns, type SandboxDns } from './internet/dns/server.ts';
import { createSandboxHttpHost, type SandboxHttpHost } from './internet/http/host.ts';
import { createSandboxMailServer, type SandboxMailServer } from './internet/mail/server.ts';

export const TSIG_NAME = 'certwright-sandbox';
export const TSIG_ALGORITHM = 'hmac-sha256';
const SENDER = 'Certwright sandbox <no-reply@sandbox.example>';

export interface SandboxInternet {
  /** Undefined when another resolver is used. */
  readonly dns: SandboxDns | undefined;
  readonly http: SandboxHttpHost;
  readonly mail: SandboxMailServer;
  readonly hosts: HostTable;
  readonly perspective: Perspective;
  readonly mailer: Mailer;
  /** Forgets records, files, mails and hosts; keeps every port. */
  reset(): void;
}

interface InternetOptions {
  readonly resolver: DnsServerAddress | undefined;
  /** 0: any. */
  readonly dnsPort: number;
  readonly tsigSecret: string;
  readonly cleanup: Cleanup;
}

/** Starts DNS (unless another resolver is given), web host and mail exchanger on loopback ports. */
export async function startInternet({
  resolver,
  dnsPort,
  tsigSecret,
  cleanup,
}: InternetOptions): Promise<SandboxInternet> {
  const tsig = { name: TSIG_NAME, algorithm: TSIG_ALGORITHM, secret: tsigSecret } as const;
  const closing = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    cleanup.add(() => started.close());
    return started;
  };
  const [dns, http, mail] = await Promise.all([
    resolver === undefined ? closing(createSandboxDns({ tsig, port: dnsPort })) : undefined,
    closing(createSandboxHttpHost()),
    closing(createSandboxMailServer()),
  ]);
  // an https hop to the plain host fails as it would anywhere: nothing speaks TLS there
  const hosts = createHostTable({ address: http.address, httpPort: http.port, tlsPort: http.port });
  const server = resolver ?? dns;
  const asked = withoutCaching(
    createDnsResolver(server === undefined ? {} : { servers: [{ address: server.address, port: server.port }] }),
  );
  return {
    dns,
    http,
    mail,
    hosts,
    perspective: {
      name: 'sandbox',
      region: 'local',
      resolver: asked,
      http: createHttpFetcher({ resolver: asked, connectOverride: (name) => hosts.find(name) }),
    },
    mailer: createMailer({ host: mail.address, port: mail.port, tls: 'none', from: SENDER }),
    reset() {
      dns?.reset();
      http.reset();
      mail.reset();
      hosts.reset();
    },
  };
}

/** What a test publishes, changes or resets counts at once: nobody may keep an answer. */
function withoutCaching(resolver: Resolver): Resolver {
  return {
    async resolve(name, type) {
      const answer = await resolver.resolve(name, type);
      return answer.kind === 'failure' ? answer : { ...answer, ttl: 0 };
    },
  };
}
