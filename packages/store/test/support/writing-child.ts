/** Child process of the crash test: writes issuances without end and says on stdout which were acknowledged. */
import { audit, certificate, order, subscription } from '../records.ts';
import { openAt } from './open.ts';

const [kind = '', location = ''] = process.argv.slice(2);
const store = await openAt(kind, location);

async function issue(): Promise<never> {
  for (;;) {
    const id = await store.nextId();
    const prepared = await store.write({
      writes: [
        { op: 'insert', table: 'order', row: order(id, { phase: 'issuing' }) },
        { op: 'insert', table: 'subscription', row: subscription(id) },
        { op: 'insert', table: 'certificate', row: certificate(id) },
      ],
      audit: audit({ activity: 'certificate.prepared', objectId: String(id) }),
    });
    if (!prepared.ok) throw new Error(JSON.stringify(prepared));
    process.stdout.write(`prepared ${id}\n`);
    const issued = await store.write({
      writes: [
        {
          op: 'update',
          table: 'certificate',
          id,
          version: 1,
          set: { state: 'valid', tbs: null, der: Uint8Array.of(1) },
        },
        { op: 'update', table: 'order', id, version: 1, set: { phase: 'issued', lifecycle: 'issued' } },
      ],
      audit: audit({ activity: 'certificate.issued', objectId: String(id) }),
    });
    if (!issued.ok) throw new Error(JSON.stringify(issued));
    process.stdout.write(`issued ${id}\n`);
  }
}

await Promise.all(Array.from({ length: 32 }, issue));
