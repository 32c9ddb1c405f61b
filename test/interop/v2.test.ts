/** The flows of the API v2 as shell scripts of curl, openssl and jq run them, against one sandbox. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type SandboxProcess, startSandboxProcess } from '../support/sandbox.ts';

const scripts = globSync(join(import.meta.dirname, 'v2', '*.sh'))
  .filter((path) => basename(path) !== 'lib.sh')
  .sort();
const folders = (process.env.PATH ?? '').split(delimiter);
const missing = ['bash', 'curl', 'openssl', 'jq'].filter(
  (program) => !folders.some((folder) => existsSync(join(folder, program))),
);
const skip = missing.length > 0 && process.env.CI !== 'true' ? `${missing.join(', ')} not installed` : false;

describe('API v2 by shell scripts', { skip, timeout: 180_000 }, () => {
  let sandbox: SandboxProcess;
  before(async () => {
    sandbox = await startSandboxProcess();
  });
  after(() => sandbox?.stop());

  for (const script of scripts) {
    it(basename(script, '.sh'), async () => {
      const child = spawn('bash', [script], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, CERTWRIGHT_READY: JSON.stringify(sandbox.ready) },
      });
      const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      assert.equal(code, 0, `${out}${err}`);
    });
  }
});
