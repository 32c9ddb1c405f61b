/** What a validation asked and found, in the words of the contract (section 8.6). */
import type { AttemptRecord, PerspectiveFinding, ValidationMethod } from '@certwright/core';
import type { DiagnosticsDocument } from '../schemas/common.ts';
import { rfc3339 } from '../time-format.ts';

/** Directory of validation files, relative to the site root. */
export const VALIDATION_DIRECTORY = '.well-known/pki-validation';

export interface DiagnosticsContext {
  readonly domainId?: string;
  readonly domainName?: string;
  /** A CAA pre-check has no challenge to look for. */
  readonly caaPrecheck?: boolean;
}

type NextStep = NonNullable<DiagnosticsDocument['nextSteps']>[number];

const OVERALL = { verified: 'VERIFIED', failed: 'FAILED', pending: 'PENDING' } as const;

const fileNameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

function expectedOf({
  diagnostics: { expected },
  method,
}: AttemptRecord): NonNullable<DiagnosticsDocument['expected']> {
  const [recordName] = expected.recordNames;
  if (method === 'http-url' && expected.url !== null) {
    return { fileName: `${VALIDATION_DIRECTORY}/${fileNameOf(expected.url)}`, fileContent: expected.value };
  }
  return {
    ...(recordName === undefined ? {} : { domainName: recordName }),
    ...(expected.value === '' ? {} : { recordValue: expected.value }),
  };
}

function perspective(finding: PerspectiveFinding, method: ValidationMethod, isCaa: boolean) {
  const found = finding.found.join('\n');
  const value = found === '' || isCaa ? {} : method === 'http-url' ? { responseUrlValue: found } : { txtValue: found };
  return {
    resolverIp: finding.resolver,
    region: finding.region,
    status: finding.ok ? ('OK' as const) : ('FAILED' as const),
    failureClass: finding.failureClass,
    ...value,
    ...(finding.errorMessage === '' ? {} : { errorMessage: finding.errorMessage }),
    ...(found === '' ? {} : { found: { rawData: found } }),
  };
}

/** Domain name of a CAA issue value: `0 issue "ca.example; policy=ev"` names `ca.example`. */
const caaIssuer = (found: string): string => /"([^";\s]*)/.exec(found)?.[1] ?? '';

function nextSteps(attempt: AttemptRecord, isCaa: boolean): NextStep[] {
  const { expected, findings } = attempt.diagnostics;
  if (attempt.outcome !== 'failed') return [];
  if (isCaa) {
    const foundCa = caaIssuer(findings.find((finding) => !finding.ok)?.found[0] ?? '');
    return [{ key: 'dcv.nextStep.caaPrecheck.notAuthorized', params: { foundCa }, severity: 'ERROR' }];
  }
  // without a challenge there is nothing to publish
  if (expected.value === '') return [];
  switch (attempt.method) {
    case 'dns-txt':
      return [
        {
          key:
            attempt.failureClass === 'TOKEN_MISMATCH'
              ? 'dcv.nextStep.txt.valueDiffers'
              : 'dcv.nextStep.txt.recordMissing',
          params: { recordName: expected.recordNames[0] ?? '', recordValue: expected.value },
          severity: 'ERROR',
        },
      ];
    case 'http-url':
      return [
        {
          key:
            attempt.failureClass === 'TOKEN_MISMATCH'
              ? 'dcv.nextStep.file.contentDiffers'
              : 'dcv.nextStep.file.missing',
          params: { url: expected.url ?? '', fileContent: expected.value },
          severity: 'ERROR',
        },
      ];
    default:
      return [];
  }
}

/** Diagnostics of an attempt. */
export function diagnosticsOf(attempt: AttemptRecord, context: DiagnosticsContext = {}): DiagnosticsDocument {
  const { findings, tokenIsStale } = attempt.diagnostics;
  const isCaa = context.caaPrecheck === true;
  const agreeing = findings.filter((finding) => finding.ok);
  const value = agreeing[0]?.found[0];
  return {
    schemaVersion: 1,
    method: isCaa ? 'CAA_PRECHECK' : attempt.method,
    overallStatus: OVERALL[attempt.outcome],
    failureClass: attempt.failureClass,
    ...(context.domainId === undefined ? {} : { domainId: context.domainId }),
    ...(context.domainName === undefined ? {} : { domainName: context.domainName }),
    attemptTimestamp: rfc3339(attempt.at),
    tokenIsStale,
    expected: expectedOf(attempt),
    consensus: {
      agreed: attempt.outcome === 'verified',
      ...(value === undefined ? {} : { consensusValue: value }),
      perspectiveCount: findings.length,
      totalPerspectivesQueried: findings.length,
      quorumCount: agreeing.length,
    },
    perspectives: findings.map((finding) => perspective(finding, attempt.method, isCaa)),
    nextSteps: nextSteps(attempt, isCaa),
  };
}
