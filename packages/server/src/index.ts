export { startPlatform } from './compose/platform.ts';
export type { Platform, PlatformOverrides } from './compose/types.ts';
export { CONFIG_KEYS, type Config, configSchema, describeConfig, loadConfig } from './config/index.ts';
export type { ReadyLine } from './sandbox/ready-line.ts';
export { type Sandbox, type SandboxOptions, startSandbox } from './sandbox/start.ts';
