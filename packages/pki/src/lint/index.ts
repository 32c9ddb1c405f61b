export { LINTS, lintTbs } from './lint.ts';
export type { Lint, LintFinding, LintOptions, LintSeverity, LintSubject } from './types.ts';
