import type { HttpFetchLimits, HttpFetchOutcome } from '../ports/network.ts';
import type { PerspectiveFinding } from '../records/index.ts';
import { randomHex } from '../support.ts';
import { excerpt, excerpts } from './excerpt.ts';
import { type FailureClass, httpFailureClass } from './failure-class.ts';
import type { Expectation, ObservedStrategy } from './strategy.ts';

const LIMITS: HttpFetchLimits = { timeoutMs: 15_000, maxBytes: 4_096, maxRedirects: 10 };
const SHOWN_CHARACTERS = 128;

const urlOf = ({ name, challenge }: Expectation): string =>
  `http://${name}/.well-known/pki-validation/${challenge.fileName ?? ''}`;

const statusClass = (status: number): FailureClass => {
  if (status >= 400 && status < 500) return 'HTTP_4XX';
  return status >= 500 && status < 600 ? 'HTTP_5XX' : 'HTTP_STATUS';
};

interface Judgement {
  readonly failureClass: FailureClass | null;
  readonly found: readonly string[];
  readonly message: string;
}

function judge(outcome: HttpFetchOutcome, token: string): Judgement {
  if (outcome.kind !== 'response') {
    return { failureClass: httpFailureClass(outcome.reason), found: [], message: excerpt(outcome.detail) };
  }
  const { status, body, truncated } = outcome;
  if (status !== 200) {
    return { failureClass: statusClass(status), found: [`HTTP ${status}`], message: `the server answered ${status}` };
  }
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  const found = [excerpt(text, SHOWN_CHARACTERS)];
  if (truncated) return { failureClass: 'HTTP_TOO_LARGE', found, message: `more than ${LIMITS.maxBytes} octets` };
  return text.replace(/\r?\n$/, '') === token
    ? { failureClass: null, found: [token], message: '' }
    : { failureClass: 'TOKEN_MISMATCH', found, message: 'the file has another content' };
}

/**
 * Agreed-upon change to website, version 2 (TLS BR 3.2.2.4.18): a file whose whole content is the value. The file name
 * is drawn apart from the value, which must not appear in the request. No wildcards, no names below.
 */
export const httpUrl: ObservedStrategy = {
  kind: 'observed',
  method: 'http-url',
  offeredFor: ['orders', 'domains'],
  provesWildcards: false,
  provesSubdomains: false,
  caaLabel: 'ca-http-url',

  mint: (random) => ({ token: randomHex(random, 16), fileName: `${randomHex(random, 8)}.txt` }),

  artefact: (expectation) => ({ recordNames: [], url: urlOf(expectation), recipients: [] }),

  async check(perspective, expectation): Promise<PerspectiveFinding> {
    const url = urlOf(expectation);
    const outcome = await perspective.http.get(url, LIMITS);
    const { failureClass, found, message } = judge(outcome, expectation.challenge.token);
    const hops = outcome.hops.map((hop) => `${hop.url} at ${hop.address}`);
    return {
      perspective: perspective.name,
      region: perspective.region,
      resolver: '',
      ok: failureClass === null,
      failureClass,
      asked: hops.length === 0 ? [url] : excerpts(hops),
      found,
      errorMessage: message,
    };
  },
};
