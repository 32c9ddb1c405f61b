import type { DnsAnswer } from '../ports/network.ts';
import type { PerspectiveFinding } from '../records/index.ts';
import { randomHex } from '../support.ts';
import { excerpt, excerpts } from './excerpt.ts';
import { dnsFailureClass, type FailureClass } from './failure-class.ts';
import type { Expectation, ObservedStrategy } from './strategy.ts';

const PREFIX = 'emudhra-dcv-';
/** The first is announced; the others are what clients of the older descriptions publish (contract v2 section 8.3). */
const LABELS = ['_emudhra-challenge', '_certinext-challenge', '_emsign-validation'];
const MAX_NAME = 253;

interface Lookup {
  readonly name: string;
  readonly answer: DnsAnswer;
}

const textsOf = (answer: DnsAnswer): string[] =>
  answer.kind === 'records' ? answer.records.flatMap((record) => (record.type === 'TXT' ? [record.value] : [])) : [];

const recordNamesOf = (name: string): string[] => [
  ...LABELS.map((label) => `${label}.${name}`).filter((recordName) => recordName.length <= MAX_NAME),
  name,
];

/** The first lookup that satisfies, without waiting for the rest; undefined when all came back and none does. */
function firstThat(
  lookups: readonly Promise<Lookup>[],
  satisfies: (lookup: Lookup) => boolean,
): Promise<Lookup | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Lookup | undefined>();
  Promise.all(
    lookups.map(async (pending) => {
      const lookup = await pending;
      if (satisfies(lookup)) resolve(lookup);
    }),
  ).then(() => resolve(undefined), reject);
  return promise;
}

function judge(lookups: readonly Lookup[], apex: string): { failureClass: FailureClass; message: string } {
  // at the apex TXT records of other purposes are at home; only a value of ours is a wrong one there
  const wrong = lookups.find(({ name, answer }) =>
    textsOf(answer).some((value) => name !== apex || value.startsWith(PREFIX)),
  );
  if (wrong !== undefined) {
    return { failureClass: 'TOKEN_MISMATCH', message: `TXT record at ${wrong.name} has another value` };
  }
  for (const { name, answer } of lookups) {
    if (answer.kind === 'failure') {
      return { failureClass: dnsFailureClass(answer.reason), message: `${name}: ${excerpt(answer.detail)}` };
    }
  }
  const apexAnswer = lookups.find(({ name }) => name === apex)?.answer;
  return apexAnswer?.kind === 'none' && apexAnswer.nxdomain
    ? { failureClass: 'DNS_NXDOMAIN', message: `${apex} does not exist` }
    : { failureClass: 'RECORD_MISSING', message: 'no TXT record with the value was found' };
}

/** DNS change (TLS BR 3.2.2.4.7): the value in a TXT record below or at the name; CNAMEs are followed. */
export const dnsTxt: ObservedStrategy = {
  kind: 'observed',
  method: 'dns-txt',
  offeredFor: ['orders', 'domains'],
  provesWildcards: true,
  provesSubdomains: true,
  caaLabel: 'ca-dns-txt',

  mint: (random) => ({ token: PREFIX + randomHex(random, 16), fileName: null }),

  artefact: ({ name }: Expectation) => ({ recordNames: recordNamesOf(name), url: null, recipients: [] }),

  async check(perspective, { name, challenge }): Promise<PerspectiveFinding> {
    const recordNames = recordNamesOf(name);
    const pending = recordNames.map(async (recordName) => ({
      name: recordName,
      answer: await perspective.resolver.resolve(recordName, 'TXT'),
    }));
    const about = { perspective: perspective.name, region: perspective.region };
    const match = await firstThat(pending, ({ answer }) => textsOf(answer).includes(challenge.token));
    if (match !== undefined && match.answer.kind === 'records') {
      return {
        ...about,
        resolver: match.answer.server,
        ok: true,
        failureClass: null,
        asked: [match.name, ...match.answer.cnameChain.slice(1)],
        found: [challenge.token],
        errorMessage: '',
      };
    }
    const lookups = await Promise.all(pending);
    const { failureClass, message } = judge(lookups, name);
    return {
      ...about,
      resolver: lookups[0]?.answer.server ?? '',
      ok: false,
      failureClass,
      asked: recordNames,
      found: excerpts(lookups.flatMap(({ answer }) => textsOf(answer))),
      errorMessage: message,
    };
  },
};
