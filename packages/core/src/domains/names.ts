import { baseName, type DnsName, fail, isWildcard, parseDnsName, type Result } from '@certwright/pki';
import { type DomainError, domainError } from '../errors.ts';
import type { PublicSuffix } from '../settings.ts';

/** Ancestors looked at for inheritance, counted from the registrable domain downwards. */
const MAX_ANCESTORS = 10;

/** Refusal of a name that nobody can prove control over. Error `domain.nameRefused`. */
export function nameRefusal(name: DnsName, publicSuffix: PublicSuffix): DomainError | undefined {
  const base = baseName(name);
  if (publicSuffix(base).isSuffix) {
    return domainError('domain.nameRefused', `${base} is a public suffix; register a name below it`);
  }
  // RFC 7686: such names must not be asked of the DNS
  if (base.endsWith('.onion')) {
    return domainError('domain.nameRefused', 'Names below .onion cannot be validated over the DNS');
  }
  // TLS BR 4.2.2 (ballot SC-086): names of the reverse zones are not certified
  if (/\.(?:in-addr|ip6)\.arpa$/.test(`.${base}`)) {
    return domainError('domain.nameRefused', 'Names of the reverse zones below .arpa are not certified');
  }
  return undefined;
}

/** Parses a name as a client wrote it. Errors `domain.nameEmpty`, `domain.nameRefused`. */
export function parseDomain(text: string, publicSuffix: PublicSuffix): Result<DnsName, DomainError> {
  const trimmed = text.trim();
  if (trimmed === '') return fail(domainError('domain.nameEmpty', 'Domain name must not be empty'));
  const parsed = parseDnsName(trimmed);
  if (!parsed.ok) {
    return fail(domainError('domain.nameRefused', `Not a domain name that can be validated: ${parsed.error.detail}`));
  }
  const refusal = nameRefusal(parsed.value, publicSuffix);
  return refusal === undefined ? parsed : fail(refusal);
}

/** For names that were parsed before: brands them again. Throws for anything else. */
export function knownName(text: string): DnsName {
  const parsed = parseDnsName(text);
  if (!parsed.ok) throw new Error(`a name on record is malformed: ${parsed.error.code}`);
  return parsed.value;
}

export const isWildcardName = (text: string): boolean => isWildcard(knownName(text));

/** What control is proved for: the name without its `*.`. */
export const provedName = (text: string): string => baseName(knownName(text));

/** Names above `name`, nearest first, the registrable domain last; none for a wildcard. */
export function ancestorsOf(name: string, publicSuffix: PublicSuffix): string[] {
  if (name.startsWith('*.')) return [];
  const { registrable } = publicSuffix(name);
  if (registrable === null || registrable === name) return [];
  const ancestors: string[] = [];
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const ancestor = name.slice(dot + 1);
    ancestors.push(ancestor);
    if (ancestor === registrable) break;
  }
  return ancestors.slice(-MAX_ANCESTORS);
}
