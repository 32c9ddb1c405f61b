/** DNS messages of a stub resolver: one question out, one answer in (RFC 1035 section 4, RFC 6891). */
import { randomBytes, randomInt } from 'node:crypto';
import type { DnsRecord, DnsRecordType } from '@certwright/core';
import * as dnsPacket from 'dns-packet';

/** UDP payload that crosses the internet unfragmented (DNS flag day 2020). */
const EDNS_PAYLOAD_BYTES = 1232;
/** More records than any answer to a validation question needs; bounds the work a hostile server can cause. */
const MAX_RECORDS = 1_000;
const CAA_CRITICAL = 0x80;
const CAA_TAG = /^[a-zA-Z0-9]+$/;

export interface DnsQuestion {
  readonly id: number;
  /** As sent; letter case included when it is randomized. */
  readonly name: string;
  readonly type: DnsRecordType;
  readonly isCaseExact: boolean;
}

/** A record of the answer with its TTL in seconds. */
export interface TimedRecord {
  readonly record: DnsRecord;
  readonly ttl: number;
}

export interface DnsResponse {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly isRecursionAvailable: boolean;
  readonly isAuthenticated: boolean;
  readonly answers: readonly TimedRecord[];
  readonly authorities: readonly TimedRecord[];
}

export type DecodedResponse =
  | { readonly kind: 'response'; readonly response: DnsResponse }
  /** Not the answer to this question: another id or question, or not an answer at all. */
  | { readonly kind: 'unrelated' }
  /** The right id and question, but the letter case was not kept. */
  | { readonly kind: 'caseChanged' }
  | { readonly kind: 'malformed'; readonly detail: string };

/** Makes a question with an unpredictable id and, when asked for, unpredictable letter case ("0x20"). */
export function createQuestion(name: string, type: DnsRecordType, randomizeCase: boolean): DnsQuestion {
  return {
    id: randomInt(0x10000),
    name: randomizeCase ? randomizeLetterCase(name) : name,
    type,
    isCaseExact: randomizeCase,
  };
}

/** Encodes the query: recursion desired, AD set to ask for the AD bit (RFC 6840 section 5.7), EDNS unless turned off. */
export function encodeQuery(question: DnsQuestion, withEdns: boolean): Buffer {
  return dnsPacket.encode({
    type: 'query',
    id: question.id,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.AUTHENTIC_DATA,
    questions: [{ type: question.type, name: question.name || '.' }],
    additionals: withEdns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: EDNS_PAYLOAD_BYTES,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });
}

/**
 * Decodes a datagram or TCP message as the answer to `question`. A FORMERR without question section is accepted,
 * since servers that do not know EDNS answer so (RFC 6891 section 7).
 */
export function decodeResponse(bytes: Buffer, question: DnsQuestion): DecodedResponse {
  if (!hasAnswerHeader(bytes, question)) return { kind: 'unrelated' };
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  if (bytes.readUInt16BE(4) > 1 || records > MAX_RECORDS) {
    return { kind: 'malformed', detail: 'the answer has too many records' };
  }
  let packet: dnsPacket.DecodedPacket;
  try {
    packet = dnsPacket.decode(bytes);
  } catch {
    return { kind: 'malformed', detail: 'the answer cannot be decoded' };
  }
  const rcode = (packet.flags ?? 0) & 0xf;
  const asked = packet.questions?.[0];
  if (asked) {
    if (asked.type !== question.type || asked.class !== 'IN' || !sameName(asked.name, question.name)) {
      return { kind: 'unrelated' };
    }
    if (question.isCaseExact && asked.name !== question.name) return { kind: 'caseChanged' };
  } else if (rcode !== 1) {
    return { kind: 'unrelated' };
  }
  const answers = toRecords(packet.answers ?? []);
  const authorities = toRecords(packet.authorities ?? []);
  if (!answers || !authorities) return { kind: 'malformed', detail: 'the answer holds a malformed record' };
  return {
    kind: 'response',
    response: {
      rcode,
      isAuthoritative: packet.flag_aa,
      isRecursionAvailable: packet.flag_ra,
      isAuthenticated: packet.flag_ad,
      answers,
      authorities,
    },
  };
}

/** Whether the datagram says that the answer did not fit. Such a one may be cut anywhere, so nothing else in it is read. */
export function isTruncatedAnswer(bytes: Buffer, question: DnsQuestion): boolean {
  return hasAnswerHeader(bytes, question) && (bytes.readUInt8(2) & 0x02) !== 0;
}

function hasAnswerHeader(bytes: Buffer, question: DnsQuestion): boolean {
  return bytes.length >= 12 && bytes.readUInt16BE(0) === question.id && (bytes.readUInt8(2) & 0x80) !== 0;
}

/** Lower case without trailing dot, the form in which names are compared and reported. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function sameName(a: string, b: string): boolean {
  return foldName(a) === foldName(b);
}

function randomizeLetterCase(name: string): string {
  const bits = randomBytes(name.length);
  return [...name].map((letter, i) => ((bits[i] ?? 0) & 1 ? letter.toUpperCase() : letter.toLowerCase())).join('');
}

/** Undefined when one of them is malformed: a broken CAA record must not pass for an absent one. */
function toRecords(answers: readonly dnsPacket.Answer[]): TimedRecord[] | undefined {
  const records: TimedRecord[] = [];
  for (const answer of answers) {
    if (answer.type === 'OPT' || answer.class !== 'IN') continue;
    const record = toRecord(answer);
    if (record === 'malformed') return undefined;
    if (record) records.push({ record, ttl: Math.min(answer.ttl ?? 0, 0x7fffffff) });
  }
  return records;
}

function toRecord(answer: Exclude<dnsPacket.Answer, dnsPacket.OptAnswer>): DnsRecord | 'malformed' | undefined {
  const name = foldName(answer.name);
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { type: answer.type, name, address: answer.data };
    case 'CNAME':
    case 'NS':
      return { type: answer.type, name, target: foldName(answer.data) };
    case 'TXT':
      return { type: 'TXT', name, value: joinCharacterStrings(answer.data) };
    case 'CAA': {
      const { flags = 0, tag, value } = answer.data;
      if (!CAA_TAG.test(tag)) return 'malformed';
      return { type: 'CAA', name, critical: (flags & CAA_CRITICAL) !== 0, tag, value };
    }
    case 'MX':
      return { type: 'MX', name, preference: answer.data.preference ?? 0, exchange: foldName(answer.data.exchange) };
    case 'SOA': {
      const { mname, rname, minimum = 0 } = answer.data;
      return { type: 'SOA', name, mname: foldName(mname), rname: foldName(rname), minimum };
    }
    default:
      return undefined;
  }
}

function joinCharacterStrings(data: dnsPacket.TxtData): string {
  const parts = Array.isArray(data) ? data : [data];
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))).toString('utf8');
}
