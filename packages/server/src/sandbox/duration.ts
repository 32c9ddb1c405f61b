/** Calendar arithmetic on ISO 8601 durations, for moving the sandbox's clock. */
import type { Instant } from '@certwright/core';

const DURATION =
  /^(?<sign>[+-]?)P(?=\d|T\d)(?:(?<years>\d{1,4})Y)?(?:(?<months>\d{1,5})M)?(?:(?<weeks>\d{1,5})W)?(?:(?<days>\d{1,6})D)?(?:T(?=\d)(?:(?<hours>\d{1,7})H)?(?:(?<minutes>\d{1,9})M)?(?:(?<seconds>\d{1,10})S)?)?$/;

/**
 * Adds a duration such as `P60D`, `P1Y2M` or `-PT90S` to an instant, in UTC. Years and months are those of the calendar;
 * a day that the month does not have becomes its last one. Undefined when the text is not a duration.
 */
export function addDuration(at: Instant, text: string): Instant | undefined {
  const parts = DURATION.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const sign = parts.sign === '-' ? -1 : 1;
  const count = (unit: string): number => sign * Number(parts[unit] ?? 0);
  const seconds = count('hours') * 3_600 + count('minutes') * 60 + count('seconds');
  const days = count('weeks') * 7 + count('days');
  return addMonths(at, count('years') * 12 + count('months')) + days * 86_400_000 + seconds * 1_000;
}

function addMonths(at: Instant, months: number): Instant {
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}
