import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** How long, and how much of it, a body is still read after its request was refused. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 16 << 20;

/**
 * Lets refusals arrive. A request that is answered before its body was read (too large, not permitted) ends its
 * connection; closing at once would make the system reset it, and the client that is still sending would never see the
 * answer. So the answer is followed by the end of our side, and the rest of the body is read and dropped for a while.
 */
export function lingerOnEarlyAnswers(server: Server): void {
  const requests = new WeakMap<Socket, IncomingMessage>();

  server.on('request', (request: IncomingMessage) => requests.set(request.socket, request));

  const prepare = (socket: Socket): void => {
    const destroySoon = socket.destroySoon.bind(socket);
    // what the HTTP server calls after the last answer of a connection
    socket.destroySoon = () => {
      const request = requests.get(socket);
      if (request === undefined || request.complete || socket.destroyed) return destroySoon();
      const most = socket.bytesRead + LINGER_BYTES;
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      request.on('data', () => {
        if (socket.bytesRead > most) socket.destroy();
      });
      request.once('end', destroySoon);
      socket.once('close', () => clearTimeout(timer));
      socket.end();
    };
  };
  server.on('connection', prepare);
  server.on('secureConnection', prepare);
}
