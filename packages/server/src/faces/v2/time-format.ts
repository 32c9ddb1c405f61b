const DAY_MS = 86_400_000;
/** Dates of days by their number, kept because an answer has four times and few days are asked for. */
const dates = new Map<number, string>();
const MAX_DATES = 10_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

function dateOf(day: number): string {
  let date = dates.get(day);
  if (date === undefined) {
    date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    if (dates.size >= MAX_DATES) dates.clear();
    dates.set(day, date);
  }
  return date;
}

function format(instant: number, separator: string): string {
  const day = Math.floor(instant / DAY_MS);
  const second = Math.floor((instant - day * DAY_MS) / 1000);
  const minute = Math.floor(second / 60);
  return `${dateOf(day)}${separator}${TWO_DIGITS[Math.floor(minute / 60)]}:${TWO_DIGITS[minute % 60]}:${TWO_DIGITS[second % 60]}`;
}

/** RFC 3339 in UTC with whole seconds, e.g. `2026-06-02T13:00:00Z`. */
export const rfc3339 = (instant: number): string => `${format(instant, 'T')}Z`;

/** The older form of the same instant, UTC: `2026-06-02 13:00:00`. */
export const legacyTime = (instant: number): string => format(instant, ' ');
