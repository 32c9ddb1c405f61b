export { type Result, fail, ok } from './result.ts';
export * from './der/index.ts';
export * from './names/index.ts';
export * from './keys/index.ts';
export * from './goodkey/index.ts';
export * from './csr/index.ts';
export * from './profiles/index.ts';
export * from './certificate/index.ts';
