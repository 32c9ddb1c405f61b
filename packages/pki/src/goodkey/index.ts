export {
  type Blocklist,
  type BlocklistError,
  blockedBy,
  parseBlocklist,
} from './blocklist.ts';
export { checkKey, type KeyFinding, type KeyFindingCode, type KeyPolicy, PUBLIC_KEY_POLICY } from './check-key.ts';
