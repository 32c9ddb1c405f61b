/** RFC 3339 in UTC with whole seconds, e.g. `2026-06-02T13:00:00Z`. */
export const rfc3339 = (instant: number): string => `${new Date(instant).toISOString().slice(0, 19)}Z`;

/** The older form of the same instant, UTC: `2026-06-02 13:00:00`. */
export const legacyTime = (instant: number): string => new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
