/** CRLReason of RFC 5280 section 5.3.1 by name; 7 is not used. */
export const REASON_CODE = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

export type CrlReason = keyof typeof REASON_CODE;

const names = new Map<number, CrlReason>();
for (const [name, code] of Object.entries(REASON_CODE)) names.set(code, name as CrlReason);

/** Name of a reason code, or undefined for a code that RFC 5280 does not define. */
export const reasonByCode = (code: number): CrlReason | undefined => names.get(code);

/** Whether the text is the name of a reason. */
export const isCrlReason = (text: string): text is CrlReason => Object.hasOwn(REASON_CODE, text);
