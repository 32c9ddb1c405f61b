export type Unit = 'req/s' | 'ms' | 's' | 'MB' | 'ratio';

/** What a figure must reach. */
export type Goal =
  | { readonly kind: 'atLeast'; readonly value: number }
  | { readonly kind: 'below'; readonly value: number };

/** One line of the result. */
export interface Figure {
  readonly row: string;
  readonly what: string;
  readonly value: number;
  readonly unit: Unit;
  /** Null: shown for information. */
  readonly goal: Goal | null;
  /** The same work by somebody else's program, measured in the same minute. */
  readonly peer: { readonly name: string; readonly value: number } | null;
  readonly note: string;
}

/** Whether the figure reaches its goal; null when it has none. */
export function reached({ goal, value }: Pick<Figure, 'goal' | 'value'>): boolean | null {
  if (goal === null) return null;
  return goal.kind === 'atLeast' ? value >= goal.value : value < goal.value;
}

/** The middle value, of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('median of nothing');
  return (lower + upper) / 2;
}

function amount(value: number, unit: Unit): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  switch (unit) {
    case 'req/s':
      return `${text}/s`;
    case 'ratio':
      return text;
    default:
      return `${text} ${unit}`;
  }
}

const SIGN = { atLeast: '≥', below: '<' } as const;

function verdict(figure: Figure): string {
  const ok = reached(figure);
  return ok === null ? '' : ok ? 'ok' : 'MISSED';
}

const HEADINGS = ['row', 'what', 'figure', 'target', 'peer', 'ratio', '', 'remarks'] as const;
const RIGHT_ALIGNED = new Set([2, 3, 5]);

/** The figures as a table of plain text. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.row,
    figure.what,
    amount(figure.value, figure.unit),
    figure.goal === null ? '' : `${SIGN[figure.goal.kind]} ${amount(figure.goal.value, figure.unit)}`,
    figure.peer === null ? '' : `${figure.peer.name} ${amount(figure.peer.value, figure.unit)}`,
    figure.peer === null ? '' : (figure.value / figure.peer.value).toFixed(2),
    verdict(figure),
    figure.note,
  ]);
  const all = [[...HEADINGS], ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return RIGHT_ALIGNED.has(column) ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
