/** Dynamic updates of the sandbox's zone (RFC 2136). */
import { CLASS, META_TYPES, RCODE, TYPE } from './constants.ts';
import type { DnsMessage, ResourceRecord } from './message.ts';
import { isWithin } from './name.ts';
import { isWellFormed } from './presentation.ts';
import { apexOf, fits, type RrSet, type Zone } from './zone.ts';

/**
 * Applies an UPDATE whose signature was checked, whole or not at all; returns the RCODE.
 * Any zone at or below a registrable domain is served.
 */
export function applyUpdate(zone: Zone, message: DnsMessage): number {
  const zoneSection = message.questions[0];
  if (zoneSection?.type !== TYPE.SOA) return RCODE.FORMERR;
  if (zoneSection.class !== CLASS.IN || !isWithin(zoneSection.name, apexOf(zoneSection.name))) return RCODE.NOTAUTH;
  const unmet = checkPrerequisites(zone, zoneSection.name, message.answers);
  if (unmet !== RCODE.NOERROR) return unmet;
  const refused = prescan(zoneSection.name, message.authorities);
  if (refused !== RCODE.NOERROR) return refused;

  const changed = new Map<string, Map<number, RrSet>>();
  for (const record of message.authorities) stage(zone, changed, record);
  const sets = [...changed].flatMap(([name, types]) => [...types].map(([type, rrset]) => ({ name, type, rrset })));
  const added = sets.filter(({ rrset }) => rrset.rdata.length > 0);
  if (!zone.hasRoomFor(added.length) || !sets.every(({ rrset }) => fits(rrset))) return RCODE.SERVFAIL;
  for (const { name, type, rrset } of sets) zone.set(name, type, rrset);
  return RCODE.NOERROR;
}

/** RFC 2136 section 3.2. */
function checkPrerequisites(zone: Zone, zoneName: string, prerequisites: readonly ResourceRecord[]): number {
  const wanted = new Map<string, { readonly record: ResourceRecord; readonly rdata: Buffer[] }>();
  for (const record of prerequisites) {
    const { name, type, rdata } = record;
    if (record.ttl !== 0) return RCODE.FORMERR;
    if (!isWithin(name, zoneName)) return RCODE.NOTZONE;
    if (record.class === CLASS.ANY || record.class === CLASS.NONE) {
      if (rdata.length > 0) return RCODE.FORMERR;
      const mustExist = record.class === CLASS.ANY;
      const exists = type === TYPE.ANY ? isInUse(zone, name) : stored(zone, name, type) !== undefined;
      if (exists === mustExist) continue;
      if (type === TYPE.ANY) return mustExist ? RCODE.NXDOMAIN : RCODE.YXDOMAIN;
      return mustExist ? RCODE.NXRRSET : RCODE.YXRRSET;
    }
    if (record.class !== CLASS.IN || META_TYPES.has(type)) return RCODE.FORMERR;
    const key = `${name} ${type}`;
    const entry = wanted.get(key);
    if (entry) entry.rdata.push(rdata);
    else wanted.set(key, { record, rdata: [rdata] });
  }
  for (const { record, rdata } of wanted.values()) {
    const actual = stored(zone, record.name, record.type)?.rdata ?? [];
    const isSame = actual.length === rdata.length && rdata.every((bytes) => actual.some((own) => own.equals(bytes)));
    if (!isSame) return RCODE.NXRRSET;
  }
  return RCODE.NOERROR;
}

/** RFC 2136 section 3.4.1. */
function prescan(zoneName: string, updates: readonly ResourceRecord[]): number {
  for (const { name, type, class: recordClass, ttl, rdata } of updates) {
    if (!isWithin(name, zoneName)) return RCODE.NOTZONE;
    const isMeta = META_TYPES.has(type);
    if (recordClass === CLASS.IN) {
      if (isMeta || !isWellFormed(type, rdata) || ttl > 0x7fffffff) return RCODE.FORMERR;
    } else if (recordClass === CLASS.ANY) {
      if (ttl !== 0 || rdata.length > 0 || (isMeta && type !== TYPE.ANY)) return RCODE.FORMERR;
    } else if (recordClass !== CLASS.NONE || ttl !== 0 || isMeta) {
      return RCODE.FORMERR;
    }
  }
  return RCODE.NOERROR;
}

/** RFC 2136 section 3.4.2, on sets staged in `changed`. SOA stays the sandbox's own. */
function stage(zone: Zone, changed: Map<string, Map<number, RrSet>>, record: ResourceRecord): void {
  const { name, type, ttl, rdata } = record;
  if (type === TYPE.SOA) return;
  const staged = changed.get(name) ?? new Map<number, RrSet>();
  changed.set(name, staged);
  const current = (of: number): readonly Buffer[] => (staged.get(of) ?? zone.node(name)?.get(of))?.rdata ?? [];
  const types = new Set([...(zone.node(name)?.keys() ?? []), ...staged.keys()]);

  if (record.class === CLASS.ANY) {
    for (const each of type === TYPE.ANY ? types : [type]) staged.set(each, { ttl: 0, rdata: [] });
    return;
  }
  if (record.class === CLASS.NONE) {
    const kept = current(type).filter((own) => !own.equals(rdata));
    const keptTtl = (staged.get(type) ?? zone.node(name)?.get(type))?.ttl ?? 0;
    staged.set(type, { ttl: keptTtl, rdata: kept });
    return;
  }
  const hasAlias = current(TYPE.CNAME).length > 0;
  if (type === TYPE.CNAME) {
    const hasOther = [...types].some((each) => each !== TYPE.CNAME && current(each).length > 0);
    // A CNAME has its name for itself; a second one replaces the first.
    if (!hasOther) staged.set(type, { ttl, rdata: [rdata] });
    return;
  }
  if (hasAlias) return;
  const others = current(type).filter((own) => !own.equals(rdata));
  staged.set(type, { ttl, rdata: [...others, rdata] });
}

/** A set that a prerequisite may see: published, or SOA and NS of the zone; the default address is not data. */
function stored(zone: Zone, name: string, type: number): RrSet | undefined {
  return type === TYPE.A ? zone.node(name)?.get(type) : zone.find(name, type);
}

function isInUse(zone: Zone, name: string): boolean {
  return zone.node(name) !== undefined || apexOf(name) === name;
}
