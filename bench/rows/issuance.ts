import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { measure } from '../load/client.ts';
import type { LoadReport } from '../load/plan.ts';
import { type Api, logIn, orderMessages } from '../support/api.ts';
import { type CfsslPeer, startCfssl } from '../support/cfssl.ts';
import { type BenchContext, type Row, runMs } from '../support/context.ts';
import { benchDatabases } from '../support/databases.ts';
import { type Figure, median } from '../support/figures.ts';
import { hostnameOf } from '../support/material.ts';
import { startServer } from '../support/server.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;
/** Until the server's code is compiled for good: what is measured is a server at work, not one that just started. */
const WARM_UP_MS = 4_000;
const P99_BELOW_MS = 60;
/** Share of the stateless peer's rate that a durable order must reach. */
const SHARE_OF_PEER = 0.5;
const POSTGRES_AT_LEAST = 2_000;

interface Duel {
  readonly ours: readonly LoadReport[];
  readonly peer: readonly LoadReport[];
}

/** Measures alternately, so that whatever else the machine does meets both. */
async function duel(context: BenchContext, api: Api, peer: CfsslPeer | undefined): Promise<Duel> {
  const csrs = await context.csrs();
  const requests = orderMessages(api, csrs);
  const peerLoad = peer?.signLoad(csrs, hostnameOf);
  const common = { connections: CONNECTIONS, durationMs: runMs(context), warmUpMs: context.quick ? 1_000 : WARM_UP_MS };
  const ours: LoadReport[] = [];
  const peers: LoadReport[] = [];
  for (let round = 0; round < (context.quick ? 1 : ROUNDS); round++) {
    if (peerLoad !== undefined) peers.push(await measure({ ...peerLoad, ...common }));
    ours.push(
      await measure({
        ...common,
        port: api.port,
        requests,
        expect: { status: 201, bodyIncludes: Buffer.from('"status":"issued"'), echo: false },
      }),
    );
  }
  return { ours, peer: peers };
}

function figures(row: string, what: string, { ours, peer }: Duel, peerName: string, atLeast: number | null): Figure[] {
  const rate = median(ours.map((report) => report.rate));
  const p99 = median(ours.map((report) => report.latencyMs.p99));
  const p50 = median(ours.map((report) => report.latencyMs.p50));
  const peerRate = peer.length === 0 ? undefined : median(peer.map((report) => report.rate));
  const goal = atLeast ?? (peerRate === undefined ? null : peerRate * SHARE_OF_PEER);
  return [
    {
      row,
      what,
      value: rate,
      unit: 'req/s',
      goal: goal === null ? null : { kind: 'atLeast', value: goal },
      peer: peerRate === undefined ? null : { name: peerName, value: peerRate },
      note: peerRate === undefined ? 'cfssl is not installed' : `p50 ${p50.toFixed(1)} ms`,
    },
    {
      row,
      what: `${what}: p99`,
      value: p99,
      unit: 'ms',
      goal: atLeast === null ? { kind: 'below', value: P99_BELOW_MS } : null,
      peer: peer.length === 0 ? null : { name: peerName, value: median(peer.map((report) => report.latencyMs.p99)) },
      note: '',
    },
  ];
}

export const issuanceOnSqlite: Row = {
  name: 'issuance',
  async run(context) {
    const server = await startServer({ data: path.join(context.directory, 'issuance') });
    const peer = await startCfssl(path.join(context.directory, 'cfssl'));
    try {
      if (server.firstAccount === null) throw new Error('the store was not empty');
      const api = await logIn(server.apiPort, server.firstAccount);
      const result = await duel(context, api, peer);
      return figures('issuance', 'one-call order, SQLite, 32 connections', result, peer?.name ?? '', null);
    } finally {
      await Promise.all([server.stop(), peer?.stop()]);
    }
  },
};

export const issuanceOnPostgres: Row = {
  name: 'issuance-postgres',
  async run(context) {
    const databases = await benchDatabases();
    const server = await startServer({
      data: path.join(context.directory, 'issuance-postgres'),
      databaseUrl: databases.ours,
      key: randomBytes(32).toString('base64'),
    });
    const peer = await startCfssl(path.join(context.directory, 'cfssl-postgres'), databases.peer);
    try {
      if (server.firstAccount === null) throw new Error('the store was not empty');
      const api = await logIn(server.apiPort, server.firstAccount);
      const result = await duel(context, api, peer);
      const what = 'one-call order, PostgreSQL, 32 connections';
      return figures('issuance-postgres', what, result, peer?.name ?? '', POSTGRES_AT_LEAST);
    } finally {
      await Promise.all([server.stop(), peer?.stop()]);
    }
  },
};
