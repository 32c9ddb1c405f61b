import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  assembleOcspResponse,
  type BasicOcspResponse,
  buildOcspResponseData,
  type Certificate,
  certId,
  der,
  encodeOcspRequest,
  type GeneratedKey,
  generateKey,
  issuerHashes,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  nameOf,
  type OcspCertStatus,
  type OcspHash,
  type OcspResponseInput,
  ocspErrorResponse,
  ocspRequestFromPath,
  parseOcspRequest,
  parseOcspResponse,
  publicKeyBits,
  responderKeyHash,
  signatureAlgorithmFor,
  signWith,
  toPem,
  verifyOcspResponse,
} from '@certwright/pki';
import fc from 'fast-check';
import { type Authority, issue, makeIssuing, makeRoot, must, profile, refusal } from './authority.ts';
import { openssl, scratchFolder, skipWithoutOpenssl } from './openssl-program.ts';

const DAY = 86_400_000;
const now = Date.now();
const second = Math.floor(now / 1000) * 1000;

interface Responder {
  readonly key: GeneratedKey;
  readonly certificate: Certificate;
  readonly algorithm: KeyAlgorithm;
}

async function delegate(
  authority: Authority,
  algorithm: KeyAlgorithm,
  validity: { notAfter?: number; notBefore?: number } = {},
): Promise<Responder> {
  const key = await generateKey(algorithm);
  const order = { profile: profile('ocsp-responder'), subject: nameOf(['CN', 'OCSP']), spki: key.spki, ...validity };
  return { key, certificate: await issue(authority, order), algorithm };
}

type Answer = Omit<OcspResponseInput, 'responderKeyHash' | 'producedAt'>;

async function respond(responder: Responder, answer: Answer, withCertificate = true): Promise<Uint8Array> {
  const hash = responderKeyHash(responder.key.spki);
  const tbs = buildOcspResponseData({ ...answer, responderKeyHash: hash, producedAt: now });
  const algorithm = signatureAlgorithmFor(responder.algorithm);
  const signature = await signWith(responder.key.privateKey, algorithm, tbs);
  const certificate = withCertificate ? responder.certificate.der : undefined;
  return assembleOcspResponse(tbs, algorithm.derAlgorithmIdentifier, signature, certificate);
}

function successful(bytes: Uint8Array): BasicOcspResponse {
  const response = must(parseOcspResponse(bytes));
  assert.ok(response.status === 'successful');
  return response;
}

const idOf = (authority: Authority, serial: Uint8Array, hash: OcspHash = 'sha1'): Uint8Array =>
  certId(authority.context.nameDer, publicKeyBits(authority.context.spki), serial, hash);

const root = await makeRoot('ec-p256');
const issuing = await makeIssuing(root, 'ec-p256');

const GOOD = { status: { kind: 'good' as const }, thisUpdate: now, nextUpdate: now + DAY };

