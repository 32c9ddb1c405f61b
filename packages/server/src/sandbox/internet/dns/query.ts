/** Answers of the sandbox's server (RFC 1034 section 4.3.2): no name is ever missing, so there is no NXDOMAIN. */
import { CLASS, RCODE, TYPE } from './constants.ts';
import { internetRecord, type Question, type ResourceRecord } from './message.ts';
import { readName } from './name.ts';
import { apexOf, type RrSet, type Zone } from './zone.ts';

const MAX_CNAMES = 8;

export interface QueryAnswer {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
}

/** Answers one question: CNAMEs with all that is known of their targets, or the SOA of the registrable domain. */
export function answerQuery(zone: Zone, question: Question): QueryAnswer {
  if (question.class !== CLASS.IN || question.type === TYPE.AXFR || question.type === 251) return refused();
  const answers: ResourceRecord[] = [];
  const visited = new Set<string>();
  let name = question.name;
  for (;;) {
    visited.add(name);
    const published = zone.match(name);
    const alias = published?.get(TYPE.CNAME);
    if (!alias || question.type === TYPE.CNAME || question.type === TYPE.ANY) {
      answers.push(...recordsOf(zone, name, question.type, published));
      break;
    }
    answers.push(...toRecords(name, TYPE.CNAME, alias));
    name = readName(alias.rdata[0] ?? Buffer.alloc(1), 0).name;
    if (visited.has(name) || visited.size > MAX_CNAMES) return { rcode: RCODE.NOERROR, answers, authorities: [] };
  }
  const isEmpty = answers.at(-1)?.name !== name;
  return { rcode: RCODE.NOERROR, answers, authorities: isEmpty ? authorityOf(zone, name) : [] };
}

/** The SOA record that goes with a negative answer (RFC 2308). */
export function authorityOf(zone: Zone, name: string): ResourceRecord[] {
  const apex = apexOf(name);
  const soa = zone.find(apex, TYPE.SOA);
  return soa ? toRecords(apex, TYPE.SOA, soa) : [];
}

function refused(): QueryAnswer {
  return { rcode: RCODE.REFUSED, answers: [], authorities: [] };
}

function recordsOf(
  zone: Zone,
  name: string,
  type: number,
  published: ReadonlyMap<number, RrSet> | undefined,
): ResourceRecord[] {
  const types =
    type === TYPE.ANY ? new Set([...(published?.keys() ?? []), TYPE.SOA, TYPE.NS, TYPE.A]) : new Set([type]);
  return [...types].flatMap((each) => {
    const rrset = published?.get(each) ?? zone.defaults(name, each, published);
    return rrset ? toRecords(name, each, rrset) : [];
  });
}

function toRecords(name: string, type: number, { ttl, rdata }: RrSet): ResourceRecord[] {
  return rdata.map((bytes) => internetRecord(name, type, ttl, bytes));
}
