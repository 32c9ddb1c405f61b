import path from 'node:path';
import { type Api, downloadAll, issueAll, logIn } from './api.ts';
import type { BenchContext } from './context.ts';
import { type RunningServer, startServer } from './server.ts';

const ORDERS = 1_000;

/** A server with some issued orders. */
export interface Fixture {
  readonly server: RunningServer;
  readonly api: Api;
  readonly orderIds: readonly string[];
  readonly certificates: readonly Uint8Array[];
}

/** Starts a server on an empty SQLite store and issues a thousand certificates. */
export async function startFixture(context: BenchContext, name: string): Promise<Fixture> {
  const server = await startServer({ data: path.join(context.directory, name) });
  try {
    if (server.firstAccount === null) throw new Error('the store was not empty');
    const api = await logIn(server.apiPort, server.firstAccount);
    const orderIds = await issueAll(api, (await context.csrs()).slice(0, ORDERS));
    return { server, api, orderIds, certificates: await downloadAll(api, orderIds) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
