/** Tells the caches of other processes what was changed, through NOTIFY in the transaction of the change. */
import type { Invalidation } from '@certwright/core';
import pg from 'pg';
import type { InvalidationHub } from '../write/invalidations.ts';
import { connectionConfig } from './connection.ts';

const CHANNEL = 'certwright';
export const NOTIFY_SQL = `select pg_notify('${CHANNEL}', $1)`;

/** PostgreSQL takes payloads below 8,000 octets. */
const MAX_PAYLOAD = 7_500;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

/** Texts to send; `processId` lets a process pass over its own. */
export function notificationPayloads(processId: string, changes: readonly Invalidation[]): readonly string[] {
  const payloads: string[] = [];
  let parts: string[] = [];
  let length = 0;
  const flush = (): void => {
    if (parts.length > 0) payloads.push(`{"from":"${processId}","changes":[${parts.join(',')}]}`);
    parts = [];
    length = 0;
  };
  for (const change of changes) {
    const part = JSON.stringify(change);
    if (length + Buffer.byteLength(part) > MAX_PAYLOAD) flush();
    parts.push(part);
    length += Buffer.byteLength(part) + 1;
  }
  flush();
  return payloads;
}

function parsePayload(text: string): { readonly from: unknown; readonly changes: readonly Invalidation[] } | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    if (!('from' in parsed) || !('changes' in parsed) || !Array.isArray(parsed.changes)) return undefined;
    return { from: parsed.from, changes: parsed.changes };
  } catch {
    return undefined;
  }
}

/**
 * Listens on a connection of its own. While it is lost, changes of others are not heard: caches are told to forget
 * everything when it breaks, and again when it is back.
 */
export class NotificationListener {
  readonly #url: string;
  readonly #processId: string;
  readonly #hub: InvalidationHub;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delayMs = FIRST_DELAY_MS;
  #isClosed = false;

  constructor(url: string, processId: string, hub: InvalidationHub) {
    this.#url = url;
    this.#processId = processId;
    this.#hub = hub;
  }

  /** Connects for the first time. Rejects with the error of pg. */
  async start(): Promise<void> {
    await this.#connect();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(connectionConfig(this.#url));
    let isUp = false;
    client.on('notification', ({ payload = '' }) => {
      const message = parsePayload(payload);
      // what cannot be read may concern anything
      if (message === undefined) this.#hub.emit([{ kind: 'everything' }]);
      else if (message.from !== this.#processId) this.#hub.emit(message.changes);
    });
    const onEnd = (): void => {
      if (!isUp || this.#client !== client) return;
      this.#client = undefined;
      this.#hub.emit([{ kind: 'everything' }]);
      this.#reconnectLater();
    };
    client.on('error', onEnd);
    client.on('end', onEnd);
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    isUp = true;
    if (this.#isClosed) {
      await client.end();
      return;
    }
    this.#client = client;
    this.#delayMs = FIRST_DELAY_MS;
  }

  #reconnectLater(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#connect().then(
        () => this.#hub.emit([{ kind: 'everything' }]),
        () => this.#reconnectLater(),
      );
    }, this.#delayMs);
    this.#timer.unref();
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }
}
