import type { Config } from './load.ts';

const HIDDEN = '***';

/** The effective configuration for people, secrets left out. */
export function describeConfig(config: Config): unknown {
  const { key, smtp, databaseUrl, roles, ...rest } = config;
  return {
    ...rest,
    roles: [...roles],
    databaseUrl: databaseUrl === null ? null : withoutPassword(databaseUrl),
    key:
      key.kind === 'file'
        ? { kind: key.kind, path: key.path }
        : key.kind === 'environment'
          ? { kind: key.kind, variable: key.variable }
          : { kind: key.kind },
    smtp: smtp === null ? null : { ...smtp, credentials: smtp.credentials === null ? null : HIDDEN },
  };
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  if (url.password !== '') url.password = HIDDEN;
  if (url.searchParams.has('password')) url.searchParams.set('password', HIDDEN);
  return url.href;
}
