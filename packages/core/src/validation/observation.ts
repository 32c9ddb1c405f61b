/** Looks for a challenge from every perspective and judges what they found together. */
import type { Perspective } from '../ports/network.ts';
import type { AttemptDiagnostics, PerspectiveFinding } from '../records/index.ts';
import type { FailureClass } from './failure-class.ts';
import { hasQuorum } from './quorum.ts';
import type { Expectation, ObservedStrategy, ValidationStrategy } from './strategy.ts';

export interface Observation {
  readonly outcome: 'verified' | 'failed' | 'pending';
  /** Null when verified. */
  readonly failureClass: string | null;
  readonly findings: readonly PerspectiveFinding[];
}

/** Asks all perspectives at once. The primary's reason is the reason; when only remote ones fail, the quorum is. */
export async function observe(
  perspectives: readonly Perspective[],
  strategy: ObservedStrategy,
  expectation: Expectation,
): Promise<Observation> {
  const findings = await Promise.all(perspectives.map((perspective) => strategy.check(perspective, expectation)));
  if (hasQuorum(findings)) return { outcome: 'verified', failureClass: null, findings };
  const dissent: FailureClass = 'QUORUM_NOT_MET';
  return { outcome: 'failed', failureClass: findings[0]?.failureClass ?? dissent, findings };
}

/** What an attempt's record says was expected; without a challenge nothing could be. */
export function expectedOf(
  strategy: ValidationStrategy | undefined,
  expectation: Expectation | undefined,
): AttemptDiagnostics['expected'] {
  if (strategy === undefined || expectation === undefined) return { recordNames: [], value: '', url: null };
  const { recordNames, url } = strategy.artefact(expectation);
  // the value of a mailed proof is nobody's to publish
  return { recordNames, value: strategy.kind === 'mailed' ? '' : expectation.challenge.token, url };
}
