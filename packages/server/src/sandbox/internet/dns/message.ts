/** Walks and builds whole DNS messages, UPDATE included (RFC 1035 section 4.1, RFC 2136 section 2, RFC 6891). */
import { CLASS, TYPE } from './constants.ts';
import { DnsFormatError, encodeName, readName } from './name.ts';

const HEADER_BYTES = 12;
/** A message of 64 KiB cannot sensibly hold more; bounds the work per message. */
const MAX_RECORDS = 2_000;
const FLAG_RESPONSE = 0x8000;
export const FLAG_AUTHORITATIVE = 0x0400;
export const FLAG_TRUNCATED = 0x0200;

export interface DnsHeader {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  readonly isRecursionDesired: boolean;
}

export interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** As received, to be echoed with its letter case. */
  readonly bytes: Buffer;
}

export interface ResourceRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** Names inside are expanded: they may have been compressed against this message. */
  readonly rdata: Buffer;
}

export interface Edns {
  readonly payloadBytes: number;
  readonly version: number;
}

export interface DnsMessage extends DnsHeader {
  /** Zone section of an UPDATE. */
  readonly questions: readonly Question[];
  /** Prerequisite section of an UPDATE. */
  readonly answers: readonly ResourceRecord[];
  /** Update section of an UPDATE. */
  readonly authorities: readonly ResourceRecord[];
  readonly edns: Edns | undefined;
  /** The TSIG record, which is the last one, and the offset where it starts. */
  readonly tsig: { readonly record: ResourceRecord; readonly offset: number } | undefined;
}

/** Reads the header alone; undefined when there are not even 12 bytes. */
export function readHeader(bytes: Buffer): DnsHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const flags = bytes.readUInt16BE(2);
  return {
    id: bytes.readUInt16BE(0),
    isResponse: (flags & FLAG_RESPONSE) !== 0,
    opcode: (flags >> 11) & 0xf,
    isRecursionDesired: (flags & 0x0100) !== 0,
  };
}

/** Parses a request. Throws {@link DnsFormatError} for anything but one well-formed message without trailing bytes. */
export function parseMessage(bytes: Buffer): DnsMessage {
  const header = readHeader(bytes);
  if (!header) throw new DnsFormatError('message without header');
  const [questionCount = 0, answerCount = 0, authorityCount = 0, additionalCount = 0] = [4, 6, 8, 10].map((at) =>
    bytes.readUInt16BE(at),
  );
  if (questionCount > 1 || answerCount + authorityCount + additionalCount > MAX_RECORDS) {
    throw new DnsFormatError('too many records');
  }
  let offset = HEADER_BYTES;

  const questions: Question[] = [];
  for (let i = 0; i < questionCount; i += 1) {
    const { name, next } = readName(bytes, offset);
    if (next + 4 > bytes.length) throw new DnsFormatError('question runs past the message');
    const end = next + 4;
    const isPlain = next - offset === encodeName(name).length;
    if (!isPlain) throw new DnsFormatError('compressed question');
    questions.push({
      name,
      type: bytes.readUInt16BE(next),
      class: bytes.readUInt16BE(next + 2),
      bytes: bytes.subarray(offset, end),
    });
    offset = end;
  }

  const readRecords = (count: number): { readonly record: ResourceRecord; readonly offset: number }[] => {
    const records = [];
    for (let i = 0; i < count; i += 1) {
      const { record, next } = readRecord(bytes, offset);
      records.push({ record, offset });
      offset = next;
    }
    return records;
  };
  const answers = readRecords(answerCount).map(({ record }) => record);
  const authorities = readRecords(authorityCount).map(({ record }) => record);
  const additionals = readRecords(additionalCount);
  if (offset !== bytes.length) throw new DnsFormatError('bytes behind the last record');

  const options = additionals.filter(({ record }) => record.type === TYPE.OPT);
  const signatures = additionals.filter(({ record }) => record.type === TYPE.TSIG);
  const tsig = signatures[0];
  if (options.length > 1 || signatures.length > 1 || (tsig && tsig !== additionals.at(-1))) {
    throw new DnsFormatError('misplaced OPT or TSIG record');
  }
  const opt = options[0]?.record;
  return {
    ...header,
    questions,
    answers,
    authorities,
    edns: opt && { payloadBytes: opt.class, version: (opt.ttl >> 16) & 0xff },
    tsig,
  };
}

