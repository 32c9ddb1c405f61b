import type { Backend, Snapshot } from '../backend.ts';
import { createCodec } from '../schema/codec.ts';
import type { SqlValue } from '../schema/columns.ts';
import { AUDIT } from '../schema/own-tables.ts';
import { type ChainedEntry, entryHash, type LaneHead, TIE_ACTIVITY } from './chain.ts';

export interface AuditProblem {
  readonly lane: string;
  readonly sequence: number;
  /**
   * `hash`: the entry was changed. `link`: it does not follow the one before. `gap`: entries are missing before it.
   * `tie`: another lane quotes this entry, and it is missing or another one.
   */
  readonly kind: 'hash' | 'link' | 'gap' | 'tie';
  readonly message: string;
}

export interface AuditReport {
  readonly lanes: number;
  readonly entries: number;
  /** The first 1,000 that were found. */
  readonly problems: readonly AuditProblem[];
}

const SLICE = 2_000;
const MAX_PROBLEMS = 1_000;
const GENESIS = '0'.repeat(64);

const CODEC = createCodec(AUDIT);
const SELECT = `select ${CODEC.columns.map(({ name }) => `"${name}"`).join(', ')} from "audit"`;

function chainedEntry(row: readonly SqlValue[]): ChainedEntry {
  // the columns of the table definition are the members of the entry
  const entry: unknown = CODEC.decode(row);
  return entry as ChainedEntry;
}

function isHead(value: unknown): value is LaneHead {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'lane' in value &&
    typeof value.lane === 'string' &&
    'sequence' in value &&
    typeof value.sequence === 'number' &&
    'hash' in value &&
    typeof value.hash === 'string'
  );
}

/** Heads that a tie quotes. */
function quotedHeads(details: string): readonly LaneHead[] {
  try {
    const parsed: unknown = JSON.parse(details);
    if (typeof parsed !== 'object' || parsed === null || !('heads' in parsed) || !Array.isArray(parsed.heads))
      return [];
    return parsed.heads.filter(isHead);
  } catch {
    // the entry's hash is found wrong in its own place
    return [];
  }
}

/** Walks one lane after the other; ties are looked up at the end, when all lanes are known. */
class Verification {
  readonly problems: AuditProblem[] = [];
  lanes = 0;
  entries = 0;
  readonly #quoted = new Map<string, LaneHead & { readonly by: string }>();
  #current: LaneHead = { lane: '', sequence: 0, hash: GENESIS };

  report(problem: AuditProblem): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem);
  }

  quote(head: LaneHead, by: string): void {
    this.#quoted.set(`${head.lane} ${head.sequence} ${head.hash}`, { ...head, by });
  }

  add(entry: ChainedEntry): void {
    const { lane, sequence } = entry;
    this.entries++;
    if (lane !== this.#current.lane) {
      this.lanes++;
      this.#current = { lane, sequence: 0, hash: GENESIS };
    }
    const expected = this.#current.sequence + 1;
    if (sequence !== expected) {
      this.report({ lane, sequence, kind: 'gap', message: `entry ${expected} is missing` });
    } else if (entry.previousHash !== this.#current.hash) {
      this.report({ lane, sequence, kind: 'link', message: 'the entry does not follow the one before it' });
    }
    if (entryHash(entry.previousHash, lane, sequence, entry) !== entry.hash) {
      this.report({ lane, sequence, kind: 'hash', message: 'the entry was changed after it was written' });
    }
    if (entry.activity === TIE_ACTIVITY) for (const head of quotedHeads(entry.details)) this.quote(head, lane);
    this.#current = { lane, sequence, hash: entry.hash };
  }

  get quoted(): readonly (LaneHead & { readonly by: string })[] {
    return [...this.#quoted.values()];
  }
}

async function checkQuoted(snapshot: Snapshot, verification: Verification): Promise<void> {
  const text = `select "hash" from "audit" where "lane" = ${snapshot.placeholder(0)} and "sequence" = ${snapshot.placeholder(1)}`;
  for (const { lane, sequence, hash, by } of verification.quoted) {
    const [row] = await snapshot.rows(text, [lane, sequence]);
    const found = row?.[0];
    if (!(found instanceof Uint8Array)) {
      const message = `lane ${by} quotes the entry, but it is missing: the lane was cut or removed`;
      verification.report({ lane, sequence, kind: 'tie', message });
    } else if (Buffer.from(found).toString('hex') !== hash) {
      const message = `lane ${by} quotes the entry with another hash`;
      verification.report({ lane, sequence, kind: 'tie', message });
    }
  }
}

/**
 * Recomputes every hash, checks that no sequence has a gap and that what ties quote is there. All is read from one
 * snapshot in slices, so that it can run beside a server at work. What no tie quotes yet (the newest entries) can be
 * cut off unnoticed only together with the head that is kept for the next tie.
 */
export async function verifyAudit(backend: Pick<Backend, 'openSnapshot'>): Promise<AuditReport> {
  const snapshot = await backend.openSnapshot();
  const verification = new Verification();
  try {
    for (const [lane, sequence, hash] of await snapshot.rows(
      'select "lane", "sequence", "hash" from "audit_heads"',
      [],
    )) {
      if (!(hash instanceof Uint8Array)) continue;
      const head = { lane: String(lane), sequence: Number(sequence), hash: Buffer.from(hash).toString('hex') };
      verification.quote(head, 'heads');
    }
    const [lane, sequence] = [snapshot.placeholder(0), snapshot.placeholder(1)];
    const text = `${SELECT} where ("lane", "sequence") > (${lane}, ${sequence}) order by "lane", "sequence" limit ${SLICE}`;
    let beyond: readonly SqlValue[] = ['', 0];
    for (;;) {
      const entries = (await snapshot.rows(text, beyond)).map(chainedEntry);
      for (const entry of entries) verification.add(entry);
      const last = entries.at(-1);
      if (last === undefined || entries.length < SLICE) break;
      beyond = [last.lane, last.sequence];
      await new Promise(setImmediate);
    }
    await checkQuoted(snapshot, verification);
  } finally {
    await snapshot.close();
  }
  const { lanes, entries, problems } = verification;
  return { lanes, entries, problems };
}
