/** `certwright demo`: a sandbox, the main job in it, and the addresses to go on with. */
import { resolve } from 'node:path';
import type { ReadyLine, Sandbox } from '@certwright/server';
import { CliError, EXIT } from '../exit-codes.ts';
import type { Io } from '../output.ts';
import { createReporter, type Reporter, StepError } from './reporter.ts';
import { type DemoResult, runDemo } from './run.ts';

export const DEMO_DIRECTORY = './certwright-demo';

interface DemoOptions {
  readonly once: boolean;
  readonly directory: string;
  readonly io: Io;
}

/** Runs the demo; the sandbox that it returns stays up, undefined with `once`. Throws a `CliError` that names the failed step. */
export async function demonstrate({ once, directory, io }: DemoOptions): Promise<Sandbox | undefined> {
  const isTerminal = process.stdout.isTTY === true && !io.env.NO_COLOR;
  const startedAt = performance.now();
  const reporter = createReporter({ write: (text) => io.out(text), isTerminal, now: () => performance.now() });
  reporter.line('Certwright demo: one TLS certificate from order to revocation, over the public API only\n');

  const sandbox = await orFail(
    reporter.step(
      'Sandbox',
      async () => {
        const { startSandbox } = await import('@certwright/server');
        return startSandbox({ port: 0, logLevel: 'error' });
      },
      ({ ready }) => `API v2 at ${ready.baseUrl}, OCSP and CRLs at ${ready.httpUrl}`,
    ),
  );
  try {
    const result = await orFail(runDemo(sandbox.ready, resolve(directory), reporter));
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    reporter.line(`\nAll steps done in ${seconds} s.`);
    if (!once) {
      tellHowToGoOn(reporter, sandbox.ready, result, resolve(directory));
      return sandbox;
    }
  } catch (error) {
    await sandbox.close();
    throw error;
  }
  await sandbox.close();
  return undefined;
}

function tellHowToGoOn(reporter: Reporter, ready: ReadyLine, { orderId, crlUrl }: DemoResult, directory: string): void {
  const { baseUrl, httpUrl, control, clientId, clientSecret } = ready;
  const trust = `curl -s --cacert ${directory}/root.pem`;
  reporter.line(`
It stays up until Ctrl-C:
  API          ${baseUrl}/api/certinext/v2
  Description  ${baseUrl}/docs
  OCSP, CRLs   ${httpUrl}
  Control      ${control}/openapi.json

Try:
  TOKEN=$(${trust} -d grant_type=client_credentials -d client_id=${clientId} -d client_secret=${clientSecret} ${baseUrl}/oauth/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  ${trust} -H "Authorization: Bearer $TOKEN" ${baseUrl}/api/certinext/v2/ssl-certificates/${orderId}
  curl -s ${crlUrl} | openssl crl -inform DER -noout -text
`);
}

async function orFail<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StepError) {
      throw new CliError(EXIT.failed, `the demo failed at “${error.step}”: ${error.message}`, { code: 'demo.failed' });
    }
    throw error;
  }
}
