/**
 * Rules for internationalised labels beyond the UTS 46 mapping that `node:url` does: characters of IDNA 2008
 * (RFC 5892: letters, marks and digits, no symbols), contextual rules for the few exceptions, and no mix of scripts
 * that no language mixes (UTS 39 section 5.2, "highly restrictive").
 */

/** Scripts recommended for identifiers (UAX 31 table 5). */
const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Han',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Thai',
  'Armenian',
  'Bengali',
  'Bopomofo',
  'Ethiopic',
  'Georgian',
  'Gujarati',
  'Gurmukhi',
  'Kannada',
  'Khmer',
  'Lao',
  'Malayalam',
  'Myanmar',
  'Oriya',
  'Sinhala',
  'Tamil',
  'Telugu',
  'Thaana',
  'Tibetan',
] as const;

const scriptExtension = (script: string): string => `\\p{Script_Extensions=${script}}`;
const onlyOf = (...scripts: readonly string[]): RegExp =>
  new RegExp(`^[${['Common', 'Inherited', ...scripts].map(scriptExtension).join('')}]+$`, 'u');

const SINGLE_SCRIPT = SCRIPTS.map((script) => onlyOf(script));
const RECOMMENDED = onlyOf(...SCRIPTS);
/** Combinations that Japanese, Chinese and Korean use with Latin letters. */
const MIXED_SCRIPT = [
  onlyOf('Latin', 'Han', 'Hiragana', 'Katakana'),
  onlyOf('Latin', 'Han', 'Bopomofo'),
  onlyOf('Latin', 'Han', 'Hangul'),
];

/** Letters, marks, decimal digits, hyphen, and the exceptions of RFC 5892 section 2.6 and appendix A. */
const PERMITTED = /^[\p{L}\p{M}\p{Nd}\-\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb\u200c\u200d]+$/u;

/** Contexts in which an exceptional character is out of place (RFC 5892 appendix A; the joiners are checked by UTS 46). */
const OUT_OF_CONTEXT: readonly RegExp[] = [
  /(?<!l)\u00b7|\u00b7(?!l)/u,
  /\u0375(?!\p{Script=Greek})/u,
  /(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u,
  /^[^\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]*\u30fb[^\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]*$/u,
  /[\u0660-\u0669].*[\u06f0-\u06f9]|[\u06f0-\u06f9].*[\u0660-\u0669]/u,
];

export type IdnLabelProblem = 'disallowedCharacter' | 'mixedScript';

/** What is wrong with a U-label (lower case, NFC), or undefined. */
export function idnLabelProblem(label: string): IdnLabelProblem | undefined {
  if (!PERMITTED.test(label) || !RECOMMENDED.test(label)) return 'disallowedCharacter';
  if (OUT_OF_CONTEXT.some((pattern) => pattern.test(label))) return 'disallowedCharacter';
  const consistent = [...SINGLE_SCRIPT, ...MIXED_SCRIPT].some((pattern) => pattern.test(label));
  return consistent ? undefined : 'mixedScript';
}
