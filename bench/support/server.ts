/** The program under test: `certwright serve` in a process of its own, as an operator starts it, with plain HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endProcess } from './process.ts';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const READY_WITHIN_MS = 60_000;

export interface ServerOptions {
  /** Data directory; it must exist. */
  readonly data: string;
  readonly databaseUrl?: string;
  /** Platform key (base64), needed with `databaseUrl`. */
  readonly key?: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** Is given every line of the server's log. */
  readonly onLog?: (entry: LogEntry) => void;
}

/** A line of the log, with whatever members its event has. */
export interface LogEntry {
  readonly event?: string;
  readonly [member: string]: unknown;
}

export interface FirstAccount {
  readonly accountNumber: string;
  readonly clientSecret: string;
}

export interface RunningServer {
  readonly pid: number;
  readonly apiPort: number;
  readonly statusPort: number;
  readonly manageSocket: string;
  /** Set when this start made it. */
  readonly firstAccount: FirstAccount | null;
  /** From the start of the process to its ready line. */
  readonly startMs: number;
  stop(): Promise<void>;
}

interface ReadyLine {
  readonly ready: true;
  readonly publicUrl: string;
  readonly publicHttpUrl: string;
  readonly manageSocket: string;
  readonly firstAccount: FirstAccount | null;
}

const portOf = (url: string): number => Number(new URL(url).port);

function logEntry(line: string): LogEntry | undefined {
  try {
    return JSON.parse(line);
  } catch {
    // not of the logger: a crash, a warning of the runtime
    return undefined;
  }
}

async function readyLine(child: ChildProcess, onLog: ServerOptions['onLog']): Promise<ReadyLine> {
  if (child.stdout === null || child.stderr === null) throw new Error('the server has no pipes');
  let errors = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors = `${errors}${line}\n`.slice(-4_000);
    const entry = onLog && logEntry(line);
    if (entry !== undefined) onLog?.(entry);
  });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'close').then(() => {
    throw new Error(`the server ended instead of starting: ${errors}`);
  });
  const late = AbortSignal.timeout(READY_WITHIN_MS);
  const [line] = await Promise.race([once(lines, 'line', { signal: late }), ended]);
  ended.catch(() => undefined);
  return JSON.parse(String(line));
}

/** Starts the server and waits for its ready line. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const settings = { 'tls.mode': 'off', 'log.level': 'warn', ...options.settings };
  const args = ['serve', '--json', '--data', options.data, '--listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0'];
  for (const [key, value] of Object.entries(settings)) args.push('--set', `${key}=${value}`);
  const env = { ...process.env };
  if (options.databaseUrl !== undefined) env.DATABASE_URL = options.databaseUrl;
  if (options.key !== undefined) {
    env.BENCH_PLATFORM_KEY = options.key;
    args.push('--set', 'key.env=BENCH_PLATFORM_KEY');
  }
  const startedAt = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  try {
    const ready = await readyLine(child, options.onLog);
    if (child.pid === undefined) throw new Error('the server has no process id');
    return {
      pid: child.pid,
      apiPort: portOf(ready.publicUrl),
      statusPort: portOf(ready.publicHttpUrl),
      manageSocket: ready.manageSocket,
      firstAccount: ready.firstAccount,
      startMs: performance.now() - startedAt,
      stop: () => endProcess(child),
    };
  } catch (error) {
    await endProcess(child);
    throw error;
  }
}
