/** Permits for tests of the vault alone: outside tests only the core makes them, after it has recorded the bytes. */
export { mintPermit } from '../../../core/src/issuance/permit.ts';
