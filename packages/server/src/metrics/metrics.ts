/** Prometheus metrics; labels come from closed sets only. */
import type { AuditDraft, KeyVault, Store } from '@certwright/core';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIGNING_BUCKETS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1];

export interface Metrics {
  /** Text of the exposition format with its media type. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Notes an answered request; `route` is the pattern, never the URL. */
  request(face: string, method: string, route: string, status: number, seconds: number): void;
  /** The same store, its commits measured and counted. */
  observeStore(store: Store): Store;
  /** The same vault, its signatures measured. */
  observeVault<V extends KeyVault>(vault: V): KeyVault;
  /** Values by label, read when metrics are asked for; a reader that fails leaves the metric out. */
  gauge(name: string, help: string, label: string, read: () => Promise<Iterable<readonly [string, number]>>): void;
}

/** Makes the child of a metric for labels once; the labels come from closed sets, so that few are kept. */
function remembered<T>(make: (labels: readonly string[]) => T): (...labels: readonly string[]) => T {
  const made = new Map<string, T>();
  return (...labels) => {
    const key = labels.join(' ');
    let child = made.get(key);
    if (child === undefined) {
      child = make(labels);
      made.set(key, child);
    }
    return child;
  };
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const requests = new Histogram({
    name: 'certwright_http_request_duration_seconds',
    help: 'Time from the request’s head to the end of its answer.',
    labelNames: ['face', 'method', 'route', 'status'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  const signing = new Histogram({
    name: 'certwright_signing_duration_seconds',
    help: 'Time to sign with a CA or OCSP key, waiting included.',
    labelNames: ['purpose', 'result'],
    buckets: SIGNING_BUCKETS,
    registers: [registry],
  });
  const commits = new Histogram({
    name: 'certwright_store_commit_duration_seconds',
    help: 'Time from handing over a write set to its commit.',
    labelNames: ['result'],
    buckets: DURATION_BUCKETS,
    registers: [registry],
  });
  const waiting = new Gauge({
    name: 'certwright_store_write_sets_waiting',
    help: 'Write sets handed over and not committed yet.',
    registers: [registry],
  });
  const events = new Counter({
    name: 'certwright_events_total',
    help: 'Audit entries by activity and outcome.',
    labelNames: ['activity', 'outcome'],
    registers: [registry],
  });
  const issuance = new Counter({
    name: 'certwright_certificates_total',
    help: 'Certificates by profile: put on record (`recorded`), signed and stored (`issued`).',
    labelNames: ['profile', 'result'],
    registers: [registry],
  });

  // a labelled child is looked up once; hashing labels on every request costs more than the observation
  const requestTimes = remembered((key) => requests.labels(...key));
  const commitTimes = remembered((key) => commits.labels(...key));
  const eventCounts = remembered((key) => events.labels(...key));
  const certificateCounts = remembered((key) => issuance.labels(...key));

  function count(audit: readonly AuditDraft[]): void {
    for (const { activity, outcome, details } of audit) {
      eventCounts(activity, outcome).inc();
      if (activity === 'certificate.issued' && typeof details.profile === 'string') {
        certificateCounts(details.profile, 'issued').inc();
      }
    }
  }

  function observeStore(store: Store): Store {
    const write: Store['write'] = async (set) => {
      waiting.inc();
      const started = performance.now();
      const done = (result: string): void => {
        waiting.dec();
        commitTimes(result).observe((performance.now() - started) / 1000);
      };
      try {
        const outcome = await store.write(set);
        done(outcome.ok ? 'committed' : outcome.error.kind);
        if (outcome.ok) {
          if ('audit' in set) count(set.audit);
          for (const one of set.writes) {
            if (one.op === 'insert' && one.table === 'certificate')
              certificateCounts(one.row.profileId, 'recorded').inc();
          }
        }
        return outcome;
      } catch (error) {
        done('unavailable');
        throw error;
      }
    };
    return {
      write,
      nextId: () => store.nextId(),
      onInvalidation: (listener) => store.onInvalidation(listener),
      revoked: (caId, partition, notExpiredBefore) => store.revoked(caId, partition, notExpiredBefore),
      lease: (name, holder, now, until) => store.lease(name, holder, now, until),
      prune: (now) => store.prune(now),
      close: () => store.close(),
      accounts: store.accounts,
      products: store.products,
      credentials: store.credentials,
      orders: store.orders,
      domains: store.domains,
      certificates: store.certificates,
      authorities: store.authorities,
      idempotency: store.idempotency,
      settings: store.settings,
      audit: store.audit,
      jobs: store.jobs,
    };
  }

  function observeVault(vault: KeyVault): KeyVault {
    return {
      generate: (algorithm) => vault.generate(algorithm),
      import: (pkcs8) => vault.import(pkcs8),
      async sign(permit) {
        const started = performance.now();
        let result = 'failed';
        try {
          const signature = await vault.sign(permit);
          result = 'signed';
          return signature;
        } finally {
          signing.labels(permit.purpose, result).observe((performance.now() - started) / 1000);
        }
      },
    };
  }

  return {
    request: (face, method, route, status, seconds) =>
      requestTimes(face, method, route, String(status)).observe(seconds),
    observeStore,
    observeVault,
    gauge(name, help, label, read) {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [registry],
        async collect() {
          this.reset();
          try {
            for (const [value, number] of await read()) this.labels(value).set(number);
          } catch {
            this.reset();
          }
        },
      });
    },
    async render() {
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
