import { readTbsCertificate } from '../certificate/index.ts';
import { DerError } from '../der/index.ts';
import { describeSpki } from '../keys/index.ts';
import { EXTENSION_LINTS } from './extension-lints.ts';
import { FIELD_LINTS } from './field-lints.ts';
import { SAN_LINTS } from './san-lints.ts';
import { SUBJECT_LINTS } from './subject-lints.ts';
import type { Lint, LintFinding, LintOptions, LintSubject } from './types.ts';

/** Every rule, in the order in which findings are reported. */
export const LINTS: readonly Lint[] = [...FIELD_LINTS, ...SUBJECT_LINTS, ...SAN_LINTS, ...EXTENSION_LINTS];

/**
 * Judges a TBSCertificate before it is signed: all findings of all rules, none when it is clean. A finding of severity
 * `error` must stop issuance. Bytes that are no TBSCertificate give the single finding `e_tbs_malformed`.
 */
export function lintTbs(tbs: Uint8Array, options: LintOptions): LintFinding[] {
  const { profile, issuer, now } = options;
  let subject: LintSubject;
  try {
    const certificate = readTbsCertificate(tbs);
    subject = { certificate, key: describeSpki(certificate.spki), profile, issuer, now };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return [{ id: 'e_tbs_malformed', source: 'RFC 5280 4.1', severity: 'error', detail: error.message }];
  }
  const findings: LintFinding[] = [];
  for (const lint of LINTS) {
    if (lint.applies !== undefined && !lint.applies(subject)) continue;
    const detail = lint.check(subject);
    if (detail !== undefined) findings.push({ id: lint.id, source: lint.source, severity: lint.severity, detail });
  }
  return findings;
}
