import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface CertificatePage {
  readonly items: readonly { readonly serial: string }[];
  readonly next: string | null;
  readonly previous: string | null;
}

export interface TimedPage {
  readonly page: CertificatePage;
  readonly ms: number;
}

/** Client of the management socket that times each search from its request to the last octet of the answer. */
export function certificateSearch(socketPath: string): {
  search(query: Readonly<Record<string, string>>): Promise<TimedPage>;
  close(): void;
} {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async search(query) {
      const startedAt = performance.now();
      const path = `/api/manage/v1/certificates?${new URLSearchParams(query)}`;
      const sent = request({ socketPath, path, agent }).end();
      const [response]: [IncomingMessage] = (await once(sent, 'response')) as [IncomingMessage];
      const body = await text(response);
      const ms = performance.now() - startedAt;
      if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${body}`);
      return { page: JSON.parse(body), ms };
    },
    close: () => agent.destroy(),
  };
}
