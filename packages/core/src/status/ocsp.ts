/** OCSP answers (RFC 6960, RFC 9654, RFC 5019): signed once per certificate and kept, or signed live for a nonce. */

import { hash } from 'node:crypto';
import {
  assembleOcspResponse,
  buildOcspResponseData,
  isCrlReason,
  issuerHashes,
  type OcspCertId,
  type OcspCertStatus,
  type OcspErrorStatus,
  type OcspHash,
  type OcspRequest,
  type OcspSingleResponse,
  ocspErrorResponse,
  parseOcspRequest,
  publicKeyBits,
} from '@certwright/pki';
import type { OcspAnswer, OcspStatistics } from '../api.ts';
import { type AuthorityDirectory, type AuthorityEntry, canSign, type SigningCa } from '../authorities/directory.ts';
import type { Responder, Responders } from '../authorities/responders.ts';
import { mintPermit } from '../issuance/permit.ts';
import { type CertificateStatus, StoreUnavailableError } from '../ports/store.ts';
import type { Instant } from '../ports/world.ts';
import type { CoreDependencies } from '../settings.ts';
import { unreachable } from '../util.ts';
import { AnswerCache, type PrecomputedAnswer } from './answer-cache.ts';

export interface OcspService {
  answer(caSlug: string, request: Uint8Array): Promise<OcspAnswer | undefined>;
  statistics(): OcspStatistics;
}

/** Requests for one certificate without nonce have some 120 octets; longer ones are not kept by their bytes. */
const MAX_KEYED_BYTES = 512;

type IssuerHashes = ReturnType<typeof issuerHashes>;

const withoutAnswer = (status: OcspErrorStatus): OcspAnswer => ({ body: ocspErrorResponse(status), cache: null });
const MALFORMED = withoutAnswer('malformedRequest');
const UNAUTHORIZED = withoutAnswer('unauthorized');
const TRY_LATER = withoutAnswer('tryLater');
const INTERNAL_ERROR = withoutAnswer('internalError');
const WITHOUT_ANSWER: ReadonlySet<OcspAnswer> = new Set([MALFORMED, UNAUTHORIZED, TRY_LATER, INTERNAL_ERROR]);

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** What relying parties are told; undefined for certificates that do not exist (yet). */
function certStatus(record: CertificateStatus | undefined): OcspCertStatus | undefined {
  if (record === undefined) return undefined;
  const revokedAt = record.revokedAt ?? 0;
  switch (record.state) {
    case 'prepared':
    case 'abandoned':
      return undefined;
    case 'valid':
      return { kind: 'good' };
    case 'hold':
      return { kind: 'revoked', revokedAt, reason: 'certificateHold' };
    case 'revoked': {
      const reason = record.revocationReason;
      return reason !== null && isCrlReason(reason)
        ? { kind: 'revoked', revokedAt, reason }
        : { kind: 'revoked', revokedAt };
    }
    default:
      return unreachable(record.state);
  }
}

/** The signing key cannot be reached: the client may try again. */
class SigningFailure extends Error {}

