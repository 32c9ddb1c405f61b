/** Shows the steps of the demo as they happen, aligned, with the time each one took. */

export interface Reporter {
  /** Runs a step and shows what it found; a step that rejects is shown as failed and ends the demo. */
  step<T>(title: string, work: () => Promise<T>, tell: (result: T) => string): Promise<T>;
  line(text: string): void;
}

/** A step failed; its line has been shown. */
export class StepError extends Error {
  readonly step: string;
  constructor(step: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : 'failed', { cause });
    this.name = 'StepError';
    this.step = step;
  }
}

interface ReporterOptions {
  readonly write: (text: string) => void;
  /** Colours and a line that shows what is going on; for terminals. */
  readonly isTerminal: boolean;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

const TITLE_WIDTH = 20;
const TIME_WIDTH = 6;
const ERASE_LINE = '\r\u001b[2K';

export function createReporter({ write, isTerminal, now }: ReporterOptions): Reporter {
  const paint = (code: number, text: string): string => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

  return {
    async step(title, work, tell) {
      if (isTerminal) write(`  ${paint(2, '·')} ${title}`);
      const startedAt = now();
      const show = (mark: string, text: string): void => {
        const took = `${Math.round(now() - startedAt)} ms`.padStart(TIME_WIDTH + 3);
        write(`${isTerminal ? ERASE_LINE : ''}  ${mark} ${title.padEnd(TITLE_WIDTH)} ${paint(2, took)}  ${text}\n`);
      };
      try {
        const result = await work();
        show(paint(32, '✔'), tell(result));
        return result;
      } catch (error) {
        show(paint(31, '✘'), paint(31, error instanceof Error ? error.message : 'failed'));
        throw new StepError(title, error);
      }
    },
    line: (text) => write(`${text}\n`),
  };
}
