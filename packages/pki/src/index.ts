export { type Result, fail, ok } from './result.ts';
export * from './der/index.ts';
