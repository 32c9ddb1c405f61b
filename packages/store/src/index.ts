export type { AuditProblem, AuditReport } from './audit/verify.ts';
export { openPostgresStore, type PostgresStoreOptions } from './postgres/open.ts';
export { SchemaError } from './schema/migrations.ts';
export { lockDirectory } from './sqlite/lock.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite/open.ts';
export type { CertwrightStore } from './store.ts';
