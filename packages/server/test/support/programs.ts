/** Real client programs that tests hold our servers against. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const TIMEOUT_MS = 20_000;

/**
 * What to pass as a test's `skip` when it needs a program: a reason where the program is missing, except in CI,
 * where a missing program has to fail the test.
 */
export function skipWithout(program: string): string | false {
  const isThere = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
  return isThere || process.env.CI === 'true' ? false : `${program} is not installed`;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; a non-zero exit is a result, a missing program rejects. */
export function runProgram(program: string, args: readonly string[], input = ''): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    // a program may end before it has read everything: its exit code and output say what it made of it
    child.stdin?.on('error', () => undefined).end(input);
  });
}