export interface DnsReply {
  readonly rcode: number;
  readonly flags: number;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly edns?: { readonly payloadBytes: number; readonly extendedRcode: number };
}

/** Builds the response to a request; owner names equal to the question's are compressed to it. */
export function encodeReply(request: DnsHeader, question: Question | undefined, reply: DnsReply): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(request.id, 0);
  const flags = FLAG_RESPONSE | (request.opcode << 11) | reply.flags | reply.rcode;
  header.writeUInt16BE(flags | (request.isRecursionDesired ? 0x0100 : 0), 2);
  header.writeUInt16BE(question ? 1 : 0, 4);
  header.writeUInt16BE(reply.answers.length, 6);
  header.writeUInt16BE(reply.authorities.length, 8);
  header.writeUInt16BE(reply.edns ? 1 : 0, 10);
  const parts: Buffer[] = [header];
  if (question) parts.push(question.bytes);
  for (const record of [...reply.answers, ...reply.authorities]) parts.push(encodeRecord(record, question?.name));
  if (reply.edns) {
    const { payloadBytes, extendedRcode } = reply.edns;
    const ttl = extendedRcode << 24;
    parts.push(encodeRecord({ name: '', type: TYPE.OPT, class: payloadBytes, ttl, rdata: Buffer.alloc(0) }, undefined));
  }
  return Buffer.concat(parts);
}

/** Encodes one record; an owner equal to `questionName` becomes a pointer to the question. */
export function encodeRecord(record: ResourceRecord, questionName: string | undefined): Buffer {
  const owner =
    record.name === questionName && questionName !== '' ? Buffer.from([0xc0, 0x0c]) : encodeName(record.name);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(record.type, 0);
  fixed.writeUInt16BE(record.class, 2);
  fixed.writeUInt32BE(record.ttl >>> 0, 4);
  fixed.writeUInt16BE(record.rdata.length, 8);
  return Buffer.concat([owner, fixed, record.rdata]);
}

function readRecord(bytes: Buffer, offset: number): { readonly record: ResourceRecord; readonly next: number } {
  const { name, next: fixed } = readName(bytes, offset);
  const start = fixed + 10;
  if (start > bytes.length) throw new DnsFormatError('record runs past the message');
  const type = bytes.readUInt16BE(fixed);
  const end = start + bytes.readUInt16BE(fixed + 8);
  if (end > bytes.length) throw new DnsFormatError('record data runs past the message');
  const record = {
    name,
    type,
    class: bytes.readUInt16BE(fixed + 2),
    ttl: bytes.readUInt32BE(fixed + 4),
    rdata: expandRdata(bytes, type, start, end),
  };
  return { record, next: end };
}

/** Copies record data, with the names that RFC 3597 section 4 allows to be compressed written out. */
function expandRdata(bytes: Buffer, type: number, start: number, end: number): Buffer {
  const layout = NAME_LAYOUT.get(type);
  // Deletions and prerequisites of UPDATE carry no data.
  if (!layout || start === end) return Buffer.from(bytes.subarray(start, end));
  const parts: Buffer[] = [bytes.subarray(start, start + layout.before)];
  let position = start + layout.before;
  for (let i = 0; i < layout.names; i += 1) {
    const { name, next } = readName(bytes, position);
    parts.push(encodeName(name));
    position = next;
  }
  if (position + layout.after !== end) throw new DnsFormatError('record data has the wrong length');
  parts.push(bytes.subarray(position, end));
  return Buffer.concat(parts);
}

const NAME_LAYOUT: ReadonlyMap<number, { readonly before: number; readonly names: number; readonly after: number }> =
  new Map([
    [TYPE.NS, { before: 0, names: 1, after: 0 }],
    [TYPE.CNAME, { before: 0, names: 1, after: 0 }],
    [TYPE.SOA, { before: 0, names: 2, after: 20 }],
    [TYPE.PTR, { before: 0, names: 1, after: 0 }],
    [TYPE.MX, { before: 2, names: 1, after: 0 }],
    [TYPE.SRV, { before: 6, names: 1, after: 0 }],
    [TYPE.DNAME, { before: 0, names: 1, after: 0 }],
  ]);

/** A record of class IN. */
export function internetRecord(name: string, type: number, ttl: number, rdata: Buffer): ResourceRecord {
  return { name, type, class: CLASS.IN, ttl, rdata };
}
