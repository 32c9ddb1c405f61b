/** Authoritative DNS of the sandbox's own internet: UDP and TCP on one loopback port, updates by RFC 2136 with TSIG. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { fail, ok, type Result } from '@certwright/pki';
import { BADVERS, OPCODE, RCODE, TYPE } from './constants.ts';
import { createDnsFaults, type DnsFault } from './faults.ts';
import {
  type DnsMessage,
  type DnsReply,
  encodeReply,
  FLAG_AUTHORITATIVE,
  FLAG_TRUNCATED,
  parseMessage,
  readHeader,
} from './message.ts';
import { DnsFormatError, parseNameText } from './name.ts';
import { decodeText, encodeText, type SandboxRecordType } from './presentation.ts';
import { answerQuery, authorityOf } from './query.ts';
import { createDnsTcpServer } from './tcp.ts';
import { signatureBytes, signReply, type TsigAlgorithm, type TsigKey, type TsigVerdict, verifyTsig } from './tsig.ts';
import { applyUpdate } from './update.ts';
import { createZone } from './zone.ts';

const PUBLISHED_TTL_SECONDS = 60;
const PLAIN_UDP_BYTES = 512;
const EDNS_UDP_BYTES = 1_232;
const MAX_TCP_BYTES = 0xffff;
const MAX_VALUES = 1_000;
/** The system picks the UDP port; whether the TCP port of that number is free is luck. */
const PORT_ATTEMPTS = 20;

export interface SandboxDnsOptions {
  /** The key that updates must be signed with; the secret in base64. */
  readonly tsig: { readonly name: string; readonly algorithm: TsigAlgorithm; readonly secret: string };
  /** IPv4 address to listen on. */
  readonly address?: string;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** IPv4 address of every name that has no A record. */
  readonly defaultAddress?: string;
  /** Real time in milliseconds, for TSIG. */
  readonly now?: () => number;
}

export interface SandboxDnsError {
  readonly code: 'dns.nameMalformed' | 'dns.valueMalformed' | 'dns.cnameConflict' | 'dns.full' | 'dns.faultMalformed';
  readonly detail: string;
}

