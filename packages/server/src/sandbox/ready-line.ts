import type { Preloaded } from './preload.ts';

/** Everything that a client of a sandbox needs to know; printed as one line of JSON when the sandbox is ready. */
export interface ReadyLine extends Preloaded {
  readonly ready: true;
  /** Base of the API, without trailing slash. */
  readonly baseUrl: string;
  /** Base of OCSP, CRLs and CA certificates; plain http. */
  readonly httpUrl: string;
  /** Path of the root certificate (PEM): trust anchor of the listener and of all orders. */
  readonly caCertificate: string;
  /** Absent with `resolver`: then that server answers, and is asked to change by its own means. */
  readonly dns?: {
    /** `address:port`, UDP and TCP. */
    readonly address: string;
    readonly tsigName: string;
    readonly tsigAlgorithm: 'hmac-sha256';
    /** Base64. */
    readonly tsigSecret: string;
  };
  /** Base of the control API, without trailing slash. */
  readonly control: string;
}