describe('OCSP request', () => {
  for (const hash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    it(`names a certificate by ${hash}`, () => {
      const serial = randomBytes(16);
      const request = must(parseOcspRequest(encodeOcspRequest([idOf(issuing, serial, hash)])));
      const [id] = request.certIds;
      const expected = issuerHashes(issuing.context.nameDer, publicKeyBits(issuing.key.spki), hash);
      assert.equal(id?.hash, hash);
      assert.deepEqual(id?.issuerNameHash, expected.issuerNameHash);
      assert.deepEqual(id?.issuerKeyHash, expected.issuerKeyHash);
      assert.equal(id?.serial, serial.toString('hex').replace(/^(00)+/, ''));
      assert.equal(request.nonce, undefined);
    });
  }

  it('takes 1 to 16 certificates and nonces of 1 to 128 octets', () => {
    const id = idOf(issuing, Uint8Array.of(1));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 200 }), (count, length) => {
        const result = parseOcspRequest(
          encodeOcspRequest(new Array<Uint8Array>(count).fill(id), new Uint8Array(length)),
        );
        if (count === 0) assert.equal(refusal(result), 'ocsp.malformed');
        else if (count > 16) assert.equal(refusal(result), 'ocsp.tooManyCertIds');
        else if (length < 1 || length > 128) assert.equal(refusal(result), 'ocsp.badNonce');
        else assert.equal(must(result).nonce?.length, length);
      }),
    );
  });

  it('names each refusal', () => {
    const id = idOf(issuing, Uint8Array.of(1));
    const good = encodeOcspRequest([id]);
    const extended = (extension: Uint8Array): Uint8Array =>
      der.sequence(der.sequence(der.sequence(der.sequence(id)), der.context(2, der.sequence(extension))));
    const critical = der.sequence(der.oid('1.2.3'), der.boolean(true), der.octetString(der.nullValue()));
    const rawNonce = der.sequence(der.oid('1.3.6.1.5.5.7.48.1.2'), der.octetString(Uint8Array.of(1, 2, 3)));
    assert.equal(refusal(parseOcspRequest(good.subarray(0, -1))), 'ocsp.malformed');
    assert.equal(refusal(parseOcspRequest(new Uint8Array())), 'ocsp.malformed');
    assert.equal(refusal(parseOcspRequest(new Uint8Array(17 * 1024))), 'ocsp.tooLarge');
    assert.equal(refusal(parseOcspRequest(extended(critical))), 'ocsp.criticalExtension');
    assert.equal(refusal(parseOcspRequest(extended(rawNonce))), 'ocsp.badNonce');
    const version2 = der.sequence(der.sequence(der.context(0, der.integer(1)), der.sequence(der.sequence(id))));
    assert.equal(refusal(parseOcspRequest(version2)), 'ocsp.malformed');
  });

  it('leaves the hash open when it does not know the algorithm, and keeps the client’s bytes', () => {
    const id = der.sequence(
      der.sequence(der.oid('1.2.3.4')),
      der.octetString(Uint8Array.of(1)),
      der.octetString(Uint8Array.of(2)),
      der.integer(3),
    );
    const [parsed] = must(parseOcspRequest(encodeOcspRequest([id]))).certIds;
    assert.equal(parsed?.hash, undefined);
    assert.deepEqual(Buffer.from(parsed?.der ?? []), Buffer.from(id));
  });

  it('comes out of the path of a GET in every spelling', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 20 }), fc.nat(2), (serial, slashes) => {
        const request = encodeOcspRequest([idOf(issuing, serial)]);
        const base64 = Buffer.from(request).toString('base64');
        const spellings = [
          base64,
          encodeURIComponent(base64),
          base64.replaceAll('=', ''),
          base64.replaceAll('+', '%2b'),
        ];
        for (const spelling of spellings) {
          assert.deepEqual(ocspRequestFromPath('/'.repeat(slashes) + spelling), Buffer.from(request));
        }
      }),
    );
    for (const bad of ['', '/', '%', '%zz', 'a b', 'M€', '<script>', 'M'.repeat(60_000)]) {
      assert.equal(ocspRequestFromPath(bad), undefined);
    }
  });
});

