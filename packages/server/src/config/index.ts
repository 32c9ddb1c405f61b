export { describeConfig } from './describe.ts';
export { type Config, type KeySource, loadConfig } from './load.ts';
export { CONFIG_KEYS, type ConfigKey, configSchema } from './schema.ts';
export type { ConfigProblem } from './sources.ts';
