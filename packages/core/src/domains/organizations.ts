import { fail, ok, type Result } from '@certwright/pki';
import { type DomainError, domainError } from '../errors.ts';
import type { Store } from '../ports/store.ts';
import type { OrganizationRecord } from '../records/index.ts';

/**
 * The organization that a request about domains means: the one it names, else the account's only one, null when the
 * account has none. Errors `notFound`, `request.invalid`.
 */
export async function organizationMeant(
  store: Store,
  accountId: number,
  number: string | undefined,
): Promise<Result<OrganizationRecord | null, DomainError>> {
  if (number !== undefined && number !== '') {
    const organization = await store.accounts.organizationByNumber(accountId, number);
    return organization?.status === 'active'
      ? ok(organization)
      : fail(domainError('notFound', `Organization ${number} is not an active organization of this account`));
  }
  const all = await store.accounts.organizations(accountId);
  const active = all.filter((organization) => organization.status === 'active');
  const [only] = active;
  if (only !== undefined && active.length > 1) {
    const message = 'must name one of the organizations of the account';
    return fail(
      domainError('request.invalid', `organizationId ${message}`, { fields: [{ field: 'organizationId', message }] }),
    );
  }
  return ok(only ?? null);
}
