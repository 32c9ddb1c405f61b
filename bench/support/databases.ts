import pg from 'pg';
import { startPostgres } from '../../test/support/postgres.ts';
import { CFSSL_TABLES } from './cfssl.ts';

export interface BenchDatabases {
  /** Empty database for the server. */
  readonly ours: string;
  /** Database with cfssl's tables on the same cluster. */
  readonly peer: string;
}

/** Fresh databases on a cluster of this process, with fsync as PostgreSQL has it by default. */
export async function benchDatabases(): Promise<BenchDatabases> {
  const cluster = await startPostgres();
  if ('skip' in cluster) throw new Error(cluster.skip);
  const peer = await cluster.database();
  const client = new pg.Client({ connectionString: peer });
  await client.connect();
  try {
    await client.query(CFSSL_TABLES);
  } finally {
    await client.end();
  }
  // the Go driver asks for TLS unless told not to
  const peerUrl = new URL(peer);
  peerUrl.searchParams.set('sslmode', 'disable');
  return { ours: await cluster.database(), peer: peerUrl.href };
}
