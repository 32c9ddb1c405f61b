/** Names of an order: parsed once here; inside, only normalised names travel. */
import { type DnsName, fail, formatIp, isWildcard, ok, parseDnsName, parseIp, type Result } from '@certwright/pki';
import { type DomainError, domainError, type FieldError } from '../errors.ts';
import type { SslLevel } from '../records/index.ts';

export interface SslNames {
  /** Primary name first, then the additional ones, then the `www.` addition; no duplicates. */
  readonly names: readonly DnsName[];
  /** Additional names as the caller gave them, normalised; without the `www.` addition. */
  readonly additional: readonly DnsName[];
  readonly autoSecureWww: boolean;
  readonly shape: { readonly wildcard: boolean; readonly multiDomain: boolean };
}

/** Parses the names of an SSL order (contract v2 section 7.2). Errors: `domain.nameRefused` with a field each, `order.certificateInformation`. */
export function parseSslNames(request: {
  readonly domain: string;
  readonly additionalDomains: readonly string[];
  readonly autoSecureWww?: boolean;
}): Result<SslNames, DomainError> {
  const fields: FieldError[] = [];
  const parse = (text: string, field: string): DnsName | undefined => {
    const name = parseDnsName(text.trim());
    if (name.ok) return name.value;
    fields.push({ field, message: name.error.detail });
    return undefined;
  };
  const primary = parse(request.domain, 'certificate.domain');
  const additional = request.additionalDomains.flatMap((text, index) => {
    const name = parse(text, `certificate.additionalDomains[${index}]`);
    return name === undefined ? [] : [name];
  });
  if (primary === undefined || fields.length > 0) {
    const [first] = fields;
    return fail(
      domainError('domain.nameRefused', `${first?.field ?? 'A name'}: ${first?.message ?? 'is not a host name'}`, {
        fields,
      }),
    );
  }
  const autoSecureWww = request.autoSecureWww ?? !isWildcard(primary);
  if (autoSecureWww && isWildcard(primary)) {
    return fail(
      domainError('order.certificateInformation', 'autoSecureWww must be false when the primary domain is a wildcard'),
    );
  }
  const unique = new Set<DnsName>([primary, ...additional]);
  const listed = [...unique];
  if (autoSecureWww && !primary.startsWith('www.')) {
    const www = parseDnsName(`www.${primary}`);
    if (www.ok) unique.add(www.value);
  }
  return ok({
    names: [...unique],
    additional: listed.slice(1),
    autoSecureWww,
    shape: { wildcard: listed.some(isWildcard), multiDomain: listed.length > 1 },
  });
}

export type HostName = { readonly kind: 'dns' | 'ip'; readonly value: string };

/** Parses a private host: internal names, IPv4 and IPv6 addresses are welcome. */
export function parseHost(text: string): Result<HostName, string> {
  const address = parseIp(text.trim());
  if (address !== undefined) return ok({ kind: 'ip', value: formatIp(address) });
  const name = parseDnsName(text.trim());
  return name.ok ? ok({ kind: 'dns', value: name.value }) : fail(name.error.detail);
}

/** Parses all hosts of a private order, primary first, duplicates removed. Error `domain.nameRefused` with a field each. */
export function parseHosts(hostname: string, additional: readonly string[]): Result<readonly HostName[], DomainError> {
  const fields: FieldError[] = [];
  const hosts = new Map<string, HostName>();
  for (const [index, text] of [hostname, ...additional].entries()) {
    const host = parseHost(text);
    if (host.ok) hosts.set(host.value.value, host.value);
    else fields.push({ field: index === 0 ? 'hostname' : `additionalHosts[${index - 1}]`, message: host.error });
  }
  const [first] = fields;
  if (first !== undefined) {
    return fail(domainError('domain.nameRefused', `${first.field}: ${first.message}`, { fields }));
  }
  return ok([...hosts.values()]);
}

/** Splits a product variant such as `ov-wildcard-ucc` into level and, when the long form was used, its shape. */
export function parseSslVariant(variant: string):
  | {
      readonly level: SslLevel;
      readonly shape: { readonly wildcard: boolean; readonly multiDomain: boolean } | undefined;
    }
  | undefined {
  const match = /^(dv|ov|ev)(-wildcard)?(-ucc)?$/.exec(variant);
  if (match === null) return undefined;
  const [, level, wildcard, ucc] = match;
  const long = wildcard !== undefined || ucc !== undefined;
  return {
    level: level === 'dv' || level === 'ov' ? level : 'ev',
    shape: long ? { wildcard: wildcard !== undefined, multiDomain: ucc !== undefined } : undefined,
  };
}