export function createOcsp(
  deps: Pick<CoreDependencies, 'store' | 'clock' | 'vault' | 'settings' | 'log'>,
  directory: AuthorityDirectory,
  responders: Responders,
): OcspService {
  const { store, clock, vault, settings, log } = deps;
  const cache = new AnswerCache(settings.ocspCacheEntries);
  const hashes = new WeakMap<AuthorityEntry, Map<OcspHash, IssuerHashes>>();
  const counted = { precomputed: 0, signed: 0, withoutAnswer: 0 };

  store.onInvalidation((change) => {
    if (change.kind === 'certificate') cache.forget(`${change.caId}:${change.serial}`);
    else if (change.kind === 'ca') cache.forgetAll(`${change.caId}:`);
    else if (change.kind === 'everything') cache.forgetAll();
  });

  function isIssuerOf(entry: AuthorityEntry, certId: OcspCertId): boolean {
    if (certId.hash === undefined) return false;
    let ofEntry = hashes.get(entry);
    if (ofEntry === undefined) {
      ofEntry = new Map();
      hashes.set(entry, ofEntry);
    }
    let own = ofEntry.get(certId.hash);
    if (own === undefined) {
      const { subjectDer, spki } = entry.certificate;
      own = issuerHashes(subjectDer, publicKeyBits(spki), certId.hash);
      ofEntry.set(certId.hash, own);
    }
    return equal(own.issuerNameHash, certId.issuerNameHash) && equal(own.issuerKeyHash, certId.issuerKeyHash);
  }

  async function statusOf(entry: AuthorityEntry, certId: OcspCertId): Promise<OcspCertStatus | undefined> {
    return isIssuerOf(entry, certId)
      ? certStatus(await store.certificates.status(entry.ca.id, certId.serial))
      : undefined;
  }

  async function sign(
    responder: Responder,
    now: Instant,
    statuses: readonly { readonly certId: OcspCertId; readonly status: OcspCertStatus }[],
    nonce: Uint8Array | undefined,
  ): Promise<PrecomputedAnswer> {
    const thisUpdate = Math.floor(now / 1000) * 1000;
    // an answer must not outlive the certificate that its signature is checked with
    const nextUpdate = Math.min(thisUpdate + settings.ocspLifetimeMs, responder.notAfter);
    const responses = statuses.map(
      ({ certId, status }): OcspSingleResponse => ({ certId: certId.der, status, thisUpdate, nextUpdate }),
    );
    const data = { responderKeyHash: responder.keyHash, producedAt: now, responses };
    const tbs = buildOcspResponseData(nonce === undefined ? data : { ...data, nonce });
    let signature: Uint8Array;
    try {
      signature = await vault.sign(mintPermit('ocspResponse', responder.keyId, tbs));
    } catch (error) {
      throw new SigningFailure('OCSP answer not signed', { cause: error });
    }
    counted.signed++;
    const assembled = assembleOcspResponse(tbs, responder.signatureAlgorithm, signature, responder.certificate);
    const until = thisUpdate + (nextUpdate - thisUpdate) / 2;
    if (nonce !== undefined) return { answer: { body: assembled, cache: null }, from: thisUpdate, until };
    // a small buffer is a window of a shared one, which a kept answer would hold in memory whole
    const body = Buffer.allocUnsafeSlow(assembled.length);
    body.set(assembled);
    const etag = `"${hash('sha256', body, 'hex').slice(0, 32)}"`;
    return { answer: { body, cache: { thisUpdate, nextUpdate, etag } }, from: thisUpdate, until };
  }

  /** One certificate, no nonce: the answer is shared and kept. */
  async function shared(
    entry: AuthorityEntry,
    ca: SigningCa,
    certId: OcspCertId,
    requestKey: string | undefined,
    now: Instant,
  ): Promise<OcspAnswer> {
    if (!isIssuerOf(entry, certId)) return UNAUTHORIZED;
    const answer = await cache.answer(`${ca.id}:${certId.serial}`, latin1(certId.der), requestKey, now, async () => {
      const responder = await responders.current(ca);
      const status = await statusOf(entry, certId);
      return status === undefined ? undefined : sign(responder, now, [{ certId, status }], undefined);
    });
    return answer ?? UNAUTHORIZED;
  }

  /** With a nonce, or about several certificates: signed for this request alone. */
  async function live(entry: AuthorityEntry, ca: SigningCa, request: OcspRequest, now: Instant): Promise<OcspAnswer> {
    const responder = await responders.current(ca);
    const found = await Promise.all(request.certIds.map((certId) => statusOf(entry, certId)));
    if (found.every((status) => status === undefined)) return UNAUTHORIZED;
    const statuses = request.certIds.map((certId, index) => ({
      certId,
      status: found[index] ?? ({ kind: 'unknown' } as const),
    }));
    return (await sign(responder, now, statuses, request.nonce)).answer;
  }

  async function decide(caSlug: string, request: Uint8Array, requestKey: string | undefined, now: Instant) {
    const entry = await directory.bySlug(caSlug);
    if (entry === undefined || !canSign(entry.ca)) return undefined;
    const { ca } = entry;
    const parsed = parseOcspRequest(request);
    if (!parsed.ok) return MALFORMED;
    const [first, ...others] = parsed.value.certIds;
    return first !== undefined && others.length === 0 && parsed.value.nonce === undefined
      ? shared(entry, ca, first, requestKey, now)
      : live(entry, ca, parsed.value, now);
  }

  return {
    async answer(caSlug, request) {
      const now = clock.now();
      const requestKey = request.length <= MAX_KEYED_BYTES ? `${caSlug} ${latin1(request)}` : undefined;
      const kept = requestKey === undefined ? undefined : cache.lookUp(requestKey, now);
      if (kept !== undefined) {
        counted.precomputed++;
        return kept;
      }
      let answer: OcspAnswer | undefined;
      try {
        answer = await decide(caSlug, request, requestKey, now);
      } catch (error) {
        log.error('ocsp.failed', { ca: caSlug }, error);
        answer = error instanceof SigningFailure || error instanceof StoreUnavailableError ? TRY_LATER : INTERNAL_ERROR;
      }
      if (answer !== undefined && WITHOUT_ANSWER.has(answer)) counted.withoutAnswer++;
      return answer;
    },
    statistics: () => ({ ...counted, kept: cache.size }),
  };
}
