/** Times of a day and where they lie on a line. Milliseconds since 1970. Pure. */

export interface Span {
  begin: number;
  end: number;
}

const HOUR_MS = 3_600_000;
/** What is shown around the moment, and what is opened at once, so that going about in it is one look (ADR 0101). */
export const NEAR_MS = 600_000;

/** The local day with `at`. */
export function dayOf(at: number): Span {
  const begin = new Date(at);
  begin.setHours(0, 0, 0, 0);
  const end = new Date(begin);
  end.setDate(end.getDate() + 1);
  return { begin: begin.getTime(), end: end.getTime() };
}

/** `2026-11-22` of the local day. */
export function dayName(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Noon of a day's name, which no clock change touches. */
export function noonOf(name: string): number {
  return new Date(`${name}T12:00:00`).getTime();
}

/** The hour that is opened to show `at`, not beyond `latest` and not before `earliest`. */
export function windowAt(at: number, earliest: number | null, latest: number): Span {
  const begin = Math.floor(at / HOUR_MS) * HOUR_MS;
  return { begin: Math.max(begin, earliest ?? begin), end: Math.min(begin + HOUR_MS, Math.max(latest, at + 1000)) };
}

/** Ten minutes with `at` in the middle. */
export function near(at: number): Span {
  return { begin: at - NEAR_MS / 2, end: at + NEAR_MS / 2 };
}

/** Share of the span, 0 to 1, that `at` lies at; outside it is cut. */
export function share(span: Span, at: number): number {
  return Math.min(Math.max((at - span.begin) / (span.end - span.begin), 0), 1);
}

/** `at` where it is recorded, else the next moment that is; null when nothing follows. */
export function recordedAt(ranges: readonly Span[], at: number): number | null {
  const range = ranges.find((one) => one.end > at);
  return range ? Math.max(at, range.begin) : null;
}
