import type { OcspAnswer } from '../api.ts';
import type { Instant } from '../ports/world.ts';

/** A signed answer with the time in which it is given out. */
export interface PrecomputedAnswer {
  readonly answer: OcspAnswer;
  readonly from: Instant;
  /** Exclusive; half of the answer's life. */
  readonly until: Instant;
}

/** Everything kept about one certificate. */
interface CertificateAnswers {
  /** By CertID (DER as latin1): clients name a certificate by several hash algorithms. */
  readonly byCertId: Map<string, PrecomputedAnswer>;
  /** Request keys that lead here. */
  readonly requestKeys: string[];
  /** Asked for since eviction last looked. */
  used: boolean;
}

interface Hit extends PrecomputedAnswer {
  readonly owner: CertificateAnswers;
}

/** Signings of one certificate that are under way; `stale` once its status may have changed meanwhile. */
interface UnderWay {
  readonly byCertId: Map<string, Promise<OcspAnswer | undefined>>;
  stale: boolean;
}

/** Requests for one CertID differ by wrapping only; more wrappings than this are parsed each time. */
const MAX_REQUEST_KEYS = 8;
/** Four hash algorithms, each with and without NULL parameters. */
const MAX_CERT_IDS = 8;

const inTime = ({ from, until }: PrecomputedAnswer, now: Instant): boolean => now >= from && now < until;

/**
 * Precomputed OCSP answers, found by the bytes of the request with one look-up, and forgotten by certificate. At most
 * `limit` certificates are kept; those not asked for lately go first.
 */
export class AnswerCache {
  readonly #limit: number;
  readonly #byRequest = new Map<string, Hit>();
  readonly #certificates = new Map<string, CertificateAnswers>();
  readonly #underWay = new Map<string, UnderWay>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#certificates.size;
  }

  /** The answer to these request bytes, if it is kept and in time. */
  lookUp(requestKey: string, now: Instant): OcspAnswer | undefined {
    const hit = this.#byRequest.get(requestKey);
    if (hit === undefined || !inTime(hit, now)) return undefined;
    hit.owner.used = true;
    return hit.answer;
  }

  /**
   * The answer about a certificate: kept, being made, or made now by `make`, which reads the status and signs; undefined when
   * `make` knows no such certificate. An answer whose status was forgotten while it was made is given to those who
   * asked before, and not kept.
   */
  answer(
    certificate: string,
    certId: string,
    requestKey: string | undefined,
    now: Instant,
    make: () => Promise<PrecomputedAnswer | undefined>,
  ): Promise<OcspAnswer | undefined> {
    const kept = this.#certificates.get(certificate);
    const precomputed = kept?.byCertId.get(certId);
    if (kept !== undefined && precomputed !== undefined && inTime(precomputed, now)) {
      kept.used = true;
      this.#link(kept, precomputed, requestKey);
      return Promise.resolve(precomputed.answer);
    }
    let underWay = this.#underWay.get(certificate);
    if (underWay === undefined) {
      underWay = { byCertId: new Map(), stale: false };
      this.#underWay.set(certificate, underWay);
    }
    let making = underWay.byCertId.get(certId);
    if (making === undefined) {
      making = this.#make(certificate, certId, requestKey, underWay, make);
      underWay.byCertId.set(certId, making);
    }
    return making;
  }

  async #make(
    certificate: string,
    certId: string,
    requestKey: string | undefined,
    underWay: UnderWay,
    make: () => Promise<PrecomputedAnswer | undefined>,
  ): Promise<OcspAnswer | undefined> {
    try {
      const made = await make();
      if (made !== undefined && !underWay.stale) this.#keep(certificate, certId, requestKey, made);
      return made?.answer;
    } finally {
      underWay.byCertId.delete(certId);
      if (underWay.byCertId.size === 0 && this.#underWay.get(certificate) === underWay)
        this.#underWay.delete(certificate);
    }
  }

  #keep(certificate: string, certId: string, requestKey: string | undefined, made: PrecomputedAnswer): void {
    let owner = this.#certificates.get(certificate);
    if (owner === undefined) {
      owner = { byCertId: new Map(), requestKeys: [], used: true };
      this.#certificates.set(certificate, owner);
      this.#evict();
    }
    if (owner.byCertId.size >= MAX_CERT_IDS) owner.byCertId.clear();
    owner.byCertId.set(certId, made);
    this.#link(owner, made, requestKey);
  }

  #link(owner: CertificateAnswers, precomputed: PrecomputedAnswer, requestKey: string | undefined): void {
    if (requestKey === undefined) return;
    if (!owner.requestKeys.includes(requestKey)) {
      if (owner.requestKeys.length >= MAX_REQUEST_KEYS) return;
      owner.requestKeys.push(requestKey);
    }
    this.#byRequest.set(requestKey, { ...precomputed, owner });
  }

  /** Second chance: what was asked for since the last look goes to the end once. */
  #evict(): void {
    while (this.#certificates.size > this.#limit) {
      const oldest = this.#certificates.entries().next();
      if (oldest.done) return;
      const [certificate, answers] = oldest.value;
      this.#certificates.delete(certificate);
      if (answers.used) {
        answers.used = false;
        this.#certificates.set(certificate, answers);
      } else this.#unlink(answers);
    }
  }

  #unlink(answers: CertificateAnswers): void {
    for (const requestKey of answers.requestKeys) this.#byRequest.delete(requestKey);
  }

  /** Forgets one certificate. What is being signed about it now is not kept, and later requests do not wait for it. */
  forget(certificate: string): void {
    const underWay = this.#underWay.get(certificate);
    if (underWay !== undefined) {
      underWay.stale = true;
      this.#underWay.delete(certificate);
    }
    const answers = this.#certificates.get(certificate);
    if (answers === undefined) return;
    this.#certificates.delete(certificate);
    this.#unlink(answers);
  }

  /** Forgets all certificates whose key begins with `prefix`. */
  forgetAll(prefix = ''): void {
    for (const certificate of [...this.#underWay.keys(), ...this.#certificates.keys()]) {
      if (certificate.startsWith(prefix)) this.forget(certificate);
    }
  }
}
