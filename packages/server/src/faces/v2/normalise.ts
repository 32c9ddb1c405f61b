/** Requests are normalised before they are validated (contract section 1). */
import type { FieldError, RevocationReason, ValidationMethod } from '@certwright/core';

type JsonObject = Readonly<Record<string, unknown>>;

export interface NormaliseOptions {
  /** Blank text is kept because the operation tells it from an absent member. */
  readonly keepBlank?: boolean;
  /** How text of these top-level members is folded. */
  readonly fold?: Readonly<Record<string, (text: string) => string>>;
}

export type Normalised =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Enough to mend a request by; a hostile one shall not get an answer larger than itself. */
export const MAX_FIELD_ERRORS = 20;
/** Beyond any list that an operation takes; keeps validation from collecting an error for each of a million items. */
const MAX_ITEMS = 1_000;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Drops null members and blank text (also in lists) and folds spellings. Text that no store could keep (NUL, lone
 * surrogates) is an error. The depth is bounded by the body parser.
 */
export function normalise(body: unknown, { keepBlank = false, fold = {} }: NormaliseOptions = {}): Normalised {
  if (!isObject(body)) return { ok: false, errors: [{ field: '', message: 'the body must be a JSON object' }] };
  const errors: FieldError[] = [];

  function copy(value: unknown, path: string): unknown {
    if (typeof value === 'string') {
      if ((value.includes('\0') || !value.isWellFormed()) && errors.length < MAX_FIELD_ERRORS) {
        errors.push({ field: path, message: 'must be Unicode text without NUL characters' });
      }
      return keepBlank || value.trim() !== '' ? value : undefined;
    }
    if (Array.isArray(value)) {
      if (value.length > MAX_ITEMS) {
        if (errors.length < MAX_FIELD_ERRORS)
          errors.push({ field: path, message: `must not have more than ${MAX_ITEMS} items` });
        return [];
      }
      return value.map((item, index) => copy(item, `${path}[${index}]`)).filter((item) => item !== undefined);
    }
    if (!isObject(value)) return value ?? undefined;
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      // unknown members are ignored, this one first of all
      if (name === '__proto__') continue;
      const copied = copy(member, path === '' ? name : `${path}.${name}`);
      if (copied !== undefined) result[name] = copied;
    }
    return result;
  }

  const value = copy(body, '');
  if (errors.length > 0 || !isObject(value)) return { ok: false, errors };
  const folded = Object.entries(fold).flatMap(([name, foldText]) => {
    const text = value[name];
    return typeof text === 'string' ? [[name, foldText(text)] as const] : [];
  });
  return { ok: true, value: { ...value, ...Object.fromEntries(folded) } };
}

/** Drops blank parameters, as for bodies; a parameter given twice stays a list and fails its schema. */
export function normaliseQuery(query: unknown): JsonObject {
  if (!isObject(query)) return {};
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
}

const NUMBERED_METHODS: Readonly<Record<string, string>> = { '1': 'http-url', '2': 'dns-txt' };

/** `DNS_TXT`, `Dns-Txt` and the number of the oldest examples become `dns-txt`; unknown words are only lower-cased. */
export function foldMethod(text: string): string {
  const folded = text.trim().toLowerCase().replaceAll('_', '-');
  return NUMBERED_METHODS[folded] ?? folded;
}

/** Methods that the contract names, also those that an operation does not take. */
export const METHODS: readonly ValidationMethod[] = ['dns-txt', 'http-url', 'email', 'dns-cname', 'dns-persist'];

export const methodOf = (folded: string): ValidationMethod | undefined => METHODS.find((method) => method === folded);

/** Reason words of the contract with the names of RFC 5280. */
const REASONS = {
  unspecified: 'unspecified',
  'key-compromise': 'keyCompromise',
  'ca-compromise': 'cACompromise',
  'affiliation-changed': 'affiliationChanged',
  superseded: 'superseded',
  'cessation-of-operation': 'cessationOfOperation',
  'certificate-hold': 'certificateHold',
  'privilege-withdrawn': 'privilegeWithdrawn',
  'aa-compromise': 'aACompromise',
} as const satisfies Readonly<Record<string, RevocationReason>>;

export type ReasonWord = keyof typeof REASONS;

const WORDS = Object.keys(REASONS).filter((word): word is ReasonWord => word in REASONS);
const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, '');
const BY_LETTERS = new Map(WORDS.map((word) => [letters(word), word]));

/** `keyCompromise`, `cACompromise` and `KEY_COMPROMISE` become kebab case; unknown words stay as they are. */
export const foldReason = (text: string): string => BY_LETTERS.get(letters(text)) ?? text;

/** RFC 5280 name of a folded reason; undefined when the word is unknown. */
export function reasonOf(folded: string): RevocationReason | undefined {
  const word = WORDS.find((one) => one === folded);
  return word === undefined ? undefined : REASONS[word];
}

/** Contract word of an RFC 5280 reason. */
export function reasonWord(reason: RevocationReason): ReasonWord {
  return WORDS.find((word) => REASONS[word] === reason) ?? 'unspecified';
}
