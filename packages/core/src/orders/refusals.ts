import { type Actor, auditEntry } from '../audit/draft.ts';
import type { DomainError } from '../errors.ts';
import type { CoreDependencies } from '../settings.ts';

/** Refusals that rest on policy; plain mistakes in a request are not kept. */
const KEPT: ReadonlySet<DomainError['code']> = new Set(['caa.forbids', 'csr.keyRefused', 'issuance.refused']);

/** Keeps a refusal for the auditor when it rests on policy. `about` is the order's number, or its label before it has one. */
export async function recordRefusal(
  { store, clock }: Pick<CoreDependencies, 'store' | 'clock'>,
  actor: Actor,
  error: DomainError,
  about: { readonly objectId: string; readonly accountId: number },
): Promise<void> {
  if (!KEPT.has(error.code)) return;
  await store.write({
    writes: [],
    audit: [
      auditEntry(actor, clock.now(), {
        activity: 'order.refused',
        objectType: 'order',
        outcome: 'denied',
        details: { error: error.code, detail: error.detail },
        ...about,
      }),
    ],
  });
}
