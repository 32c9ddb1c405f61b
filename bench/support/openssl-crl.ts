import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { isInstalled } from './process.ts';

const run = promisify(execFile);

const CONFIGURATION = `[ca]
default_ca = bench
[bench]
database = index.txt
default_md = sha256
default_crl_days = 7
`;

/**
 * Seconds that `openssl ca -gencrl` takes for as many revoked certificates, from its text database to a signed file;
 * undefined when it is not installed.
 */
export async function opensslCrlSeconds(directory: string, revoked: number): Promise<number | undefined> {
  if (!(await isInstalled('openssl', 'version'))) return undefined;
  await mkdir(directory, { recursive: true });
  const options = { cwd: directory };
  await writeFile(path.join(directory, 'ca.cnf'), CONFIGURATION);
  const lines: string[] = [];
  for (let index = 1; index <= revoked; index++) {
    const serial = (0x10000000000000000000000000000000n + BigInt(index)).toString(16).toUpperCase();
    lines.push(`R\t330101000000Z\t260601000000Z,superseded\t${serial}\tunknown\t/CN=host-${index}\n`);
  }
  await writeFile(path.join(directory, 'index.txt'), lines.join(''));
  await run(
    'openssl',
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3650 -subj /CN=Peer'.split(
      ' ',
    ),
    options,
  );
  const startedAt = performance.now();
  await run('openssl', 'ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.pem -out peer.crl'.split(' '), options);
  return (performance.now() - startedAt) / 1000;
}
