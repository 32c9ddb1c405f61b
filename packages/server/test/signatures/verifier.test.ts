import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCsr, generateKey, KEY_ALGORITHMS, nameOf, parseCsr } from '@certwright/pki';
import { packChecks, type SignatureCheck, unpackChecks } from '../../src/adapters/signatures/protocol.ts';
import { createThreadedVerifier } from '../../src/adapters/signatures/verifier.ts';

async function checkOf(algorithm: (typeof KEY_ALGORITHMS)[number]): Promise<SignatureCheck> {
  const { privateKey } = await generateKey(algorithm);
  const csr = parseCsr(await createCsr({ subject: nameOf(['CN', 'a.example']), key: privateKey }));
  assert.ok(csr.ok);
  const { spki, signatureAlgorithm, infoDer, signature } = csr.value;
  return { spki, algorithm: signatureAlgorithm.derAlgorithmIdentifier, tbs: infoDer, signature };
}

const flipped = (bytes: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  const last = copy.length - 1;
  copy[last] = (copy[last] ?? 0) ^ 1;
  return copy;
};

const ask = (verifier: ReturnType<typeof createThreadedVerifier>, one: SignatureCheck): Promise<boolean> =>
  verifier.verify(one.spki, one.algorithm, one.tbs, one.signature);

describe('checking signatures on a thread of its own', () => {
  it('packs and unpacks checks unchanged', async () => {
    const checks = [await checkOf('ec-p256'), await checkOf('ed25519')];
    assert.deepEqual(
      unpackChecks(packChecks(7, checks)).map((one) =>
        Object.values(one).map((bytes) => Buffer.from(bytes).toString('hex')),
      ),
      checks.map((one) => Object.values(one).map((bytes) => Buffer.from(bytes).toString('hex'))),
    );
  });

  it('answers each of many, good and bad ones of every algorithm mixed, and single ones too', async (t) => {
    const verifier = createThreadedVerifier();
    t.after(() => verifier.close());
    const made = await Promise.all(KEY_ALGORITHMS.map(checkOf));
    const asked = made.flatMap((one, index) => [
      { expected: true, check: one },
      { expected: false, check: { ...one, signature: flipped(one.signature) } },
      { expected: false, check: { ...one, tbs: flipped(one.tbs) } },
      { expected: false, check: { ...one, spki: made[(index + 1) % made.length]?.spki ?? one.spki } },
      { expected: false, check: { ...one, spki: new Uint8Array(3) } },
    ]);
    const answers = await Promise.all(asked.map(({ check }) => ask(verifier, check)));
    assert.deepEqual(
      answers,
      asked.map(({ expected }) => expected),
    );
    const [first] = made;
    assert.ok(first);
    assert.equal(await ask(verifier, first), true);
  });

  it('gives every answer also when it is closed meanwhile', async () => {
    const verifier = createThreadedVerifier();
    const check = await checkOf('ec-p256');
    const answers = Array.from({ length: 50 }, () => ask(verifier, check));
    await verifier.close();
    assert.ok((await Promise.all(answers)).every(Boolean));
    assert.equal(await ask(verifier, check), true);
  });
});
