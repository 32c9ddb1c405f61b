/**
 * Puts a change of an order on record and, when it met the last requirement, issues: record with the prepared
 * certificate → sign → record the certificate. A process that dies in between leaves a prepared certificate that
 * `resume` finishes.
 */

import { hash } from 'node:crypto';
import { fail, ok, type Result } from '@certwright/pki';
import type { AnswerRecorder, OrderView } from '../api.ts';
import { type Actor, type AuditFacts, auditEntry, systemContext } from '../audit/draft.ts';
import { type DomainError, domainError } from '../errors.ts';
import { recordAnswer } from '../idempotency/idempotency.ts';
import type { Issuance } from '../issuance/issuance.ts';
import type { Write, WriteOutcome } from '../ports/store.ts';
import type { AuditDraft, CaRecord, CertificateRecord, OrderRecord } from '../records/index.ts';
import type { CoreDependencies } from '../settings.ts';
import { acceptedSpki } from './csr-evidence.ts';
import { isPending, phaseOf } from './phase.ts';
import type { CaaGate } from './ports.ts';
import { sansOf, subjectOf } from './subject.ts';
import type { OrderViews } from './views.ts';

/** A decided change: the view as it shall be, `before` as it was read; null for a new order. */
export interface OrderChange {
  readonly before: OrderRecord | null;
  readonly after: OrderView;
  readonly facts: readonly [AuditFacts, ...AuditFacts[]];
  readonly writes?: readonly Write[];
  readonly audit?: readonly AuditDraft[];
}

/** `retry`: somebody else changed a row that the decision rests on. `duplicate` names the unique value that was taken. */
export type Settlement =
  | { readonly kind: 'settled'; readonly view: OrderView }
  | { readonly kind: 'refused'; readonly error: DomainError }
  | { readonly kind: 'retry' };

export interface Settler {
  settle(actor: Actor, change: OrderChange, recorder?: AnswerRecorder<OrderView>): Promise<Settlement>;
  /** Signs a prepared certificate and records it with its order. Undefined when the key cannot be reached now. */
  complete(actor: Actor, view: OrderView, recorder?: AnswerRecorder<OrderView>): Promise<OrderView | undefined>;
  /** Finishes prepared certificates whose process went away; returns how many. */
  resume(): Promise<number>;
}

const RESUME_LEASE_MS = 10_000;
const RESUME_BATCH = 50;

function changedMembers(before: OrderRecord, after: OrderRecord): Partial<Omit<OrderRecord, 'id' | 'version'>> {
  return Object.fromEntries(
    Object.entries(after).filter(
      ([member, value]) => member !== 'id' && member !== 'version' && before[member as keyof OrderRecord] !== value,
    ),
  );
}

