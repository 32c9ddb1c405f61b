import type { Instant } from '../ports/world.ts';
import type { OrderFamily, SslLevel } from './catalog.ts';

export type Lifecycle = 'draft' | 'open' | 'held' | 'issued' | 'cancelled' | 'rejected';

/** Where an order stands: its lifecycle, first unmet requirement and certificate state, in one word (`orders/phase.ts`). */
export type OrderPhase =
  | 'draft'
  | 'organization'
  | 'mailbox'
  | 'identity'
  | 'documents'
  | 'dcv'
  | 'csr'
  | 'agreement'
  | 'approval'
  | 'issuing'
  | 'issued'
  | 'onHold'
  | 'revoked'
  | 'expired'
  | 'cancelled'
  | 'rejected';

export type Requirement =
  | { readonly kind: 'organization'; readonly met: boolean }
  | { readonly kind: 'mailbox' | 'identity' | 'documents'; readonly met: boolean }
  | { readonly kind: 'dcv' /** Names not yet proven. */; readonly pending: readonly string[] }
  | { readonly kind: 'csr'; readonly met: boolean }
  | {
      readonly kind: 'agreement';
      readonly accepted: {
        readonly name: string;
        readonly place: string;
        readonly ip: string;
        readonly at: Instant;
      } | null;
    }
  | {
      readonly kind: 'approval';
      readonly mode: 'automatic' | 'manual';
      readonly approved: { readonly by: string; readonly at: Instant } | null;
    };

export interface Contact {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly designation: string;
}

/** Name that the order's certificate shall carry. `domainId` points to the domain register for names that need DCV. */
export interface OrderName {
  readonly kind: 'dns' | 'ip';
  readonly value: string;
  readonly domainId: number | null;
}

/** Subject of a document signer order. */
export interface PersonSubject {
  readonly subjectType: 'natural-person' | 'legal-person' | 'legal-entity';
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly organizationName: string;
  readonly organizationUnit: string;
  readonly organizationIdentifier: string;
  readonly businessCategory: string;
  readonly locality: string;
  readonly state: string;
  readonly postalCode: string;
  readonly street: string;
  readonly countryCode: string;
  readonly identityDocumentType: string;
  readonly identificationNumber: string;
}

export interface OrderDetails {
  readonly requestor: Contact;
  readonly technicalContact: Contact | null;
  readonly delegation: { readonly name: string; readonly email: string } | null;
  /** 'all', 'none' or a list of addresses. */
  readonly emailNotifications: 'all' | 'none' | readonly string[];
  readonly recipientEmails: readonly string[];
  readonly tags: readonly string[];
  readonly customFields: readonly { readonly fieldId: string; readonly value: string }[];
  readonly remarks: string;
  /** The caller's own correlation value (a request id that was no draft of ours). */
  readonly correlation: string;
  /** Product variant as the caller wrote it, echoed in answers. */
  readonly variant: string;
  readonly autoSecureWww: boolean;
  readonly subject: PersonSubject | null;
  /** A draft keeps the request body to be completed. */
  readonly draft: unknown;
  /** Why it was cancelled or rejected. */
  readonly closingReason: string;
  readonly attested: boolean;
}

export interface OrderRecord {
  readonly id: number;
  readonly accountId: number;
  readonly groupId: number;
  /** Order number (ten digits; a successor adds `R001`, …); null while a draft. */
  readonly number: string | null;
  readonly requestNumber: string;
  readonly family: OrderFamily;
  readonly productId: number;
  readonly productCode: string;
  readonly level: SslLevel | null;
  readonly lifecycle: Lifecycle;
  readonly phase: OrderPhase;
  readonly requirements: readonly Requirement[];
  /** Primary name first; for persons the display name is in `label`. */
  readonly names: readonly OrderName[];
  /** Primary domain, host name or display name, for lists. */
  readonly label: string;
  readonly organizationId: number | null;
  readonly csr: Uint8Array | null;
  readonly details: OrderDetails;
  readonly subscriptionId: number;
  /** First order of the subscription; null for the first itself. */
  readonly originalOrderId: number | null;
  /** The order's certificate once one is on record. */
  readonly certificateId: number | null;
  readonly originator: string;
  readonly credentialId: number | null;
  readonly createdAt: Instant;
  readonly issuedAt: Instant | null;
  readonly closedAt: Instant | null;
  readonly version: number;
}

/** Term that an order buys: its certificate and the free successors within the term. */
export interface SubscriptionRecord {
  readonly id: number;
  readonly accountId: number;
  readonly years: number;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly autoRenew: boolean;
  readonly renewBeforeDays: number;
  /** Successor orders made so far. */
  readonly successors: number;
  readonly version: number;
}
