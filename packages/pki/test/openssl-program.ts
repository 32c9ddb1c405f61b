import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const version = spawnSync('openssl', ['version'], { encoding: 'utf8' });

/** Option of a test that needs the `openssl` program: a reason to skip it, or false. CI must have the program. */
export const skipWithoutOpenssl: string | false =
  version.status === 0 || process.env.CI === 'true' ? false : 'the openssl program is not installed';

/** Folder of its own that goes away with the test. */
export function scratchFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwright-pki-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function run(folder: string, args: readonly string[], input: string | Uint8Array): { stdout: Buffer; stderr: Buffer } {
  const { status, stdout, stderr, error } = spawnSync('openssl', args, { cwd: folder, input, timeout: 60_000 });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${error?.message ?? stderr.toString()}`);
  return { stdout, stderr };
}

/** Runs `openssl` in `folder` and returns its standard output; fails with what it said on standard error. */
export function openssl(folder: string, args: readonly string[], input: string | Uint8Array = ''): Buffer {
  return run(folder, args, input).stdout;
}

/** As {@link openssl}, but returns everything that was said: some verdicts only go to standard error. */
export function opensslReport(folder: string, args: readonly string[], input: string | Uint8Array = ''): string {
  const { stdout, stderr } = run(folder, args, input);
  return `${stderr}${stdout}`;
}