export function createSettler(
  deps: CoreDependencies,
  issuance: Issuance,
  views: OrderViews,
  caa: CaaGate,
  authority: (id: number) => Promise<CaRecord | undefined>,
): Settler {
  const { store, clock, wallClock, log } = deps;

  async function issuerOf(caId: number): Promise<CaRecord & { readonly keyId: number }> {
    const ca = await authority(caId);
    if (ca === undefined || ca.keyId === null) throw new Error(`CA ${caId} is not on record or has no key`);
    return { ...ca, keyId: ca.keyId };
  }

  /** The certificate for an order whose requirements are all met. */
  async function prepare(
    actor: Actor,
    view: OrderView,
  ): Promise<Result<{ readonly certificate: CertificateRecord; readonly audit: readonly AuditDraft[] }, DomainError>> {
    const { order, product } = view;
    if (order.csr === null) return fail(domainError('order.wrongState', 'The order has no CSR'));
    const audit: AuditDraft[] = [];
    if (product.rules.caa) {
      const proofs = new Map(view.domains.map((domain) => [domain.id, domain.verifiedBy]));
      const permitted = await caa.permit(
        actor,
        order.names.flatMap(({ kind, value, domainId }) =>
          kind === 'dns' ? [{ name: value, method: domainId === null ? null : (proofs.get(domainId) ?? null) }] : [],
        ),
        order.accountId,
      );
      if (!permitted.ok) return permitted;
      audit.push(...permitted.value.audit);
    }
    const now = clock.now();
    const { maxCertificateDays } = product.rules;
    const ca = await issuerOf(product.issuingCaId);
    const prepared = await issuance.prepare({
      issuer: { kind: 'ca', ca },
      profileId: product.rules.profileId,
      subject: subjectOf(order, product, view.organization),
      sans: sansOf(order.names),
      spki: acceptedSpki(order.csr),
      notAfter: Math.min(
        view.subscription.endsAt,
        maxCertificateDays === null ? Number.POSITIVE_INFINITY : now + maxCertificateDays * 86_400_000,
      ),
      accountId: order.accountId,
      groupId: order.groupId,
      orderId: order.id,
      label: order.label,
      names: order.names.map((name) => name.value),
    });
    if (!prepared.ok) return prepared;
    const certificate = prepared.value;
    audit.push(
      auditEntry(actor, now, {
        activity: 'certificate.prepared',
        objectType: 'certificate',
        objectId: certificate.serial,
        accountId: order.accountId,
        details: {
          order: order.number,
          ca: ca.slug,
          profile: certificate.profileId,
          tbsSha256: certificate.tbs === null ? '' : hash('sha256', certificate.tbs, 'hex'),
        },
      }),
    );
    return ok({ certificate, audit });
  }

  function orderWrites(before: OrderRecord | null, view: OrderView): Write[] {
    const { order, subscription } = view;
    if (before === null) {
      return [
        { op: 'insert', table: 'subscription', row: subscription },
        { op: 'insert', table: 'order', row: order },
      ];
    }
    return [
      { op: 'update', table: 'order', id: order.id, version: before.version, set: changedMembers(before, order) },
    ];
  }

  /** While an order is open, each of its domains knows that it waits. */
  async function linkWrites(before: OrderRecord | null, order: OrderRecord): Promise<Write[]> {
    const wasOpen = before !== null && isPending(before.phase);
    const isOpen = isPending(order.phase);
    if (isOpen && !wasOpen) {
      const ids = new Set(order.names.flatMap((name) => (name.domainId === null ? [] : [name.domainId])));
      const rows: Write[] = [];
      for (const domainId of ids) {
        rows.push({
          op: 'insert',
          table: 'orderDomain',
          row: { id: await store.nextId(), orderId: order.id, domainId },
        });
      }
      return rows;
    }
    if (wasOpen && !isOpen && order.names.some((name) => name.domainId !== null)) {
      const links = await store.orders.domainLinks(order.id);
      return links.map((link) => ({ op: 'delete', table: 'orderDomain', id: link.id }));
    }
    return [];
  }

  async function settle(actor: Actor, change: OrderChange, recorder?: AnswerRecorder<OrderView>): Promise<Settlement> {
    const now = clock.now();
    const phase = phaseOf(change.after.order, change.after.certificate, now);
    let view: OrderView = { ...change.after, order: { ...change.after.order, phase }, phase };
    const writes: Write[] = [...(change.writes ?? [])];
    const audit: AuditDraft[] = [...(change.audit ?? [])];

    if (phase === 'issuing') {
      const prepared = await prepare(actor, view);
      if (!prepared.ok) return { kind: 'refused', error: prepared.error };
      const { certificate } = prepared.value;
      view = { ...view, certificate, order: { ...view.order, certificateId: certificate.id } };
      writes.push({ op: 'insert', table: 'certificate', row: certificate });
      audit.push(...prepared.value.audit);
    }

    const [first, ...rest] = change.facts.map((facts) =>
      auditEntry(actor, now, { accountId: view.order.accountId, ...facts }),
    );
    if (first === undefined) throw new Error('a change without facts');
    // what the order becomes once it is committed; the stored answer shows this version
    const committed: OrderView =
      change.before === null ? view : { ...view, order: { ...view.order, version: change.before.version + 1 } };
    const outcome = await store.write({
      writes: [
        ...orderWrites(change.before, view),
        ...writes,
        ...(await linkWrites(change.before, view.order)),
        ...recordAnswer(recorder, committed),
      ],
      audit: [first, ...rest, ...audit],
    });
    if (!outcome.ok) return refusal(outcome, recorder);
    if (phase !== 'issuing') return { kind: 'settled', view: committed };
    return { kind: 'settled', view: (await complete(actor, committed, recorder)) ?? committed };
  }

  function refusal(
    outcome: Extract<WriteOutcome, { ok: false }>,
    recorder: AnswerRecorder<OrderView> | undefined,
  ): Settlement {
    const { error } = outcome;
    if (error.kind === 'conflict' && error.table === 'idempotency' && error.id === recorder?.claim.id) {
      // the claim ran out and another request took it: that one has the effect
      return {
        kind: 'refused',
        error: domainError('idempotency.inProgress', 'Another request with this Idempotency-Key took over', {
          retryAfterMs: 1_000,
        }),
      };
    }
    return { kind: 'retry' };
  }

  async function complete(
    actor: Actor,
    view: OrderView,
    recorder?: AnswerRecorder<OrderView>,
  ): Promise<OrderView | undefined> {
    const { certificate, order } = view;
    if (certificate === null) throw new Error(`order ${order.id} has no prepared certificate`);
    const ca = await issuerOf(certificate.caId);
    let der: Uint8Array;
    try {
      der = await issuance.sign(certificate, ca.keyId, ca.keyAlgorithm);
    } catch (error) {
      log.error('certificate.signingFailed', { orderId: order.id, serial: certificate.serial }, error);
      return undefined;
    }
    const now = clock.now();
    const certificateSet = { state: 'valid', der, tbs: null, leaseUntil: null } as const;
    const orderSet = { lifecycle: 'issued', phase: 'issued', issuedAt: now } as const;
    const issued: OrderView = {
      ...view,
      certificate: { ...certificate, ...certificateSet, version: certificate.version + 1 },
      order: { ...order, ...orderSet, version: order.version + 1 },
      phase: 'issued',
    };
    const outcome = await store.write({
      writes: [
        { op: 'update', table: 'certificate', id: certificate.id, version: certificate.version, set: certificateSet },
        { op: 'update', table: 'order', id: order.id, version: order.version, set: orderSet },
        ...recordAnswer(recorder, issued, 1),
      ],
      audit: [
        auditEntry(actor, now, {
          activity: 'certificate.issued',
          objectType: 'certificate',
          objectId: certificate.serial,
          accountId: order.accountId,
          details: {
            order: order.number,
            ca: ca.slug,
            profile: certificate.profileId,
            certificateSha256: hash('sha256', der, 'hex'),
            notAfter: new Date(certificate.notAfter).toISOString(),
          },
        }),
      ],
    });
    if (outcome.ok) return issued;
    // another process finished it meanwhile: show what is on record
    const current = await store.orders.byId(order.id);
    return current === undefined ? undefined : views.of(current);
  }

  async function resumeOne(certificate: CertificateRecord): Promise<boolean> {
    const order = await store.orders.byId(certificate.orderId);
    if (order === undefined || order.certificateId !== certificate.id || order.lifecycle !== 'open') return false;
    const leaseUntil = wallClock.now() + RESUME_LEASE_MS;
    const taken = await store.write({
      bookkeeping: 'certificate.lease',
      writes: [
        { op: 'update', table: 'certificate', id: certificate.id, version: certificate.version, set: { leaseUntil } },
      ],
    });
    if (!taken.ok) return false;
    const view = await views.of(order);
    return (await complete(systemContext('resume'), view)) !== undefined;
  }

  return {
    settle,
    complete,
    async resume() {
      let count = 0;
      for (const certificate of await store.certificates.unfinished(wallClock.now(), RESUME_BATCH)) {
        // certificates of the platform itself are finished by those who ordered them
        if (certificate.orderId !== 0 && (await resumeOne(certificate))) count++;
      }
      return count;
    },
  };
}
