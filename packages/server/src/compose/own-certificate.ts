/** The certificate of the HTTPS listener, ordered from this very CA through the ordinary order path, and renewed. */
import { createHash, X509Certificate } from 'node:crypto';
import type { Clock, Core, CoreLog, SecretBox, Store } from '@certwright/core';
import { createCsr, generateKey, nameOf, toPem } from '@certwright/pki';

import { asAccount } from './as-account.ts';

export interface CertificatePem {
  /** The certificate, then the CAs above it without the root. */
  readonly cert: string;
  readonly key: string;
}

export interface OwnCertificate {
  /** Orders or renews the certificate when it is due, takes over one that another process renewed, and installs it. */
  refresh(): Promise<void>;
}

interface OwnCertificateOptions {
  readonly core: Pick<Core, 'credentials' | 'orders'>;
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly wallClock: Clock;
  readonly holder: string;
  readonly platformAccount: string;
  /** Primary name first. */
  readonly names: readonly string[];
  /** The issuing CA that the certificate must come from; another one means a new certificate. */
  readonly issuer: Uint8Array;
  readonly install: (certificate: CertificatePem) => void;
  readonly log: CoreLog;
}

const LEASE_MS = 60_000;
const LABEL = 'certificate of the HTTPS listener';

interface Kept extends CertificatePem {
  readonly version: number;
  readonly id: number;
}

export function createOwnCertificate(options: OwnCertificateOptions): OwnCertificate {
  const { store, secrets, wallClock, holder, names, log } = options;
  // processes with the same names share one certificate
  const setting = `tls.${createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 32)}`;
  let installed = '';

  async function read(): Promise<Kept | undefined> {
    const row = await store.settings.byName(setting);
    if (row === undefined) return undefined;
    const opened = secrets.open(Buffer.from(row.value, 'base64'), setting);
    if (opened === undefined) return undefined;
    const [cert, key] = Buffer.from(opened).toString().split('\0');
    return cert === undefined || key === undefined ? undefined : { cert, key, version: row.version, id: row.id };
  }

  /** Two thirds of its life are over, or it is no child of today's issuing CA. */
  function isDue(kept: CertificatePem): boolean {
    const certificate = new X509Certificate(kept.cert);
    const issuer = new X509Certificate(options.issuer);
    const from = certificate.validFromDate.getTime();
    const to = certificate.validToDate.getTime();
    return wallClock.now() >= from + ((to - from) * 2) / 3 || !certificate.verify(issuer.publicKey);
  }

  function install(kept: CertificatePem): void {
    if (kept.cert === installed) return;
    options.install(kept);
    installed = kept.cert;
  }

  async function keep(fresh: CertificatePem, before: Kept | undefined): Promise<void> {
    const value = Buffer.from(secrets.seal(Buffer.from(`${fresh.cert}\0${fresh.key}`), setting)).toString('base64');
    const outcome = await store.write({
      writes: [
        before === undefined
          ? { op: 'insert', table: 'setting', row: { id: await store.nextId(), name: setting, value, version: 1 } }
          : { op: 'update', table: 'setting', id: before.id, version: before.version, set: { value } },
      ],
      bookkeeping: LABEL,
    });
    // whoever was first has one that is as good
    if (!outcome.ok) log.info('tls.renewedElsewhere', {});
  }

  return {
    async refresh() {
      const kept = await read();
      if (kept !== undefined && !isDue(kept)) return install(kept);
      const now = wallClock.now();
      const mayRenew = await store.lease(setting, holder, now, now + LEASE_MS);
      if (!mayRenew && kept !== undefined) return install(kept);
      // without any certificate the listener is dead: order one of its own rather than wait for the other process
      const fresh = await order(options);
      if (mayRenew) await keep(fresh, kept);
      install(fresh);
      log.info('tls.certificateOrdered', { names, renewed: kept !== undefined });
    },
  };
}

async function order({ core, platformAccount, names }: OwnCertificateOptions): Promise<CertificatePem> {
  const [hostname = 'localhost', ...additionalHosts] = names;
  const { privateKey } = await generateKey('ec-p256');
  const csr = await createCsr({ subject: nameOf(['CN', hostname]), key: privateKey });
  const file = await asAccount(core, platformAccount, LABEL, async (ctx) => {
    const placed = await core.orders.create(ctx, {
      family: 'private-pki',
      variant: 'intranet-ssl',
      hostname,
      additionalHosts,
      saveAsDraft: false,
      requestor: { name: 'Certwright', email: 'platform@localhost', phone: '', designation: '' },
      technicalContact: null,
      delegation: null,
      emailNotifications: 'none',
      recipientEmails: [],
      tags: [],
      customFields: [],
      remarks: LABEL,
      subscription: { years: 1, autoRenew: false, renewBeforeDays: 30 },
      csr,
      attested: true,
      agreement: { signerName: 'Certwright', signerPlace: 'localhost', accepted: true },
    });
    if (!placed.ok) throw new Error(`the certificate of the HTTPS listener was refused: ${placed.error.detail}`);
    const { number } = placed.value.order;
    if (number === null) throw new Error('the order of the listener’s certificate stayed a draft');
    const downloaded = await core.orders.download(ctx, 'private-pki', number);
    if (!downloaded.ok) {
      throw new Error(`order ${number} for the listener’s certificate is not issued: ${downloaded.error.detail}`);
    }
    return downloaded.value;
  });
  const intermediates = file.chain.slice(0, -1);
  return {
    cert: [file.der, ...intermediates].map((der) => toPem('CERTIFICATE', der)).join(''),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