export interface SandboxDns {
  readonly address: string;
  readonly port: number;
  /** Publishes a record set in place of the one there was; values are presentation text, TXT the text itself. */
  put(name: string, type: SandboxRecordType, values: readonly string[]): Result<undefined, SandboxDnsError>;
  /** Removes one record set, or all of a name. */
  delete(name: string, type?: SandboxRecordType): Result<undefined, SandboxDnsError>;
  /** The published values (no defaults, no wildcards). */
  lookup(name: string, type: SandboxRecordType): string[];
  /** Disturbs answers from now on. */
  disturb(fault: DnsFault): Result<undefined, SandboxDnsError>;
  /** Forgets all records and faults; keeps port and key. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts the server. Rejects when no port is free; throws when the options are malformed. */
export async function createSandboxDns(options: SandboxDnsOptions): Promise<SandboxDns> {
  const { address = '127.0.0.1', port = 0, defaultAddress = '127.0.0.1', now = Date.now } = options;
  const key = parseKey(options.tsig);
  if (!isIPv4(defaultAddress)) throw new TypeError('the default address is not an IPv4 address');
  const zone = createZone(Buffer.from(defaultAddress.split('.').map(Number)));
  const faults = createDnsFaults();

  /** The bytes to send back; undefined when there is nothing to say. Never rejects. */
  async function respond(bytes: Buffer, isTcp: boolean): Promise<Buffer | undefined> {
    const header = readHeader(bytes);
    if (!header || header.isResponse) return undefined;
    const nowSeconds = Math.floor(now() / 1000);
    try {
      const message = parseMessage(bytes);
      const verdict = verifyTsig(bytes, message, key, nowSeconds);
      const question = message.questions[0];
      const fault = message.opcode === OPCODE.QUERY && question ? faults.take(question.name, question.type) : undefined;
      if (fault?.effect === 'drop') return undefined;
      if (fault?.effect === 'delay') await delay(fault.delayMs ?? 0);
      const reply = disturbed(answer(message, verdict), message, fault);
      return encodeFitting(message, verdict, reply, isTcp, fault?.effect === 'truncate', nowSeconds);
    } catch (error) {
      if (!(error instanceof DnsFormatError)) throw error;
      return encodeReply(header, undefined, { rcode: RCODE.FORMERR, flags: 0, answers: [], authorities: [] });
    }
  }

  function answer(message: DnsMessage, verdict: TsigVerdict): DnsReply {
    const empty = { flags: 0, answers: [], authorities: [] };
    const edns = message.edns && { edns: { payloadBytes: EDNS_UDP_BYTES, extendedRcode: 0 } };
    if (message.edns && message.edns.version > 0) {
      return { rcode: 0, ...empty, edns: { payloadBytes: EDNS_UDP_BYTES, extendedRcode: BADVERS >> 4 } };
    }
    if (verdict.kind === 'refused') return { rcode: RCODE.NOTAUTH, ...empty, ...edns };
    if (message.opcode === OPCODE.UPDATE) {
      const rcode = verdict.kind === 'valid' ? applyUpdate(zone, message) : RCODE.REFUSED;
      return { rcode, ...empty, ...edns };
    }
    const question = message.questions[0];
    if (message.opcode !== OPCODE.QUERY) return { rcode: RCODE.NOTIMP, ...empty, ...edns };
    if (!question) return { rcode: RCODE.FORMERR, ...empty, ...edns };
    return { flags: FLAG_AUTHORITATIVE, ...answerQuery(zone, question), ...edns };
  }

  function disturbed(reply: DnsReply, message: DnsMessage, fault: DnsFault | undefined): DnsReply {
    const name = message.questions[0]?.name ?? '';
    switch (fault?.effect) {
      case 'servfail':
        return { ...reply, rcode: RCODE.SERVFAIL, answers: [], authorities: [] };
      case 'refused':
        return { ...reply, rcode: RCODE.REFUSED, answers: [], authorities: [] };
      case 'nxdomain':
        return { ...reply, rcode: RCODE.NXDOMAIN, answers: [], authorities: authorityOf(zone, name) };
      default:
        return reply;
    }
  }

  /** Encodes and signs; what does not fit the transport is cut to an empty answer with the TC bit (RFC 2181 section 9). */
  function encodeFitting(
    message: DnsMessage,
    verdict: TsigVerdict,
    reply: DnsReply,
    isTcp: boolean,
    isCut: boolean,
    nowSeconds: number,
  ): Buffer {
    const udpBytes = Math.min(Math.max(message.edns?.payloadBytes ?? 0, PLAIN_UDP_BYTES), EDNS_UDP_BYTES);
    const room = (isTcp ? MAX_TCP_BYTES : udpBytes) - (verdict.kind === 'unsigned' ? 0 : signatureBytes(verdict));
    const question = message.questions[0];
    let bytes = encodeReply(message, question, reply);
    if (bytes.length > room || (isCut && !isTcp)) {
      const cut = { ...reply, flags: reply.flags | FLAG_TRUNCATED, answers: [], authorities: [] };
      bytes = encodeReply(message, question, cut);
    }
    return verdict.kind === 'unsigned' ? bytes : signReply(bytes, verdict, key, nowSeconds);
  }

  const { udp, tcp } = await listen(address, port, respond);
  const refuse = (code: SandboxDnsError['code'], detail: string) => fail({ code, detail });

  return {
    address,
    port: udp.address().port,
    put(nameText, type, values) {
      const name = parseNameText(nameText);
      if (name === undefined) return refuse('dns.nameMalformed', 'not a domain name');
      const rdata = values.slice(0, MAX_VALUES + 1).map((value) => encodeText(type, value));
      const wellFormed = rdata.filter((bytes) => bytes !== undefined);
      if (wellFormed.length < rdata.length) {
        return refuse(
          'dns.valueMalformed',
          `value ${rdata.indexOf(undefined) + 1} is not the text of a ${type} record`,
        );
      }
      const node = zone.node(name);
      const others = [...(node?.keys() ?? [])].filter((each) => each !== TYPE[type]);
      const isConflict = type === 'CNAME' ? others.length > 0 || values.length > 1 : others.includes(TYPE.CNAME);
      if (isConflict && values.length > 0) {
        return refuse('dns.cnameConflict', 'a CNAME has its name for itself; delete the other records first');
      }
      const unique = [...new Map(wellFormed.map((bytes) => [bytes.toString('latin1'), bytes])).values()];
      const isStored = zone.set(name, TYPE[type], { ttl: PUBLISHED_TTL_SECONDS, rdata: unique });
      return isStored ? ok(undefined) : refuse('dns.full', 'the records do not fit');
    },
    delete(nameText, type) {
      const name = parseNameText(nameText);
      if (name === undefined) return refuse('dns.nameMalformed', 'not a domain name');
      const types = type === undefined ? [...(zone.node(name)?.keys() ?? [])] : [TYPE[type]];
      for (const each of types) zone.set(name, each, { ttl: 0, rdata: [] });
      return ok(undefined);
    },
    lookup(nameText, type) {
      const rrset = zone.node(parseNameText(nameText) ?? '')?.get(TYPE[type]);
      return (rrset?.rdata ?? []).map((rdata) => decodeText(type, rdata));
    },
    disturb(fault) {
      return faults.add(fault) ? ok(undefined) : refuse('dns.faultMalformed', 'malformed, or too many faults');
    },
    reset() {
      zone.clear();
      faults.clear();
    },
    async close() {
      udp.close();
      await Promise.all([once(udp, 'close'), tcp.close()]);
    },
  };
}

function parseKey({ name: nameText, algorithm, secret }: SandboxDnsOptions['tsig']): TsigKey {
  const name = parseNameText(nameText);
  const bytes = Buffer.from(secret, 'base64');
  if (name === undefined || bytes.length === 0) throw new TypeError('malformed TSIG key');
  return { name, algorithm, secret: bytes };
}

type Respond = (bytes: Buffer, isTcp: boolean) => Promise<Buffer | undefined>;

async function listen(address: string, wanted: number, respond: Respond) {
  for (let attempt = 1; ; attempt += 1) {
    const udp = createSocket('udp4');
    try {
      udp.bind({ port: wanted, address, exclusive: true });
      await once(udp, 'listening');
      const tcp = await createDnsTcpServer(address, udp.address().port, (bytes) => respond(bytes, true));
      serveUdp(udp, respond);
      return { udp, tcp };
    } catch (error) {
      udp.close();
      if (wanted !== 0 || attempt >= PORT_ATTEMPTS) throw error;
    }
  }
}

function serveUdp(udp: UdpSocket, respond: Respond): void {
  const isOpen = { value: true };
  udp.on('close', () => {
    isOpen.value = false;
  });
  // A client that is gone is reported here by ICMP; it concerns nobody else.
  udp.on('error', () => undefined);
  udp.on('message', async (bytes: Buffer, client: RemoteInfo) => {
    const reply = await respond(bytes, false);
    if (reply && isOpen.value) udp.send(reply, client.port, client.address, () => undefined);
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
