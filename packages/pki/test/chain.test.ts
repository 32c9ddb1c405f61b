import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Certificate,
  type CertificateProfile,
  generateKey,
  isSelfIssued,
  issuerContext,
  nameOf,
  parseCertificate,
  validateChain,
  verifyIssued,
} from '@certwright/pki';
import { type Authority, issue, makeIssuing, makeRoot, must, profile, refusal } from './authority.ts';

const DAY = 86_400_000;
const now = Date.now();
const root = await makeRoot('ec-p256');
const issuing = await makeIssuing(root, 'ec-p256');
const leafKey = await generateKey('ec-p256');

const leafOf = (
  authority: Authority,
  changes: { notBefore?: number; notAfter?: number; profile?: CertificateProfile } = {},
) => issue(authority, { profile: profile('tls-client'), subject: nameOf(['CN', 'x']), spki: leafKey.spki, ...changes });

const code = async (chain: readonly Certificate[], anchors: readonly Certificate[] = [root.certificate], at = now) => {
  const result = await validateChain(chain, { anchors, now: at });
  return result.ok ? 'ok' : `${result.error.code}@${result.error.index}`;
};

/** A CA below `above` with other rules than the profile's. */
async function caBelow(above: Authority, changes: Partial<CertificateProfile>): Promise<Authority> {
  const key = await generateKey('ec-p256');
  const rules = { ...profile('issuing-ca'), ...changes };
  const certificate = await issue(above, { profile: rules, subject: nameOf(['CN', 'Below']), spki: key.spki });
  const context = must(issuerContext({ ...certificate, isCa: true }, {}));
  return { certificate, key, context };
}

describe('validateChain', () => {
  it('accepts a chain with and without its anchor', async () => {
    const leaf = await leafOf(issuing);
    assert.equal(await code([leaf, issuing.certificate]), 'ok');
    assert.equal(await code([leaf, issuing.certificate, root.certificate]), 'ok');
    assert.equal(await code([root.certificate]), 'ok');
    assert.ok(isSelfIssued(root.certificate) && !isSelfIssued(leaf));
  });

  it('refuses an empty, an endless and an untrusted chain', async () => {
    const leaf = await leafOf(issuing);
    const stranger = await makeRoot('ec-p256');
    assert.equal(await code([]), 'chain.empty@0');
    assert.equal(await code(new Array<Certificate>(9).fill(root.certificate)), 'chain.tooLong@8');
    assert.equal(await code([leaf, issuing.certificate], []), 'chain.untrusted@1');
    assert.equal(await code([leaf, issuing.certificate], [stranger.certificate]), 'chain.untrusted@1');
    assert.equal(await code([leaf]), 'chain.untrusted@0');
  });

  it('refuses what is not valid at the time asked for', async () => {
    const leaf = await leafOf(issuing, { notBefore: now - 2 * DAY, notAfter: now - DAY });
    const last = Math.floor((now - DAY) / 1000) * 1000 + 999;
    assert.equal(await code([leaf, issuing.certificate]), 'chain.expired@0');
    const early = await makeIssuing(await makeRoot('ec-p256'), 'ec-p256');
    const young = await leafOf(early, { notBefore: now + DAY });
    assert.equal(await code([young, early.certificate], [early.certificate]), 'chain.notYetValid@0');
    const old = await leafOf(issuing, { notBefore: now - 60_000, notAfter: last });
    assert.equal(await code([old, issuing.certificate], [issuing.certificate], now - 30_000), 'chain.expired@0');
    const short = await leafOf(issuing, { notBefore: now - 60_000, notAfter: now });
    const end = Math.floor(now / 1000) * 1000;
    assert.equal(await code([short, issuing.certificate], [issuing.certificate], end + 999), 'ok');
    assert.equal(await code([short, issuing.certificate], [issuing.certificate], end + 1000), 'chain.expired@0');
  });

  it('refuses links that do not fit', async () => {
    const leaf = await leafOf(issuing);
    const namesake = await makeIssuing(root, 'ec-p256');
    assert.equal(await code([leaf, root.certificate]), 'chain.issuerName@0');
    assert.equal(await code([leaf, namesake.certificate]), 'chain.keyIdentifier@0');
    const damaged = Buffer.from(leaf.der);
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1;
    const forged = must(parseCertificate(damaged));
    assert.equal(await code([forged, issuing.certificate]), 'chain.badSignature@0');
    assert.ok(!(await verifyIssued(forged, issuing.certificate)));
  });

  it('refuses issuers that are no CA, may not sign, or stand too deep', async () => {
    const noCa = await caBelow(root, { basicConstraints: { ca: false } });
    assert.equal(await code([await leafOf(noCa), noCa.certificate]), 'chain.notCa@0');
    const rules = profile('issuing-ca');
    const noSign = await caBelow(root, { keyUsage: { ...rules.keyUsage, ec: ['cRLSign'] } });
    assert.equal(await code([await leafOf(noSign), noSign.certificate]), 'chain.keyUsage@0');
    const below = await caBelow(issuing, {});
    assert.equal(await code([await leafOf(below), below.certificate, issuing.certificate]), 'chain.pathLength@2');
  });

  it('stops at a critical extension that it does not know', async () => {
    const leaf = await leafOf(issuing);
    const critical = { oid: '2.5.29.30', critical: true, value: new Uint8Array() };
    const odd = { ...leaf, extensions: [...leaf.extensions, critical] };
    assert.equal(await code([odd, issuing.certificate]), 'chain.criticalExtension@0');
  });

  it('makes no issuer of an end entity', async () => {
    assert.equal(refusal(issuerContext(await leafOf(issuing), {})), 'issuer.notCa');
  });
});
