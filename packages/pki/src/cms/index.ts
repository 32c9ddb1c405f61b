export { type CmsError, certsOnly, parseCertsOnly } from './certs-only.ts';
