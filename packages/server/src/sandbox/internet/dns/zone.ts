/** The sandbox's one zone of zones: every name exists, what was not published has defaults. */
import { getDomain } from 'tldts';
import { TYPE } from './constants.ts';
import { encodeName, parentOf } from './name.ts';

const MAX_RRSETS = 100_000;
const MAX_RECORDS_PER_RRSET = 1_000;
/** A set must fit into one message over TCP. */
const MAX_RRSET_BYTES = 60_000;
const DEFAULT_TTL_SECONDS = 60;
/** Short, so that a cache in between sees a record soon after it is published. */
const NEGATIVE_TTL_SECONDS = 5;
const RRSET_OVERHEAD_BYTES = 12;

export interface RrSet {
  readonly ttl: number;
  readonly rdata: readonly Buffer[];
}

export interface Zone {
  /** The published sets of exactly this name. */
  node(name: string): ReadonlyMap<number, RrSet> | undefined;
  /** The published sets that answer for a name: its own, or those of the wildcard that covers it (RFC 4592). */
  match(name: string): ReadonlyMap<number, RrSet> | undefined;
  /** The published or default set of exactly this name; SOA and NS exist at each registrable domain. */
  find(name: string, type: number): RrSet | undefined;
  /** Default set for a name with the given published sets. */
  defaults(name: string, type: number, published: ReadonlyMap<number, RrSet> | undefined): RrSet | undefined;
  /** Replaces a set; an empty one is removed. False when it does not fit. */
  set(name: string, type: number, rrset: RrSet): boolean;
  clear(): void;
  /** Whether so many more sets can be stored. */
  hasRoomFor(rrsets: number): boolean;
}

/** Makes an empty zone in which names without an A record have `defaultAddress` (4 bytes). */
export function createZone(defaultAddress: Buffer): Zone {
  const nodes = new Map<string, Map<number, RrSet>>();
  let rrsets = 0;
  let serial = 1;

  function defaults(name: string, type: number, published: ReadonlyMap<number, RrSet> | undefined): RrSet | undefined {
    if (published?.has(type)) return undefined;
    if (type === TYPE.A) return { ttl: DEFAULT_TTL_SECONDS, rdata: [defaultAddress] };
    if (type !== TYPE.SOA && type !== TYPE.NS) return undefined;
    if (apexOf(name) !== name) return undefined;
    const rdata = type === TYPE.SOA ? startOfAuthority(name, serial) : encodeName(nameServerOf(name));
    return { ttl: type === TYPE.SOA ? NEGATIVE_TTL_SECONDS : DEFAULT_TTL_SECONDS, rdata: [rdata] };
  }

  function match(name: string): ReadonlyMap<number, RrSet> | undefined {
    const own = nodes.get(name);
    if (own) return own;
    for (let ancestor = name; ancestor !== ''; ) {
      ancestor = parentOf(ancestor);
      const wildcard = nodes.get(ancestor === '' ? '*' : `*.${ancestor}`);
      if (wildcard) return wildcard;
      if (nodes.has(ancestor)) return undefined;
    }
    return undefined;
  }

  return {
    node: (name) => nodes.get(name),
    match,
    defaults,
    find: (name, type) => nodes.get(name)?.get(type) ?? defaults(name, type, nodes.get(name)),
    set(name, type, rrset) {
      const node = nodes.get(name);
      const isNew = !node?.has(type);
      if (rrset.rdata.length === 0) {
        if (isNew) return true;
        node?.delete(type);
        if (node?.size === 0) nodes.delete(name);
        rrsets -= 1;
      } else {
        if (!fits(rrset) || (isNew && rrsets >= MAX_RRSETS)) return false;
        if (node) node.set(type, rrset);
        else nodes.set(name, new Map([[type, rrset]]));
        if (isNew) rrsets += 1;
      }
      serial = (serial + 1) % 0x100000000;
      return true;
    },
    clear() {
      nodes.clear();
      rrsets = 0;
      serial = (serial + 1) % 0x100000000;
    },
    hasRoomFor: (count) => rrsets + count <= MAX_RRSETS,
  };
}

/** The name at which the sandbox has a zone cut: the registrable domain, or the name itself when it has none. */
export function apexOf(name: string): string {
  return getDomain(name, { extractHostname: false, validateHostname: false, detectIp: false }) ?? name;
}

/** Whether a set stays within the bounds of one set. */
export function fits({ rdata }: RrSet): boolean {
  const bytes = rdata.reduce((sum, { length }) => sum + length + RRSET_OVERHEAD_BYTES, 0);
  return rdata.length <= MAX_RECORDS_PER_RRSET && bytes <= MAX_RRSET_BYTES;
}

function nameServerOf(apex: string): string {
  return apex === '' ? 'ns1' : `ns1.${apex}`;
}

/** RFC 1035 section 3.3.13. */
function startOfAuthority(apex: string, serial: number): Buffer {
  const times = Buffer.alloc(20);
  for (const [index, value] of [serial, 3_600, 600, 86_400, NEGATIVE_TTL_SECONDS].entries()) {
    times.writeUInt32BE(value, index * 4);
  }
  const mailbox = apex === '' ? 'hostmaster' : `hostmaster.${apex}`;
  return Buffer.concat([encodeName(nameServerOf(apex)), encodeName(mailbox), times]);
}
