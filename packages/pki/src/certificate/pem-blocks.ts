import { decodeBase64 } from '../csr/pem.ts';

/**
 * The DER of every PEM block (RFC 7468) of a label in `text`, in order; explanatory text and other blocks between
 * them are passed over. Undefined when a block does not end or is not base64, or when there are more than `max`.
 */
export function pemBlocks(text: string, label: string, max: number): Uint8Array[] | undefined {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array[] = [];
  let at = text.indexOf(begin);
  while (at >= 0) {
    const from = at + begin.length;
    const to = text.indexOf(end, from);
    if (to < 0 || blocks.length === max) return undefined;
    const block = decodeBase64(text.slice(from, to));
    if (block === undefined || block.length === 0) return undefined;
    blocks.push(block);
    at = text.indexOf(begin, to + end.length);
  }
  return blocks;
}
