import { readFile } from 'node:fs/promises';
import type { Clock, Core, CoreLog, SecretBox, Store } from '@certwright/core';
import type { Config } from '../config/index.ts';
import type { Listener } from '../listeners/listener.ts';
import { certificateNames } from './names.ts';
import { createOwnCertificate } from './own-certificate.ts';

export interface CertificateKeeper {
  /** Installs the certificate, or a newer one. Rejects when there is none to be had. */
  refresh(): Promise<void>;
  readonly everyMs: number;
}

interface KeeperOptions {
  readonly tls: Config['tls'];
  readonly listener: Listener;
  readonly core: Pick<Core, 'credentials' | 'orders'>;
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly wallClock: Clock;
  readonly log: CoreLog;
  readonly holder: string;
  readonly platformAccount: string;
  readonly publicUrl: string;
  readonly issuer: Uint8Array;
}

/** Another process may have renewed the shared certificate: looked at this often. */
const OWN_MS = 3_600_000;
const FILES_MS = 60_000;

/** What gives the HTTPS listener its certificate; undefined when it is plain. */
export function keepCertificate({ tls, listener, publicUrl, ...parts }: KeeperOptions): CertificateKeeper | undefined {
  switch (tls.mode) {
    case 'off':
      return undefined;
    case 'files':
      return certificateFromFiles(tls.cert, tls.key, listener, parts.log);
    case 'own': {
      const own = createOwnCertificate({
        ...parts,
        names: certificateNames(publicUrl, listener, tls.names),
        install: (certificate) => listener.setCertificate(certificate),
      });
      return { refresh: () => own.refresh(), everyMs: OWN_MS };
    }
  }
}

/** Files that a renewal tool replaces are taken up without a restart. */
export function certificateFromFiles(
  certFile: string,
  keyFile: string,
  listener: Pick<Listener, 'setCertificate'>,
  log: CoreLog,
): CertificateKeeper {
  let installed = '';
  return {
    everyMs: FILES_MS,
    async refresh() {
      const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
      if (cert + key === installed) return;
      try {
        listener.setCertificate({ cert, key });
      } catch (cause) {
        throw new Error(`${certFile} and ${keyFile} do not belong together or are not PEM`, { cause });
      }
      if (installed !== '') log.info('tls.certificateReloaded', { file: certFile });
      installed = cert + key;
    },
  };
}
