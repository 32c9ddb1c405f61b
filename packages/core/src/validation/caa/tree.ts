import type { DnsAnswer, Resolver } from '../../ports/network.ts';
import type { Clock } from '../../ports/world.ts';
import { BoundedMap } from '../../support.ts';
import { SingleFlight } from '../single-flight.ts';
import type { CaaProperty } from './evaluate.ts';

/** TLS BR 3.2.2.8: an answer may be used for its TTL or 8 hours, whichever is less. */
const MAX_AGE_MS = 8 * 3_600_000;
const MAX_ENTRIES = 20_000;
/** Levels asked at once: most names have fewer, so one round trip settles them. */
const LEVELS_AT_ONCE = 6;
/** Names with more labels are refused, as their lookups would not end in reasonable time. */
const MAX_LABELS = 40;

/** Where climbing ended. `asked` holds the names in the order of the climb, `server` who answered last. */
export type CaaSet = {
  readonly asked: readonly string[];
  readonly server: string;
} & (
  | { readonly kind: 'records'; readonly at: string; readonly records: readonly CaaProperty[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failure'; readonly at: string; readonly detail: string; readonly timeout: boolean }
);

export interface CaaTree {
  /** Finds the Relevant Resource Record Set of a name in ASCII without `*.` (RFC 8659 section 3). */
  find(name: string): Promise<CaaSet>;
}

/** The name and its ancestors, the root left out. */
function levelsOf(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

const propertiesOf = (answer: DnsAnswer): CaaProperty[] =>
  answer.kind === 'records'
    ? answer.records.flatMap((record) =>
        record.type === 'CAA' ? [{ critical: record.critical, tag: record.tag, value: record.value }] : [],
      )
    : [];

/** Climbs with the eyes of one perspective. Answers are kept, failures are not. */
export function createCaaTree(resolver: Resolver, clock: Clock): CaaTree {
  const kept = new BoundedMap<string, { readonly answer: DnsAnswer; readonly from: number; readonly until: number }>(
    MAX_ENTRIES,
  );
  const flights = new SingleFlight<DnsAnswer>();

  function ask(name: string): Promise<DnsAnswer> {
    const now = clock.now();
    const known = kept.get(name);
    // the sandbox's clock may be set back: an answer from the future is none
    if (known !== undefined && known.from <= now && now < known.until) return Promise.resolve(known.answer);
    return flights.run(name, '', async () => {
      const answer = await resolver.resolve(name, 'CAA');
      const ageMs = answer.kind === 'failure' ? 0 : Math.min(answer.ttl * 1_000, MAX_AGE_MS);
      if (ageMs > 0) kept.set(name, { answer, from: now, until: now + ageMs });
      return answer;
    });
  }

  return {
    async find(name) {
      const levels = levelsOf(name);
      const asked: string[] = [];
      let server = '';
      if (levels.length > MAX_LABELS) {
        const detail = `a name of more than ${MAX_LABELS} labels`;
        return { kind: 'failure', at: name, asked, server, detail, timeout: false };
      }
      for (let start = 0; start < levels.length; start += LEVELS_AT_ONCE) {
        const slice = levels.slice(start, start + LEVELS_AT_ONCE);
        const pending = slice.map(ask);
        for (const [index, at] of slice.entries()) {
          const answer = await pending[index];
          if (answer === undefined) continue;
          asked.push(at);
          server = answer.server;
          if (answer.kind === 'failure') {
            const { reason, detail } = answer;
            return {
              kind: 'failure',
              at,
              asked,
              server,
              detail: `${reason}: ${detail}`,
              timeout: reason === 'timeout',
            };
          }
          const records = propertiesOf(answer);
          if (records.length > 0) return { kind: 'records', at, records, asked, server };
        }
      }
      return { kind: 'none', asked, server };
    },
  };
}
