/** The thread that imports public keys and checks signatures, a batch at a time. */
import { parentPort } from 'node:worker_threads';
import { verifySignature } from '@certwright/pki';
import { type CheckedBatch, type PackedChecks, unpackChecks } from './protocol.ts';

parentPort?.on('message', async (packed: PackedChecks) => {
  const good = await Promise.all(
    unpackChecks(packed).map(({ spki, algorithm, tbs, signature }) => verifySignature(spki, algorithm, tbs, signature)),
  );
  const answer: CheckedBatch = { batch: packed.batch, good: Uint8Array.from(good, Number) };
  parentPort?.postMessage(answer);
});
