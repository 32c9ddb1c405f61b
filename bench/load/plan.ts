/** What a generator process is told to send, and what it reports. Sent over the structured-clone channel of `fork`. */

export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  /** Connections, each with one request in flight. */
  readonly connections: number;
  /** Before counting starts. */
  readonly warmUpMs: number;
  /** Counted time; null: until told to stop. */
  readonly durationMs: number | null;
  /** Pause of a connection after an answer; 0: none. */
  readonly thinkMs: number;
  /** Whole HTTP/1.1 messages, sent in turn. */
  readonly requests: readonly Uint8Array[];
  /** So many octets at the end of each message get another value each time it is sent, e.g. a nonce; 0: none. */
  readonly varyLast: number;
  readonly expect: Expectation;
}

/** An answer that does not meet all of it counts as a failure. */
export interface Expectation {
  readonly status: number;
  /** Octets that the body holds. */
  readonly bodyIncludes: Uint8Array | null;
  /** The body holds the varied octets of its request. */
  readonly echo: boolean;
}

export interface LoadReport {
  /** Right answers in the counted time. */
  readonly answers: number;
  readonly failures: number;
  /** First few failures, cut. */
  readonly samples: readonly string[];
  readonly seconds: number;
  /** Right answers a second. */
  readonly rate: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  /** Share of one core that the generator itself used. */
  readonly generatorCpu: number;
}

export type ToGenerator = { readonly kind: 'run'; readonly plan: LoadPlan } | { readonly kind: 'stop' };
export type FromGenerator =
  | { readonly kind: 'counting' }
  | { readonly kind: 'done'; readonly report: LoadReport }
  | { readonly kind: 'failed'; readonly message: string };
