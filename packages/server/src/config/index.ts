export { describeConfig } from './describe.ts';
export { type Config, type KeySource, loadConfig, type TlsSource } from './load.ts';
export { CONFIG_KEYS, type ConfigKey, configSchema } from './schema.ts';
export type { ConfigProblem, ConfigSources } from './sources.ts';
