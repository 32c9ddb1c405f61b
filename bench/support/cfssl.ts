/** The peer: `cfssl serve` of Debian's golang-cfssl, which signs CSRs over HTTP. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { httpMessage, type LoadRequest } from '../load/client.ts';
import { endProcess, freePort, isInstalled, untilListening } from './process.ts';

const run = promisify(execFile);

/** Every log line costs the peer time; warnings and errors are enough. */
const LOG_LEVEL = '2';
const SIGN_PATH = '/api/v1/cfssl/sign';

const SIGNING = {
  signing: {
    default: {
      usages: ['digital signature', 'server auth'],
      expiry: '8760h',
      ocsp_url: 'http://127.0.0.1:8442/ocsp/issuing-1',
      crl_url: 'http://127.0.0.1:8442/crl/issuing-1.crl',
      issuer_urls: ['http://127.0.0.1:8442/ca/issuing-1.cer'],
    },
  },
};

export interface CfsslPeer {
  readonly name: string;
  /** Load of sign requests over the CSRs (PEM). */
  signLoad(
    csrs: readonly string[],
    hostname: (index: number) => string,
  ): Pick<LoadRequest, 'port' | 'requests' | 'expect'>;
  stop(): Promise<void>;
}

/**
 * Starts the peer with a P-256 CA of its own in `directory`, stateless, or with the certificate table of a PostgreSQL
 * database; undefined when it is not installed.
 */
export async function startCfssl(directory: string, databaseUrl?: string): Promise<CfsslPeer | undefined> {
  if (!(await isInstalled('cfssl', 'version'))) return undefined;
  await mkdir(directory, { recursive: true });
  const file = (name: string): string => path.join(directory, name);
  await writeFile(file('request.json'), JSON.stringify({ CN: 'Peer CA', key: { algo: 'ecdsa', size: 256 } }));
  await writeFile(file('signing.json'), JSON.stringify(SIGNING));
  const { stdout } = await run('cfssl', ['genkey', '-initca', file('request.json')]);
  const made: { cert: string; key: string } = JSON.parse(stdout);
  await writeFile(file('ca.pem'), made.cert);
  await writeFile(file('ca-key.pem'), made.key, { mode: 0o600 });
  const args = ['-ca', file('ca.pem'), '-ca-key', file('ca-key.pem'), '-config', file('signing.json')];
  if (databaseUrl !== undefined) {
    await writeFile(file('database.json'), JSON.stringify({ driver: 'postgres', data_source: databaseUrl }));
    args.push('-db-config', file('database.json'));
  }
  const port = await freePort();
  const child: ChildProcess = spawn(
    'cfssl',
    ['serve', '-address', '127.0.0.1', '-port', String(port), '-loglevel', LOG_LEVEL, ...args],
    { stdio: 'ignore', cwd: directory },
  );
  await untilListening(port);
  return {
    name: databaseUrl === undefined ? 'cfssl sign, no store' : 'cfssl sign, PostgreSQL',
    signLoad: (csrs, hostname) => ({
      port,
      requests: csrs.map((csr, index) => {
        const body = JSON.stringify({ hostname: hostname(index), certificate_request: csr });
        return httpMessage('POST', SIGN_PATH, { 'Content-Type': 'application/json' }, Buffer.from(body));
      }),
      expect: { status: 200, bodyIncludes: Buffer.from('"success":true'), echo: false },
    }),
    stop: () => endProcess(child),
  };
}

/** What cfssl 1.2 expects in its database. */
export const CFSSL_TABLES = `
  CREATE TABLE certificates (
    serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL, ca_label bytea, status bytea NOT NULL,
    reason int, expiry timestamptz, revoked_at timestamptz, pem bytea NOT NULL,
    PRIMARY KEY (serial_number, authority_key_identifier));
  CREATE TABLE ocsp_responses (
    serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL, body bytea NOT NULL, expiry timestamptz,
    PRIMARY KEY (serial_number, authority_key_identifier),
    FOREIGN KEY (serial_number, authority_key_identifier) REFERENCES certificates (serial_number, authority_key_identifier));`;
