import { Command } from 'commander';
import { group, withJson } from '../context.ts';
import { CliError, EXIT } from '../exit-codes.ts';
import { type Io, json } from '../output.ts';
import { configOf, withConfig } from './serve.ts';
import { openBesideServer } from './store-access.ts';

const SHOWN_PROBLEMS = 20;

/** `certwright audit …` */
export function auditCommands(io: Io): Command {
  const verify = withConfig(withJson(new Command('verify')))
    .description('check the hash chain of the audit trail; may run beside the server')
    .action(async (options: { json?: true }, command: Command) => {
      const config = await configOf(command, io);
      const store = await openBesideServer(config);
      try {
        const report = await store.verifyAudit();
        const intact = report.problems.length === 0;
        if (options.json) io.out(json({ intact, ...report }));
        else io.out(`${report.entries} entries in ${report.lanes} lanes checked.\n`);
        if (intact) {
          if (!options.json) io.out('The audit trail is intact.\n');
          return;
        }
        if (!options.json) {
          for (const problem of report.problems.slice(0, SHOWN_PROBLEMS)) io.out(`  ${JSON.stringify(problem)}\n`);
        }
        throw new CliError(EXIT.failed, `the audit trail is broken in ${report.problems.length} place(s)`, {
          code: 'audit.broken',
          hint: 'Keep the database as it is for examination, and compare it with the last good backup.',
        });
      } finally {
        await store.close();
      }
    });

  return group('audit', 'the audit trail', verify);
}
