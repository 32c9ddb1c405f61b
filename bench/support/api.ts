/** A small client of the v2 API: what the rows need before and beside the load. */
import { httpMessage } from '../load/client.ts';
import { hostnameOf } from './material.ts';
import type { FirstAccount } from './server.ts';

export const ORDERS_PATH = '/api/certinext/v2/private-pki-certificates';
const IN_FLIGHT = 16;

export interface Api {
  readonly port: number;
  readonly token: string;
  /** Value of the Authorization header. */
  readonly authorization: string;
}

async function answerOf(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** Logs in with the client credentials of the account. */
export async function logIn(port: number, account: FirstAccount): Promise<Api> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: account.accountNumber,
    client_secret: account.clientSecret,
  });
  const response = await answerOf(`http://127.0.0.1:${port}/oauth/token`, { method: 'POST', body });
  const { access_token: token }: { access_token: string } = JSON.parse(await response.text());
  return { port, token, authorization: `Bearer ${token}` };
}

/** Body of a one-call order: Private PKI with CSR, which is approved by itself. */
export function orderBody(index: number, csr: string): string {
  return JSON.stringify({
    variant: 'intranet-ssl',
    hostname: hostnameOf(index),
    subscription: { validityYears: 1, autoRenew: false },
    requestor: { name: 'Platform Team', email: 'platform@bench.example', phone: '+12075550142' },
    csr,
  });
}

/** The same order as a message of the load generator, one for each CSR. */
export function orderMessages(api: Api, csrs: readonly string[]): readonly Uint8Array[] {
  const headers = { Authorization: api.authorization, 'Content-Type': 'application/json', Accept: 'application/json' };
  return csrs.map((csr, index) => httpMessage('POST', ORDERS_PATH, headers, Buffer.from(orderBody(index, csr))));
}

/** Runs `task` for 0 … count − 1, a few at a time, results in order. */
export async function inParallel<T>(count: number, task: (index: number) => Promise<T>): Promise<readonly T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) results[index] = await task(index);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return results;
}

/** Places an order for each CSR; gives the order numbers. Every one must be issued by its create call. */
export function issueAll(api: Api, csrs: readonly string[]): Promise<readonly string[]> {
  return inParallel(csrs.length, async (index) => {
    const response = await answerOf(`http://127.0.0.1:${api.port}${ORDERS_PATH}`, {
      method: 'POST',
      headers: { Authorization: api.authorization, 'Content-Type': 'application/json' },
      body: orderBody(index, csrs[index] ?? ''),
    });
    const order: { orderId: string; status: string } = JSON.parse(await response.text());
    if (order.status !== 'issued') throw new Error(`order ${order.orderId} is ${order.status}`);
    return order.orderId;
  });
}

/** The certificates of orders, DER. */
export function downloadAll(api: Api, orderIds: readonly string[]): Promise<readonly Uint8Array[]> {
  return inParallel(orderIds.length, async (index) => {
    const response = await answerOf(`http://127.0.0.1:${api.port}${ORDERS_PATH}/${orderIds[index]}/certificate`, {
      headers: { Authorization: api.authorization, Accept: 'application/pkix-cert' },
    });
    return new Uint8Array(await response.arrayBuffer());
  });
}

/** Revokes the certificate of an order; false when it was revoked before. */
export async function revoke(api: Api, orderId: string): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${api.port}${ORDERS_PATH}/${orderId}/revoke`, {
    method: 'POST',
    headers: { Authorization: api.authorization, 'Content-Type': 'application/json' },
    body: JSON.stringify({ reason: 'superseded', reasonNote: 'Benchmark.' }),
  });
  const text = await response.text();
  if (response.status === 422) return false;
  if (!response.ok) throw new Error(`revoke ${orderId}: ${response.status} ${text}`);
  return true;
}
