/** DNS over TCP: messages behind a two-byte length, answered in order (RFC 7766). */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

const MAX_CONNECTIONS = 128;
const IDLE_TIMEOUT_MS = 10_000;
/** A client that sends ahead without reading the answers is cut off. */
const MAX_UNREAD_BYTES = 1 << 20;

export interface DnsTcpServer {
  close(): Promise<void>;
}

/** Listens on the port and sends each message to `respond`; rejects when the port is taken. */
export async function createDnsTcpServer(
  address: string,
  port: number,
  respond: (bytes: Buffer) => Promise<Buffer | undefined>,
): Promise<DnsTcpServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
    void serveConnection(socket, respond);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, address);
  await once(server, 'listening');
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function serveConnection(socket: Socket, respond: (bytes: Buffer) => Promise<Buffer | undefined>): Promise<void> {
  let received = Buffer.alloc(0);
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2) {
        const end = 2 + received.readUInt16BE(0);
        if (received.length < end) break;
        const reply = await respond(received.subarray(2, end));
        received = received.subarray(end);
        // No answer to something that is no question: nothing sensible can follow on this connection.
        if (!reply || socket.writableLength > MAX_UNREAD_BYTES) return;
        const length = Buffer.from([reply.length >> 8, reply.length & 0xff]);
        socket.write(Buffer.concat([length, reply]));
      }
    }
  } catch {
    // The connection broke; its error handler has closed it.
  } finally {
    socket.end();
  }
}
