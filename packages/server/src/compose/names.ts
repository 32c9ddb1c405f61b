import { isIP } from 'node:net';
import type { Config } from '../config/index.ts';
import { hostForUrl, isLoopbackHost } from '../config/values.ts';

/** Base URLs of a running platform, without trailing slash. */
export interface PlatformUrls {
  readonly publicUrl: string;
  readonly publicHttpUrl: string;
}

interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** What the operator configured, or what the bound addresses say. */
export function platformUrls(
  config: Pick<Config, 'publicUrl' | 'publicHttpUrl' | 'tls'>,
  main: BoundAddress,
  plain: BoundAddress,
): PlatformUrls {
  const scheme = config.tls.mode === 'off' ? 'http' : 'https';
  return {
    publicUrl: config.publicUrl ?? `${scheme}://${hostForUrl(main.host)}:${main.port}`,
    publicHttpUrl: config.publicHttpUrl ?? `http://${hostForUrl(plain.host)}:${plain.port}`,
  };
}

/** Names of the listener's own certificate: the public one first, then those that work on this machine. */
export function certificateNames(
  publicUrl: string,
  bound: Pick<BoundAddress, 'host'>,
  further: readonly string[],
): readonly string[] {
  const publicHost = new URL(publicUrl).hostname.replace(/^\[|\]$/g, '');
  const isNamed = bound.host !== '::' && bound.host !== '0.0.0.0' && !isLoopbackHost(bound.host);
  const local = ['localhost', '127.0.0.1', '::1'];
  return [...new Set([publicHost, ...further, ...(isNamed ? [bound.host] : []), ...local])].filter(
    (name) => isIP(name) !== 0 || /^[A-Za-z0-9.*-]+$/.test(name),
  );
}
