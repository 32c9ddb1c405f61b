import { fail, ok, type Result } from '@certwright/pki';

/** Deeper documents than this have no use in any face. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether brackets nest deeper than `limit`; strings are skipped, nothing else is judged. */
function nestsDeeper(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        for (at++; at < bytes.length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > limit) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
    }
  }
  return false;
}

/**
 * Parses a JSON request body: UTF-8 without errors, at most 32 levels deep. No bytes at all are an empty object, which
 * is what clients mean that send a JSON content type on every call. The error is a sentence for the caller.
 */
export function parseJsonBody(bytes: Uint8Array): Result<unknown, string> {
  if (bytes.length === 0) return ok({});
  if (nestsDeeper(bytes, MAX_DEPTH)) return fail(`The body nests deeper than ${MAX_DEPTH} levels`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail('The body is not UTF-8');
  }
  try {
    return ok(JSON.parse(text));
  } catch {
    // the parser's message quotes the body, which may hold a secret
    return fail('The body is not JSON');
  }
}
