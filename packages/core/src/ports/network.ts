/** What the validation authority needs of the network. Outcomes are values: a network failure is an expected result. */

export type DnsRecordType = 'A' | 'AAAA' | 'TXT' | 'CNAME' | 'CAA' | 'MX' | 'NS' | 'SOA';

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly name: string; readonly address: string }
  | { readonly type: 'TXT'; readonly name: string /** Character-strings joined. */; readonly value: string }
  | { readonly type: 'CNAME' | 'NS'; readonly name: string; readonly target: string }
  | {
      readonly type: 'CAA';
      readonly name: string;
      readonly critical: boolean;
      readonly tag: string;
      readonly value: string;
    }
  | { readonly type: 'MX'; readonly name: string; readonly preference: number; readonly exchange: string }
  | {
      readonly type: 'SOA';
      readonly name: string;
      readonly mname: string;
      readonly rname: string;
      readonly minimum: number;
    };

interface DnsAnswerContext {
  /** Names passed through, first the one asked for. Empty when there was no CNAME. */
  readonly cnameChain: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  /** `address:port` of the server that answered. */
  readonly server: string;
  /** AD bit of the answer. */
  readonly authenticated: boolean;
}

export type DnsFailureReason = 'timeout' | 'servfail' | 'refused' | 'malformed' | 'network' | 'cnameLoop';

export type DnsAnswer =
  | ({ readonly kind: 'records'; readonly records: readonly DnsRecord[] } & DnsAnswerContext)
  | ({ readonly kind: 'none'; readonly nxdomain: boolean } & DnsAnswerContext)
  | { readonly kind: 'failure'; readonly reason: DnsFailureReason; readonly detail: string; readonly server: string };

export interface Resolver {
  /** Looks up one record type, following CNAMEs; never rejects. */
  resolve(name: string, type: DnsRecordType): Promise<DnsAnswer>;
}

export interface HttpHop {
  readonly url: string;
  readonly address: string;
  readonly status?: number;
}

export type HttpFailureReason =
  | 'timeout'
  | 'connect'
  | 'dns'
  | 'tls'
  | 'addressForbidden'
  | 'redirectForbidden'
  | 'tooManyRedirects'
  | 'malformed';

export type HttpFetchOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly body: Uint8Array;
      /** The body was longer than `maxBytes` and cut. */
      readonly truncated: boolean;
      readonly finalUrl: string;
      readonly hops: readonly HttpHop[];
    }
  | {
      /** `refused`: a rule of ours forbade it; `failure`: the other side did not deliver. */
      readonly kind: 'refused' | 'failure';
      readonly reason: HttpFailureReason;
      readonly detail: string;
      readonly hops: readonly HttpHop[];
    };

export interface HttpFetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxRedirects: number;
}

export interface HttpFetcher {
  /** Fetches over port 80 or 443 under the redirect and address rules of the validation authority; never rejects. */
  get(url: string, limits: HttpFetchLimits): Promise<HttpFetchOutcome>;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

export interface Mailer {
  /** Hands the mail to the transfer agent. Rejects when it was not accepted. */
  send(mail: Mail): Promise<void>;
}

/** One vantage point of the validation authority (TLS BR 3.2.2.9). */
export interface Perspective {
  readonly name: string;
  readonly region: string;
  readonly resolver: Resolver;
  readonly http: HttpFetcher;
}
