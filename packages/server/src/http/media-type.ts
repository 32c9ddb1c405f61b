/** Content negotiation by the Accept header (RFC 9110 section 12.5.1). */

interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

const MAX_RANGES = 64;
const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

function parseRange(text: string): MediaRange | undefined {
  const [range = '', ...parameters] = text.split(';');
  const [type, subtype, more] = range.trim().toLowerCase().split('/');
  if (type === undefined || subtype === undefined || type === '' || subtype === '' || more !== undefined) {
    return undefined;
  }
  let quality = 1;
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim().toLowerCase() === 'q') quality = QUALITY.test(value.trim()) ? Number(value) : 0;
  }
  return { type, subtype, quality };
}

/** Quality of an offered type by the most specific range that names it; 0 when none does. */
function qualityOf(offer: string, ranges: readonly MediaRange[]): number {
  const [type, subtype] = offer.split('/');
  let specificity = -1;
  let quality = 0;
  for (const range of ranges) {
    const fit =
      range.type === type && range.subtype === subtype
        ? 2
        : range.type === type && range.subtype === '*'
          ? 1
          : range.type === '*' && range.subtype === '*'
            ? 0
            : -1;
    if (fit > specificity) {
      specificity = fit;
      quality = range.quality;
    }
  }
  return quality;
}

/**
 * The best of `offers` (lower-case media types, most preferred first) for an Accept header; the first when there is no
 * header, undefined when none fits. Ranges that are not well formed name nothing.
 */
export function negotiate<const T extends string>(accept: string | undefined, offers: readonly T[]): T | undefined {
  const [preferred] = offers;
  if (accept === undefined || accept.trim() === '' || accept === '*/*' || accept === preferred) return preferred;
  const ranges = accept
    .split(',', MAX_RANGES)
    .map(parseRange)
    .filter((range) => range !== undefined);
  let best: T | undefined;
  let bestQuality = 0;
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges);
    if (quality > bestQuality) {
      best = offer;
      bestQuality = quality;
    }
  }
  return best;
}
