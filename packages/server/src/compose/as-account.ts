import type { CallContext, Core, OperatorContext } from '@certwright/core';

/** The platform acting on its own behalf: first start, its own certificate. */
export const systemOperator: OperatorContext = {
  operator: 'certwright',
  origin: { channel: 'system', requestId: '', ip: '', originator: 'Certwright' },
};

/**
 * Calls the core as an account's administrator, by a credential that lives as long as the call: so every call of the
 * platform itself passes the same checks, and leaves the same trail, as anybody else's.
 */
export async function asAccount<T>(
  core: Pick<Core, 'credentials'>,
  accountNumber: string,
  label: string,
  work: (ctx: CallContext) => Promise<T>,
): Promise<T> {
  const { origin } = systemOperator;
  const created = await core.credentials.create(systemOperator, { accountNumber, authType: 'oauth', label });
  if (!created.ok) throw new Error(`account ${accountNumber} cannot be used: ${created.error.detail}`);
  try {
    const tokens = await core.credentials.tokenByClientSecret(origin, accountNumber, created.value.secret);
    if (!tokens.ok) throw new Error(`account ${accountNumber} cannot be used: ${tokens.error.detail}`);
    const caller = await core.credentials.authenticate(tokens.value.accessToken);
    if (!caller.ok) throw new Error(`account ${accountNumber} cannot be used: ${caller.error.detail}`);
    return await work({ caller: caller.value, origin });
  } finally {
    await core.credentials.revoke(systemOperator, created.value.credential.id);
  }
}
