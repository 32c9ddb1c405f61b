/** Runs the examples of a page as somebody would who types them into one shell. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Example, ROOT } from './markdown.ts';

export interface Ran {
  /** What it wrote to standard output. */
  readonly printed: string;
  /** Whether it came to its end without a command that failed. */
  readonly succeeded: boolean;
}

export interface SessionResult {
  /** By position; examples behind one that failed are missing. */
  readonly ran: readonly Ran[];
  /** Standard error of all, and the end of each log that they wrote. */
  readonly errors: string;
}

const LIMIT_MS = 50_000;
const SHOWN_OF_LOG = 2_000;
const BEGIN = '@@begin';
const END = '@@end';

/** `npx certwright` works in the clone only; here it does in any folder, and under the runtime of the tests. */
async function installPrograms(folder: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const main = join(ROOT, 'packages/cli/src/main.ts');
  const script = `#!/bin/sh\n[ "$1" = certwright ] || { echo "npx $1: not here" >&2; exit 127; }\nshift\nexec '${process.execPath}' '${main}' "$@"\n`;
  await writeFile(join(bin, 'npx'), script);
  await chmod(join(bin, 'npx'), 0o755);
  return bin;
}

/** Runs the examples in a folder of their own and ends every process that they left. */
export async function runSession(
  examples: readonly Example[],
  environment: Readonly<Record<string, string>>,
): Promise<SessionResult> {
  const folder = await mkdtemp(join(tmpdir(), 'certwright-docs-'));
  try {
    const bin = await installPrograms(folder);
    const work = join(folder, 'work');
    await mkdir(work);
    const script = join(folder, 'session.sh');
    const body = examples.map(
      ({ text: commands }, index) => `echo; echo '${BEGIN} ${index}'\n${commands}\necho; echo '${END}'\n`,
    );
    await writeFile(script, `set -euo pipefail\n${body.join('')}`);
    const child = spawn('bash', [script], {
      cwd: work,
      stdio: ['ignore', 'pipe', 'pipe'],
      // a group of its own, so that servers in the background end with it
      detached: true,
      env: { ...process.env, ...environment, PATH: `${bin}:${process.env.PATH}` },
    });
    const endAll = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // nobody is left
      }
    };
    const late = setTimeout(endAll, LIMIT_MS);
    const streams = Promise.all([text(child.stdout), text(child.stderr)]);
    await once(child, 'exit');
    clearTimeout(late);
    endAll();
    const [output, errors] = await streams;
    return { ran: split(output), errors: errors + (await logsIn(work)) };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function logsIn(folder: string): Promise<string> {
  let logs = '';
  for await (const name of glob('*.log', { cwd: folder })) {
    logs += `\n${name}:\n${(await readFile(join(folder, name), 'utf8')).slice(-SHOWN_OF_LOG)}`;
  }
  return logs;
}

function split(output: string): Ran[] {
  return output
    .split(new RegExp(`^${BEGIN} \\d+$`, 'm'))
    .slice(1)
    .map((part) => {
      const [printed = '', ...rest] = part.split(new RegExp(`^${END}$`, 'm'));
      return { printed, succeeded: rest.length > 0 };
    });
}
