/** Multi-perspective issuance corroboration (TLS BR 3.2.2.9). */

/** How many remote perspectives may disagree. One alone must agree: it could corroborate nothing otherwise. */
export function allowedDissent(remotes: number): number {
  if (remotes <= 1) return 0;
  return remotes <= 5 ? 1 : 2;
}

/** Whether the primary perspective (the first) and enough remote ones say yes. */
export function hasQuorum(findings: readonly { readonly ok: boolean }[]): boolean {
  const [primary, ...remotes] = findings;
  if (primary?.ok !== true) return false;
  return remotes.filter((finding) => !finding.ok).length <= allowedDissent(remotes.length);
}
