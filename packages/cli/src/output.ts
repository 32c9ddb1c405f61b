/** What commands write: tables for people, one JSON document for programs. */
import type { CliError } from './exit-codes.ts';

/** The process as commands see it. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
}

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string | number | boolean | null;
}

/** Control characters would let a name from a request rewrite the operator's terminal. */
const printable = (value: string | number | boolean | null): string =>
  value === null || value === '' ? '-' : String(value).replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');

/** Columns are as wide as their widest cell; numbers of an order or account stay text. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(value(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => cells[index]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Named values below each other. */
export function details(pairs: readonly (readonly [string, string | number | boolean | null])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`).join('');
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** `2026-11-22T10:00:00.000Z` as `2026-11-22 10:00`. */
export const shortTime = (time: string | null): string => (time === null ? '-' : time.slice(0, 16).replace('T', ' '));

/** An error as commands end with it. */
export function errorText(error: CliError, asJson: boolean): string {
  const { message, hint, code } = error;
  if (asJson) return json({ error: { code, message, ...(hint === '' ? {} : { hint }) } });
  return `certwright: ${message}\n${hint === '' ? '' : `  ${hint}\n`}`;
}
