export { createKeyVault, KeyVaultError } from './key-vault.ts';
export {
  keyFromEnvironment,
  keyFromFile,
  keyFromPassphrase,
  type PlatformKey,
  PlatformKeyError,
  platformKey,
} from './platform-key.ts';
export { createSecretBox, sealedUnder } from './secret-box.ts';
