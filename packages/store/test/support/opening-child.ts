/** Child process that opens the store as soon as it is told to, and says how that ended. */
import { once } from 'node:events';
import { openAt } from './open.ts';

const [kind = '', location = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.pause();
try {
  const store = await openAt(kind, location);
  const id = await store.nextId();
  await store.close();
  process.stdout.write(`opened ${id}\n`);
} catch (error) {
  process.stdout.write(`failed ${error instanceof Error ? error.message : 'unknown'}\n`);
}
