/** Load generator process: takes one plan over the channel of `fork`, runs it, sends its report and ends. */
import { createGenerator, type Generator } from './load/generator.ts';
import type { FromGenerator, LoadPlan, ToGenerator } from './load/plan.ts';

function tell(message: FromGenerator): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.send?.(message, () => resolve());
  return promise;
}

let generator: Generator | undefined;

async function run(plan: LoadPlan): Promise<void> {
  generator = createGenerator(plan);
  const report = await generator.run(() => void tell({ kind: 'counting' }));
  await tell({ kind: 'done', report });
  process.disconnect?.();
}

if (process.send === undefined) {
  process.stderr.write('load.ts is started by bench/run.ts\n');
  process.exitCode = 2;
} else {
  process.on('message', (message: ToGenerator) => {
    if (message.kind === 'stop') generator?.stop();
    else run(message.plan).catch((error: unknown) => tell({ kind: 'failed', message: String(error) }));
  });
  process.on('disconnect', () => process.exit(0));
}