describe('OCSP response', () => {
  for (const algorithm of KEY_ALGORITHMS) {
    it(`verifies with a responder of ${algorithm}`, async () => {
      const authority = await makeRoot(algorithm);
      const responder = await delegate(authority, algorithm);
      const certId = idOf(authority, Uint8Array.of(5));
      const response = successful(await respond(responder, { responses: [{ ...GOOD, certId }] }));
      assert.ok(await verifyOcspResponse(response, authority.certificate, now));
      assert.ok(!(await verifyOcspResponse(response, issuing.certificate, now)));
      assert.equal(response.producedAt, second);
    });
  }

  it('may be signed by the CA itself', async () => {
    const self: Responder = { ...issuing, algorithm: 'ec-p256' };
    const answer = { responses: [{ ...GOOD, certId: idOf(issuing, Uint8Array.of(5)) }] };
    const response = successful(await respond(self, answer, false));
    assert.deepEqual(response.certificates, []);
    assert.ok(await verifyOcspResponse(response, issuing.certificate, now));
  });

  it('does not verify when forged, expired or signed by somebody who is no responder', async () => {
    const answer = { responses: [{ ...GOOD, certId: idOf(issuing, Uint8Array.of(5)) }] };
    const responder = await delegate(issuing, 'ec-p256');
    const bytes = Buffer.from(await respond(responder, answer));
    const at = bytes.indexOf(Buffer.from('8000', 'hex'));
    bytes[at] = 0x82;
    assert.equal(successful(bytes).responses[0]?.status.kind, 'unknown');
    assert.ok(!(await verifyOcspResponse(successful(bytes), issuing.certificate, now)));
    const old = await delegate(issuing, 'ec-p256', { notBefore: now - 2 * DAY, notAfter: now - DAY });
    assert.ok(!(await verifyOcspResponse(successful(await respond(old, answer)), issuing.certificate, now)));
    const key = await generateKey('ec-p256');
    const order = { profile: profile('tls-client'), subject: nameOf(['CN', 'OCSP']), spki: key.spki };
    const impostor: Responder = { key, certificate: await issue(issuing, order), algorithm: 'ec-p256' };
    assert.ok(!(await verifyOcspResponse(successful(await respond(impostor, answer)), issuing.certificate, now)));
    assert.ok(
      !(await verifyOcspResponse(successful(await respond(responder, answer, false)), issuing.certificate, now)),
    );
  });

  it('gives every status, time and nonce back through the parser', () => {
    const instant = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
    const status: fc.Arbitrary<OcspCertStatus> = fc.oneof(
      fc.constant({ kind: 'good' as const }),
      fc.constant({ kind: 'unknown' as const }),
      instant.map((revokedAt) => ({ kind: 'revoked' as const, revokedAt })),
      fc
        .tuple(instant, fc.constantFrom('keyCompromise' as const, 'certificateHold' as const, 'aACompromise' as const))
        .map(([revokedAt, reason]) => ({ kind: 'revoked' as const, revokedAt, reason })),
    );
    const single = fc.record({
      serial: fc.uint8Array({ minLength: 1, maxLength: 20 }),
      status,
      thisUpdate: instant,
      nextUpdate: instant,
    });
    const nonces = fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.array(single, { minLength: 1, maxLength: 16 }),
        nonces,
        fc.boolean(),
        (singles, nonce, extendedRevoke) => {
          const responses = singles.map(({ serial, ...rest }) => ({
            ...rest,
            certId: idOf(issuing, serial, 'sha256'),
          }));
          const hash = responderKeyHash(issuing.key.spki);
          const input = { responderKeyHash: hash, producedAt: second, responses, extendedRevoke };
          const tbs = buildOcspResponseData(nonce === undefined ? input : { ...input, nonce });
          const algorithm = signatureAlgorithmFor('ec-p256').derAlgorithmIdentifier;
          const parsed = successful(assembleOcspResponse(tbs, algorithm, Uint8Array.of(1)));
          assert.deepEqual(
            parsed.responses.map(({ certId: id, ...rest }) => ({ ...rest, certId: Buffer.from(id.der) })),
            responses.map((response) => ({ ...response, certId: Buffer.from(response.certId) })),
          );
          assert.deepEqual(parsed.nonce && Buffer.from(parsed.nonce), nonce && Buffer.from(nonce));
          assert.deepEqual(parsed.responderKeyHash, hash);
        },
      ),
    );
  });

  it('leaves out the reason "unspecified"', () => {
    const certId = idOf(issuing, Uint8Array.of(1));
    const of = (status: OcspCertStatus): Uint8Array =>
      buildOcspResponseData({
        responderKeyHash: new Uint8Array(20),
        producedAt: now,
        responses: [{ ...GOOD, certId, status }],
      });
    assert.deepEqual(
      of({ kind: 'revoked', revokedAt: now, reason: 'unspecified' }),
      of({ kind: 'revoked', revokedAt: now }),
    );
  });

  it('without an answer is five octets', () => {
    const codes = { malformedRequest: 1, internalError: 2, tryLater: 3, sigRequired: 5, unauthorized: 6 } as const;
    for (const [status, code] of Object.entries(codes) as [keyof typeof codes, number][]) {
      assert.deepEqual(Buffer.from(ocspErrorResponse(status)), Buffer.from([0x30, 3, 0x0a, 1, code]));
      assert.deepEqual(must(parseOcspResponse(ocspErrorResponse(status))), { status });
    }
    assert.equal(refusal(parseOcspResponse(Uint8Array.of(0x30, 3, 0x0a, 1, 4))), 'ocspResponse.malformed');
    const other = der.sequence(der.enumerated(0), der.context(0, der.sequence(der.oid('1.2.3'), der.octetString())));
    assert.equal(refusal(parseOcspResponse(other)), 'ocspResponse.unsupportedType');
  });

  it('returns a value or an error for any damage, never throws', async () => {
    const responder = await delegate(issuing, 'ec-p256');
    const certId = idOf(issuing, Uint8Array.of(1));
    const bytes = await respond(responder, { responses: [{ ...GOOD, certId }], nonce: randomBytes(16) });
    const request = encodeOcspRequest([certId], randomBytes(16));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, octet, length) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = octet;
        parseOcspResponse(damaged);
        parseOcspResponse(damaged.subarray(0, length));
        const asked = Buffer.from(request);
        asked[at % asked.length] = octet;
        parseOcspRequest(asked);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('OCSP with openssl', { skip: skipWithoutOpenssl }, () => {
  const cases: readonly [name: string, status: OcspCertStatus, shows: RegExp][] = [
    ['good', { kind: 'good' }, /leaf\.pem: good/],
    [
      'revoked',
      { kind: 'revoked', revokedAt: now - DAY, reason: 'keyCompromise' },
      /revoked[\s\S]*Reason: keyCompromise/,
    ],
    ['unknown', { kind: 'unknown' }, /leaf\.pem: unknown/],
  ];
  for (const [name, status, shows] of cases) {
    for (const digest of ['-sha1', '-sha256']) {
      it(`answers a request of openssl (${digest}) with ${name}`, async (t) => {
        const folder = scratchFolder(t);
        const { spki } = await generateKey('ec-p256');
        const leaf = await issue(issuing, { profile: profile('tls-client'), subject: nameOf(['CN', 'x']), spki });
        writeFileSync(join(folder, 'root.pem'), toPem('CERTIFICATE', root.certificate.der));
        writeFileSync(join(folder, 'issuing.pem'), toPem('CERTIFICATE', issuing.certificate.der));
        writeFileSync(join(folder, 'leaf.pem'), toPem('CERTIFICATE', leaf.der));
        const about = [digest, '-issuer', 'issuing.pem', '-cert', 'leaf.pem'];
        openssl(folder, ['ocsp', ...about, '-nonce', '-reqout', 'request.der']);
        const { certIds, nonce } = must(parseOcspRequest(readFileSync(join(folder, 'request.der'))));
        assert.equal(certIds[0]?.serial, leaf.serial);
        assert.ok(nonce);
        const responder = await delegate(issuing, 'ec-p256');
        const responses = certIds.map((id) => ({ ...GOOD, certId: id.der, status }));
        writeFileSync(join(folder, 'response.der'), await respond(responder, { responses, nonce }));
        const trust = ['-CAfile', 'root.pem', '-verify_other', 'issuing.pem'];
        const args = ['ocsp', ...about, '-respin', 'response.der', '-no_nonce', ...trust];
        const run = spawnSync('openssl', args, { cwd: folder });
        assert.match(run.stderr.toString(), /Response verify OK/);
        assert.match(run.stdout.toString(), shows);
      });
    }
  }
});
