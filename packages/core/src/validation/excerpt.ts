/** Characters kept of one value that a stranger wrote. */
const MAX_CHARACTERS = 256;
/** Values kept of one finding. */
const MAX_VALUES = 16;

/** Text from the network as it may be recorded and shown: bounded, without characters that act on a terminal or log. */
export function excerpt(text: string, limit = MAX_CHARACTERS): string {
  const cut = text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
  // Cc, Cf, lone surrogates, line and paragraph separators
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

/** The first values of a list, each as {@link excerpt}. */
export const excerpts = (texts: readonly string[]): string[] => texts.slice(0, MAX_VALUES).map((text) => excerpt(text));
