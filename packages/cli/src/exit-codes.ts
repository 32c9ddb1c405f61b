/** Exit codes of every command; documented in docs/reference/cli.md. */
export const EXIT = {
  ok: 0,
  /** The server or a check refused: the reason is on standard error. */
  failed: 1,
  /** Wrong command line or configuration. */
  usage: 2,
  /** No server answered. */
  unreachable: 3,
  /** The object does not exist. */
  notFound: 4,
  /** Credentials are missing, not valid or not sufficient. */
  denied: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'Done.'],
  [EXIT.failed, 'Failed or refused; the reason is on standard error.'],
  [EXIT.usage, 'The command line or the configuration is wrong.'],
  [EXIT.unreachable, 'No server answered.'],
  [EXIT.notFound, 'The object does not exist.'],
  [EXIT.denied, 'Not authenticated or not permitted.'],
];

/** Ends a command: one sentence of what is wrong, one of what to do. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string;
  /** Stable code for `--json`. */
  readonly code: string;

  constructor(exitCode: ExitCode, message: string, more: { readonly hint?: string; readonly code?: string } = {}) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.hint = more.hint ?? '';
    this.code = more.code ?? 'failed';
  }
}
