import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';

const TIMEOUT_MS = 20_000;

/** Runs a program that reads no input to its end; a non-zero exit is a result, a missing program rejects. */
export async function runProgram(program: string, args: readonly string[]) {
  // without a pipe for input there is none to break when the program ends before it was written to
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const [exitCode, stdout, stderr] = await Promise.all([ended, buffer(child.stdout), buffer(child.stderr)]);
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}
