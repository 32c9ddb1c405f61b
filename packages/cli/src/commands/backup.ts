import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { withJson } from '../context.ts';
import { CliError, EXIT } from '../exit-codes.ts';
import { type Io, json } from '../output.ts';
import { configOf, withConfig } from './serve.ts';
import { openBesideServer } from './store-access.ts';

const DATABASE = 'certwright.db';
const LOCK = 'lock.db';
const KEY_NOTE =
  'The backup does not hold the platform key. Keep a copy of it elsewhere: without it neither CA keys nor secrets can be opened.';

function needSqlite(databaseUrl: string | null, instead: string): void {
  if (databaseUrl === null) return;
  throw new CliError(EXIT.failed, 'the database is PostgreSQL, which has its own tools', { hint: `Use ${instead}.` });
}

/** `certwright backup` */
export function backupCommand(io: Io): Command {
  return withConfig(withJson(new Command('backup')))
    .description('copy the SQLite database to one file, consistent while the server runs; the platform key is left out')
    .argument('<file>', 'where to write it')
    .option('--force', 'overwrite an existing file')
    .action(async (file: string, options: { json?: true; force?: true }, command: Command) => {
      const config = await configOf(command, io);
      needSqlite(config.databaseUrl, 'pg_dump');
      if (!existsSync(join(config.data, DATABASE))) {
        throw new CliError(EXIT.notFound, `there is no database in ${config.data}`, {
          hint: 'Name the data directory of the server with --data.',
        });
      }
      if (existsSync(file) && !options.force) {
        throw new CliError(EXIT.failed, `${file} exists`, {
          hint: 'Choose another file, or overwrite it with --force.',
        });
      }
      // personal data and sealed keys: for the owner only, from the first byte
      process.umask(0o077);
      const partial = `${file}.partial`;
      const store = await openBesideServer(config);
      try {
        rmSync(partial, { force: true });
        await store.backupTo?.(partial);
        renameSync(partial, file);
      } finally {
        rmSync(partial, { force: true });
        await store.close();
      }
      const bytes = statSync(file).size;
      io.out(
        options.json
          ? json({ file, bytes, keyIncluded: false })
          : `Backup written to ${file} (${bytes} bytes).\n${KEY_NOTE}\n`,
      );
    });
}

/** `certwright restore` */
export function restoreCommand(io: Io): Command {
  return withConfig(withJson(new Command('restore')))
    .description('put a backup in the place of the SQLite database; the server must not run')
    .argument('<file>', 'the backup')
    .option('--force', 'replace a database that is there')
    .action(async (file: string, options: { json?: true; force?: true }, command: Command) => {
      const config = await configOf(command, io);
      needSqlite(config.databaseUrl, 'pg_restore or psql');
      if (!existsSync(file)) throw new CliError(EXIT.notFound, `${file} does not exist`);
      const target = join(config.data, DATABASE);
      if (existsSync(target) && !options.force) {
        throw new CliError(EXIT.failed, `${config.data} already holds a database`, {
          hint: 'Choose an empty directory with --data, or replace the database with --force.',
        });
      }
      process.umask(0o077);
      mkdirSync(config.data, { recursive: true });
      const entries = await replaceDatabase(file, config.data);
      const hasKey = config.key.kind !== 'file' || existsSync(config.key.path);
      io.out(
        options.json
          ? json({ file, directory: config.data, auditEntries: entries, keyPresent: hasKey })
          : `Restored to ${config.data}; its audit trail of ${entries} entries is intact.\n${
              hasKey
                ? ''
                : `Put the platform key in its place (${config.key.kind === 'file' ? config.key.path : ''}) before the server starts.\n`
            }`,
      );
    });
}

/** Checks the backup in a folder of its own, brings it up to date, and moves it into place; returns its audit entries. */
async function replaceDatabase(file: string, directory: string): Promise<number> {
  const { lockDirectory } = await import('@certwright/store');
  // held while files move, so that no server opens half of it
  const lock = lockDirectory(join(directory, LOCK));
  const staging = join(directory, '.restore');
  try {
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging);
    copyFileSync(file, join(staging, DATABASE));
    const entries = await checkDatabase(file, staging);
    for (const suffix of ['-wal', '-shm']) rmSync(join(directory, DATABASE + suffix), { force: true });
    renameSync(join(staging, DATABASE), join(directory, DATABASE));
    return entries;
  } finally {
    rmSync(staging, { recursive: true, force: true });
    lock.release();
  }
}

async function checkDatabase(file: string, directory: string): Promise<number> {
  const { openSqliteStore } = await import('@certwright/store');
  let store: Awaited<ReturnType<typeof openSqliteStore>>;
  try {
    store = await openSqliteStore({ directory });
  } catch (cause) {
    throw new CliError(EXIT.failed, `${file} is no backup of Certwright, or it is damaged`, {
      code: 'backup.unusable',
      hint: cause instanceof Error ? cause.message : '',
    });
  }
  try {
    const report = await store.verifyAudit();
    const [problem] = report.problems;
    if (problem === undefined) return report.entries;
    throw new CliError(EXIT.failed, `the audit trail in ${file} is broken: ${problem.message}`, {
      code: 'audit.broken',
      hint: 'Take an earlier backup.',
    });
  } finally {
    await store.close();
  }
}
