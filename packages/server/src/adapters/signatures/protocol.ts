/** How signatures to be checked travel to the checking thread: one buffer a batch, so that little is cloned. */

/** A signature with everything that checking it takes. */
export interface SignatureCheck {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** DER AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
}

const FIELDS = 4;

export interface PackedChecks {
  /** Chosen by the asker; the answer carries it, for a quick batch overtakes a slow one. */
  readonly batch: number;
  /** Lengths of the fields, four for each check. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** One octet per check, 1 for a good signature. */
export interface CheckedBatch {
  readonly batch: number;
  readonly good: Uint8Array;
}

const fieldsOf = ({ spki, algorithm, tbs, signature }: SignatureCheck): readonly Uint8Array[] => [
  spki,
  algorithm,
  tbs,
  signature,
];

export function packChecks(batch: number, checks: readonly SignatureCheck[]): PackedChecks {
  const fields = checks.flatMap(fieldsOf);
  const lengths = Uint32Array.from(fields, (field) => field.length);
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    bytes.set(field, at);
    at += field.length;
  }
  return { batch, lengths, bytes };
}

export function unpackChecks({ lengths, bytes }: Omit<PackedChecks, 'batch'>): SignatureCheck[] {
  let at = 0;
  const next = (index: number): Uint8Array => {
    const from = at;
    at += lengths[index] ?? 0;
    return bytes.subarray(from, at);
  };
  return Array.from({ length: lengths.length / FIELDS }, (_, check) => ({
    spki: next(check * FIELDS),
    algorithm: next(check * FIELDS + 1),
    tbs: next(check * FIELDS + 2),
    signature: next(check * FIELDS + 3),
  }));
}
