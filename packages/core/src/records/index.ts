export type * from './accounts.ts';
export type * from './catalog.ts';
export type * from './certificates.ts';
export type * from './credentials.ts';
export type * from './domains.ts';
export type * from './orders.ts';
export type * from './platform.ts';
