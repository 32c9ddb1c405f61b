import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromGenerator, LoadPlan, LoadReport, ToGenerator } from './plan.ts';

const DEFAULTS = { host: '127.0.0.1', warmUpMs: 1_000, thinkMs: 0, varyLast: 0 } as const;

export type LoadRequest = Omit<LoadPlan, keyof typeof DEFAULTS> & Partial<Pick<LoadPlan, keyof typeof DEFAULTS>>;

export interface RunningLoad {
  /** Resolves when the warm-up is over. */
  readonly counting: Promise<void>;
  readonly report: Promise<LoadReport>;
  /** Ends a plan without a duration. */
  stop(): void;
}

/** Starts a generator in a process of its own. */
export function startLoad(request: LoadRequest): RunningLoad {
  const plan: LoadPlan = { ...DEFAULTS, ...request };
  const child = fork(fileURLToPath(new URL('../load.ts', import.meta.url)), { serialization: 'advanced' });
  const counting = Promise.withResolvers<void>();
  const report = Promise.withResolvers<LoadReport>();
  const send = (message: ToGenerator): boolean => child.send(message);
  child.on('message', (message: FromGenerator) => {
    switch (message.kind) {
      case 'counting':
        counting.resolve();
        break;
      case 'done':
        report.resolve(message.report);
        break;
      case 'failed':
        report.reject(new Error(`load generator: ${message.message}`));
        break;
    }
  });
  child.on('exit', (code) => {
    counting.resolve();
    report.reject(new Error(`load generator ended with ${code}`));
  });
  send({ kind: 'run', plan });
  return { counting: counting.promise, report: report.promise, stop: () => send({ kind: 'stop' }) };
}

/** Runs a plan to its end. A run in which any answer was wrong is an error: its rate would be a lie. */
export async function measure(request: LoadRequest): Promise<LoadReport> {
  const report = await startLoad(request).report;
  if (report.failures > 0 || report.answers === 0) {
    throw new Error(
      `${report.failures} wrong answers beside ${report.answers} right ones: ${report.samples.join(' | ')}`,
    );
  }
  return report;
}

/** An HTTP/1.1 message as octets. */
export function httpMessage(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array,
): Uint8Array {
  const all = body === undefined ? headers : { ...headers, 'Content-Length': String(body.length) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}\r\n`, 'latin1');
  return body === undefined ? head : Buffer.concat([head, body]);
}
