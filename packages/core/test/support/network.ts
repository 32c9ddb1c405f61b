/** Network of the tests: answers from tables, in memory. */
import type {
  DnsAnswer,
  DnsFailureReason,
  DnsRecord,
  DnsRecordType,
  HttpFetcher,
  HttpFetchLimits,
  HttpFetchOutcome,
  Mail,
  Mailer,
  Perspective,
  PublicSuffix,
  Resolver,
} from '@certwright/core';

type Scripted =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly ttl: number }
  | { readonly kind: 'none'; readonly nxdomain: boolean; readonly ttl: number }
  | { readonly kind: 'failure'; readonly reason: DnsFailureReason };

const SERVER = '192.0.2.53:53';

/** Names without an entry exist and have nothing. */
export class FakeResolver implements Resolver {
  readonly #answers = new Map<string, Scripted>();
  readonly #cnames = new Map<string, string>();
  /** `name type` of each question. */
  readonly asked: string[] = [];
  /** Awaited before each answer. */
  gate: Promise<void> = Promise.resolve();

  txt(name: string, ...values: string[]): this {
    return this.#set(name, 'TXT', {
      kind: 'records',
      ttl: 300,
      records: values.map((value) => ({ type: 'TXT', name, value })),
    });
  }

  /** Properties as `issue ca.example`, with `!` in front when critical. */
  caa(name: string, properties: readonly string[], ttl = 300): this {
    const records = properties.map((text): DnsRecord => {
      const [, critical, tag = '', value = ''] = /^(!?)(\S+) ?(.*)$/.exec(text) ?? [];
      return { type: 'CAA', name, critical: critical === '!', tag, value };
    });
    return this.#set(name, 'CAA', { kind: 'records', ttl, records });
  }

  cname(name: string, target: string): this {
    this.#cnames.set(name, target);
    return this;
  }

  none(name: string, type: DnsRecordType, options: { readonly nxdomain?: boolean; readonly ttl?: number } = {}): this {
    return this.#set(name, type, { kind: 'none', nxdomain: options.nxdomain ?? false, ttl: options.ttl ?? 0 });
  }

  failing(name: string, type: DnsRecordType, reason: DnsFailureReason): this {
    return this.#set(name, type, { kind: 'failure', reason });
  }

  forget(): void {
    this.#answers.clear();
    this.#cnames.clear();
    this.asked.length = 0;
  }

  #set(name: string, type: DnsRecordType, answer: Scripted): this {
    this.#answers.set(`${name} ${type}`, answer);
    return this;
  }

  async resolve(name: string, type: DnsRecordType): Promise<DnsAnswer> {
    this.asked.push(`${name} ${type}`);
    await this.gate;
    const chain = [name];
    let current = name;
    for (let target = this.#cnames.get(current); target !== undefined; target = this.#cnames.get(current)) {
      chain.push(target);
      current = target;
    }
    const context = { cnameChain: chain.length > 1 ? chain : [], server: SERVER, authenticated: false };
    const answer = this.#answers.get(`${current} ${type}`) ?? { kind: 'none', nxdomain: false, ttl: 0 };
    if (answer.kind === 'failure') {
      return { kind: 'failure', reason: answer.reason, detail: 'scripted', server: SERVER };
    }
    return { ...answer, ...context };
  }
}

export class FakeHttp implements HttpFetcher {
  readonly #outcomes = new Map<string, HttpFetchOutcome>();
  readonly asked: { readonly url: string; readonly limits: HttpFetchLimits }[] = [];

  file(
    url: string,
    body: string | Uint8Array,
    options: { readonly status?: number; readonly truncated?: boolean } = {},
  ) {
    const status = options.status ?? 200;
    this.#outcomes.set(url, {
      kind: 'response',
      status,
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      truncated: options.truncated ?? false,
      finalUrl: url,
      hops: [{ url, address: '192.0.2.80', status }],
    });
    return this;
  }

  outcome(url: string, outcome: HttpFetchOutcome): this {
    this.#outcomes.set(url, outcome);
    return this;
  }

  async get(url: string, limits: HttpFetchLimits): Promise<HttpFetchOutcome> {
    this.asked.push({ url, limits });
    return (
      this.#outcomes.get(url) ?? {
        kind: 'response',
        status: 404,
        body: new Uint8Array(),
        truncated: false,
        finalUrl: url,
        hops: [{ url, address: '192.0.2.80', status: 404 }],
      }
    );
  }
}

export class FakeMailer implements Mailer {
  readonly sent: Mail[] = [];
  isDown = false;

  async send(mail: Mail): Promise<void> {
    if (this.isDown) throw new Error('the mail server is away');
    this.sent.push(mail);
  }
}

export interface FakePerspective extends Perspective {
  readonly resolver: FakeResolver;
  readonly http: FakeHttp;
}

export const fakePerspective = (name: string): FakePerspective => ({
  name,
  region: `region-${name}`,
  resolver: new FakeResolver(),
  http: new FakeHttp(),
});

/** Every top-level domain is a suffix, nothing else is. */
export const fakePublicSuffix: PublicSuffix = (name) => {
  const labels = name.split('.');
  return labels.length === 1
    ? { isSuffix: true, registrable: null }
    : { isSuffix: false, registrable: labels.slice(-2).join('.') };
};
