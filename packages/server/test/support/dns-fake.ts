/** A DNS server whose every datagram and TCP message a test decides. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import * as dnsPacket from 'dns-packet';

export interface FakeDnsQuery {
  readonly packet: dnsPacket.DecodedPacket;
  readonly name: string;
  readonly type: dnsPacket.RecordType;
  readonly hasEdns: boolean;
}

type Replies = readonly Buffer[];

export interface FakeDnsServer {
  readonly address: { readonly address: string; readonly port: number };
  readonly queries: { readonly transport: 'udp' | 'tcp'; readonly name: string; readonly type: string }[];
  close(): Promise<void>;
}

/** Starts a server that sends what the handlers return; without a TCP handler the TCP port is closed. */
export async function startFakeDns(
  udpReplies: (query: FakeDnsQuery) => Replies,
  tcpReply?: (query: FakeDnsQuery) => Buffer,
): Promise<FakeDnsServer> {
  const queries: FakeDnsServer['queries'] = [];
  const read = (bytes: Buffer, transport: 'udp' | 'tcp'): FakeDnsQuery => {
    const packet = dnsPacket.decode(bytes);
    const { name = '', type = 'A' } = packet.questions?.[0] ?? {};
    queries.push({ transport, name, type });
    return { packet, name, type, hasEdns: (packet.additionals ?? []).some((record) => record.type === 'OPT') };
  };
  for (;;) {
    const udp: Socket = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    const tcp = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (data) => {
        if (!tcpReply) return void socket.destroy();
        const reply = tcpReply(read(Buffer.from(data).subarray(2), 'tcp'));
        socket.end(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 0xff]), reply]));
      });
    });
    if (tcpReply) {
      tcp.listen(port, '127.0.0.1');
      const isBound = await once(tcp, 'listening').then(
        () => true,
        () => false,
      );
      if (!isBound) {
        udp.close();
        continue;
      }
    }
    udp.on('message', (bytes, client) => {
      for (const reply of udpReplies(read(bytes, 'udp'))) udp.send(reply, client.port, client.address);
    });
    return {
      address: { address: '127.0.0.1', port },
      queries,
      async close() {
        udp.close();
        if (tcp.listening) await new Promise((resolve) => tcp.close(resolve));
      },
    };
  }
}

export interface FakeDnsReply {
  readonly answers?: dnsPacket.Answer[];
  readonly authorities?: dnsPacket.Answer[];
  readonly flags?: number;
  readonly rcode?: number;
  readonly id?: number;
  readonly question?: dnsPacket.Question;
}

/** Encodes an answer to a query; members override what would be right. */
export function encodeFakeReply(query: FakeDnsQuery, reply: FakeDnsReply): Buffer {
  return dnsPacket.encode({
    type: 'response',
    id: reply.id ?? query.packet.id,
    flags: (reply.flags ?? dnsPacket.RECURSION_AVAILABLE) | (reply.rcode ?? 0),
    questions: reply.question ? [reply.question] : (query.packet.questions ?? []),
    answers: reply.answers ?? [],
    authorities: reply.authorities ?? [],
  });
}
