/** A real PostgreSQL for tests: the one of TEST_DATABASE_URL, or a cluster of our own from Debian's binaries. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const BINARIES = '/usr/lib/postgresql';
const SUPERUSER = 'certwright';
const START_ATTEMPTS = 5;

export interface PostgresCluster {
  /** Starts, stops, kills the server; absent when the server is not ours. */
  readonly control?: {
    stop(): Promise<void>;
    start(): Promise<void>;
    /** Stop in an orderly way, then start on the same port. */
    restart(): Promise<void>;
    /** Ends the server without a checkpoint, as a crash would; `start` recovers. */
    kill(): Promise<void>;
  };
  /** Makes a fresh, empty database and returns its address. */
  database(): Promise<string>;
}

export interface Skip {
  readonly skip: string;
}

let started: Promise<PostgresCluster | Skip> | undefined;

/**
 * The cluster of this test process, started on first use and stopped when the process exits. Without PostgreSQL a
 * reason to skip; with CI=true that is an error.
 */
export function startPostgres(): Promise<PostgresCluster | Skip> {
  started ??= start();
  return started;
}

async function start(): Promise<PostgresCluster | Skip> {
  const given = process.env.TEST_DATABASE_URL;
  if (given !== undefined && given !== '') return { database: () => createDatabase(given) };
  const folder = binaries();
  if (folder === undefined) {
    const skip = 'PostgreSQL is not installed (Debian: postgresql)';
    if (process.env.CI === 'true') throw new Error(skip);
    return { skip };
  }
  return startCluster(folder);
}

function binaries(): string | undefined {
  if (!existsSync(BINARIES)) return undefined;
  const versions = readdirSync(BINARIES).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(BINARIES, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

async function createDatabase(server: string): Promise<string> {
  const name = `certwright_test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** PostgreSQL refuses to run as root. */
async function owner(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => (await run('id', [flag, 'postgres'])).stdout));
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.on('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}

/** Resolves when the server accepts connections, rejects with its log when it ends first. */
async function whenReady(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const log: string[] = [];
  const { stderr } = server;
  if (stderr === null) throw new Error('the server has no log');
  createInterface({ input: stderr }).on('line', (line) => {
    if (log.length < 100) log.push(line);
    if (line.includes('ready to accept connections')) resolve();
  });
  server.on('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${log.join('\n')}`)));
  return promise;
}

async function startCluster(bin: string): Promise<PostgresCluster> {
  const ids = await owner();
  const folder = mkdtempSync(join(tmpdir(), 'certwright-postgres-'));
  if (ids !== undefined) chownSync(folder, ids.uid, ids.gid);
  const data = join(folder, 'data');
  const initdb = ['-D', data, '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  await run(join(bin, 'initdb'), initdb, { ...ids, cwd: folder });

  let port = await freePort();
  let server: ChildProcess | undefined;

  async function launch(): Promise<void> {
    const args = ['-D', data, '-k', folder, '-h', '127.0.0.1', '-p', String(port), '-c', 'fsync=on'];
    const child = spawn(join(bin, 'postgres'), args, { ...ids, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    server = child;
    await whenReady(child);
    // the cluster shall not keep the test process alive
    child.unref();
    const log = child.stderr;
    if (log !== null && 'unref' in log && typeof log.unref === 'function') log.unref();
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = server;
    server = undefined;
    if (child === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    child.ref();
    child.kill(signal);
    await promise;
  }

  for (let attempt = 1; ; attempt++) {
    try {
      await launch();
      break;
    } catch (error) {
      // somebody else may have taken the port
      if (attempt === START_ATTEMPTS) throw error;
      port = await freePort();
    }
  }
  process.once('exit', () => {
    // waits, so that nothing is written into the folder any more
    if (server !== undefined) spawnSync(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop'], { ...ids });
    rmSync(folder, { recursive: true, force: true });
  });

  const url = `postgres://${SUPERUSER}@127.0.0.1:${port}/postgres`;
  return {
    database: () => createDatabase(url),
    control: {
      // fast shutdown
      stop: () => end('SIGINT'),
      start: launch,
      async restart() {
        await end('SIGINT');
        await launch();
      },
      // immediate shutdown
      kill: () => end('SIGQUIT'),
    },
  };
}
