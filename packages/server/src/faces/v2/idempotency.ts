/** Idempotency-Key of a request (contract section 4). */
import { createHash } from 'node:crypto';

const KEY = /^[\x21-\x7e]{1,255}$/;

export const isIdempotencyKey = (text: string): boolean => KEY.test(text);

const sha256 = (parts: readonly string[]): string => {
  const hash = createHash('sha256');
  // the length in front keeps two neighbours from being read as one
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
};

/** JSON text with members in code unit order, so that equal documents have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** Hex SHA-256 over account, method, path and key: whose key it is, and for what. */
export const claimScope = (accountId: number, method: string, path: string, key: string): string =>
  sha256([String(accountId), method, path, key]);

/** Hex SHA-256 over the normalised body and the product header: what was asked for. */
export const fingerprint = (body: unknown, productCode: string): string => sha256([canonicalJson(body), productCode]);
