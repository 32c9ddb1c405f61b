/** The program as an operator runs it: in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const READY_WITHIN_MS = 60_000;

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

type Env = Readonly<Record<string, string>>;

/** No setting of whoever runs the tests reaches the program. */
function environment(more: Env): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('CERTWRIGHT_') && name !== 'DATABASE_URL',
  );
  return { ...Object.fromEntries(own), ...more };
}

/** Runs one command to its end. */
export async function run(args: readonly string[], env: Env = {}): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: environment(env) });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, out, err };
}

/** Runs one command with `--json` that must succeed, and returns its document. */
export async function runJson<T>(args: readonly string[], env: Env = {}): Promise<T> {
  const { code, out, err } = await run([...args, '--json'], env);
  if (code !== 0) throw new Error(`certwright ${args.join(' ')} ended with ${code}: ${err}`);
  return JSON.parse(out) as T;
}

export interface Serving {
  readonly child: ChildProcess;
  readonly ready: {
    readonly publicUrl: string;
    readonly publicHttpUrl: string;
    readonly manageSocket: string | null;
    readonly caCertificate: string;
    readonly firstAccount: { readonly accountNumber: string; readonly clientSecret: string } | null;
  };
  /** Log lines and whatever else went to standard error. */
  errors(): string;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `certwright serve` on random ports and waits until it is ready; rejects with its errors when it ends before. */
export async function serve(data: string, args: readonly string[] = [], env: Env = {}): Promise<Serving> {
  const fixed = ['serve', '--json', '--data', data, '--listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, [MAIN, ...fixed, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(env),
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(READY_WITHIN_MS) }),
    ended.then((code) => {
      throw new Error(`serve ended with ${code}: ${errors}`);
    }),
  ]);
  return {
    child,
    ready: JSON.parse(String(first[0])),
    errors: () => errors,
    stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}
