/**
 * The certification authority: prepare → lint → record → permit → sign. `prepare` touches no key; the caller commits the
 * record it returns; only then does `sign` mint the permit. docs/explain/issuance-cycle.md tells the whole story.
 */

import { hash } from 'node:crypto';
import {
  assembleCertificate,
  buildTbsCertificate,
  certificateProfile,
  checkKey,
  type DistinguishedName,
  describeSpki,
  fail,
  type GeneralName,
  type IssuerContext,
  issuerContext,
  type KeyAlgorithm,
  lintTbs,
  ok,
  parseCertificate,
  recommendedNotAfter,
  selfIssuerContext,
  serialNumber,
  signatureAlgorithmFor,
} from '@certwright/pki';
import type { Outcome } from '../api.ts';
import { domainError } from '../errors.ts';
import type { Instant } from '../ports/world.ts';
import type { CaRecord, CertificateRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { mintPermit } from './permit.ts';

/** Who issues: a CA on record, or a root that signs itself. */
export type IssuingParty =
  | { readonly kind: 'ca'; readonly ca: CaRecord }
  | { readonly kind: 'self'; readonly caId: number; readonly slug: string; readonly keyId: number };

export interface IssuanceInput {
  readonly issuer: IssuingParty;
  readonly profileId: string;
  readonly subject: DistinguishedName;
  readonly sans: readonly GeneralName[];
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Wanted end; cut to what profile, schedule and CA allow. */
  readonly notAfter: Instant;
  /** Default: now, backdated as the profile says. */
  readonly notBefore?: Instant;
  readonly accountId: number;
  readonly groupId: number;
  readonly orderId: number;
  readonly label: string;
  /** Names for search. */
  readonly names: readonly string[];
}

/** How long a process may take from record to signature before another takes over. */
const SIGNING_LEASE_MS = 10_000;

interface PreparedIssuer {
  readonly version: number;
  readonly context: IssuerContext;
}

export interface Issuance {
  /**
   * Builds and lints the to-be-signed certificate and returns it as a record in state `prepared`, to be inserted by the
   * caller in one transaction with whatever it belongs to. Errors: `csr.keyRefused`, `issuance.refused` (with the lints).
   */
  prepare(input: IssuanceInput): Outcome<CertificateRecord>;
  /**
   * Signs a record that is committed and returns the certificate (DER). Rejects when the key cannot be reached;
   * signing the same record again is allowed until the signed certificate is stored.
   */
  sign(recorded: CertificateRecord, keyId: number, keyAlgorithm: KeyAlgorithm): Promise<Uint8Array>;
}

/** Path of a CA's CRL below the public HTTP base; partition 0 is the full list. */
export function crlPath(slug: string, partition: number): string {
  return partition === 0 ? `/crl/${slug}.crl` : `/crl/${slug}/${partition}.crl`;
}

export function createIssuance(
  deps: Pick<CoreDependencies, 'store' | 'clock' | 'wallClock' | 'random' | 'vault' | 'settings'>,
): Issuance {
  const issuers = new Map<number, PreparedIssuer>();
  const { publicHttpUrl } = deps.settings;

  function urls(slug: string): { ocsp: string; caIssuers: string; crl: string } {
    return {
      ocsp: `${publicHttpUrl}/ocsp/${slug}`,
      caIssuers: `${publicHttpUrl}/ca/${slug}.cer`,
      crl: publicHttpUrl + crlPath(slug, 0),
    };
  }

  function contextOf(ca: CaRecord): IssuerContext {
    const known = issuers.get(ca.id);
    if (known !== undefined && known.version === ca.version) return known.context;
    const certificate = parseCertificate(ca.certificate);
    if (!certificate.ok)
      throw new Error(`certificate of CA ${ca.slug} on record cannot be parsed: ${certificate.error.code}`);
    const context = issuerContext(certificate.value, urls(ca.slug));
    if (!context.ok) throw new Error(`CA ${ca.slug} cannot issue: ${context.error.detail}`);
    issuers.set(ca.id, { version: ca.version, context: context.value });
    return context.value;
  }

  function selfContext(input: IssuanceInput): IssuerContext {
    const context = selfIssuerContext(input.subject, input.spki);
    if (!context.ok) throw new Error(`a root cannot be made of this key: ${context.error.detail}`);
    return context.value;
  }

  return {
    async prepare(input) {
      const profile = certificateProfile(input.profileId);
      if (profile === undefined) throw new Error(`no certificate profile ${input.profileId}`);
      const key = describeSpki(input.spki);
      if (!key.ok) return fail(domainError('csr.keyRefused', `The public key is not usable: ${key.error.detail}`));
      const keyFindings = checkKey(key.value, { allowed: profile.allowedKeys, ...deps.settings.keyChecks });
      const [refused] = keyFindings;
      const keyAlgorithm = key.value.algorithm;
      if (refused !== undefined || keyAlgorithm === undefined) {
        return fail(domainError('csr.keyRefused', refused?.detail ?? 'The key algorithm is not accepted'));
      }
      const now = deps.clock.now();
      const wholeSecond = Math.floor(now / 1000) * 1000;
      const notBefore = input.notBefore ?? wholeSecond - profile.backdateSeconds * 1000;
      const { issuer } = input;
      const limits = [input.notAfter, recommendedNotAfter(profile, notBefore)];
      if (issuer.kind === 'ca') limits.push(issuer.ca.notAfter);
      const notAfter = Math.floor(Math.min(...limits) / 1000) * 1000;
      if (notAfter <= now)
        return fail(domainError('issuance.refused', 'No validity is left: the CA or the term ends now'));

      const serial = serialNumber(deps.random.bytes(16));
      const partitions = issuer.kind === 'ca' ? issuer.ca.crl.partitions : 1;
      const crlPartition = 1 + ((serial[serial.length - 1] ?? 0) % partitions);
      const context = issuer.kind === 'ca' ? contextOf(issuer.ca) : selfContext(input);
      const tbs = buildTbsCertificate({
        profile,
        issuer: context,
        serial,
        subject: input.subject,
        sans: input.sans,
        spki: input.spki,
        notBefore,
        notAfter,
        ...(issuer.kind === 'ca' && partitions > 1
          ? { crlUrl: publicHttpUrl + crlPath(issuer.ca.slug, crlPartition) }
          : {}),
      });
      const findings = lintTbs(tbs, { profile, issuer: context, now }).filter(
        (finding) => finding.severity === 'error',
      );
      if (findings.length > 0) {
        const rules = findings.map((finding) => `${finding.id} (${finding.source}): ${finding.detail}`).join('; ');
        return fail(domainError('issuance.refused', `The certificate would break ${rules}`));
      }
      return ok({
        id: await deps.store.nextId(),
        accountId: input.accountId,
        groupId: input.groupId,
        orderId: input.orderId,
        caId: issuer.kind === 'ca' ? issuer.ca.id : issuer.caId,
        serial: Buffer.from(serial).toString('hex'),
        state: 'prepared',
        tbs,
        der: null,
        profileId: profile.id,
        label: input.label,
        names: input.names,
        keyAlgorithm,
        spkiSha256: hash('sha256', input.spki, 'hex'),
        notBefore,
        notAfter,
        crlPartition,
        revokedAt: null,
        revocationReason: null,
        downloadedAt: null,
        leaseUntil: deps.wallClock.now() + SIGNING_LEASE_MS,
        createdAt: now,
        version: 1,
      });
    },

    async sign(recorded, keyId, keyAlgorithm) {
      if (recorded.tbs === null) throw new Error(`certificate ${recorded.id} has no bytes to sign`);
      const signature = await deps.vault.sign(mintPermit('certificate', keyId, recorded.tbs));
      return assembleCertificate(recorded.tbs, signatureAlgorithmFor(keyAlgorithm).derAlgorithmIdentifier, signature);
    },
  };
}
