import { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { withJson } from '../context.ts';
import { type Io, json } from '../output.ts';

export const VERSION: string = manifest.version;

/** `certwright version` */
export function versionCommand(io: Io): Command {
  return withJson(new Command('version'))
    .description('show the versions of Certwright and its runtime')
    .action((options: { json?: true }) => {
      const { node, openssl } = process.versions;
      const versions = { certwright: VERSION, node, openssl };
      io.out(options.json ? json(versions) : `certwright ${VERSION} (Node.js ${node}, OpenSSL ${openssl})\n`);
    });
}
