import { expect, test } from "vitest";
import { dayName, dayOf, near, noonOf, recordedAt, share, windowAt } from "./time";

const AT = new Date("2026-11-22T13:25:40").getTime();
const HOUR = 3_600_000;

test("a day goes from midnight to midnight and has the name of its noon", () => {
  const day = dayOf(AT);
  expect(day.end - day.begin).toBe(24 * HOUR);
  expect(dayName(day.begin)).toBe("2026-11-22");
  expect(dayName(noonOf("2026-11-22"))).toBe("2026-11-22");
  expect(share(day, day.begin + 6 * HOUR)).toBe(0.25);
  expect(share(day, day.end + 1)).toBe(1);
});

test("the opened window is the hour, cut at what may be seen and at now", () => {
  const whole = windowAt(AT, null, AT + HOUR);
  expect(whole.end - whole.begin).toBe(HOUR);
  expect(whole.begin % HOUR).toBe(0);
  expect(windowAt(AT, AT - 1000, AT + 5000)).toEqual({ begin: AT - 1000, end: AT + 5000 });
  expect(windowAt(AT, null, AT - 5000).end).toBe(AT + 1000);
});

test("in a gap the next recorded moment is taken", () => {
  const ranges = [
    { begin: 10, end: 20 },
    { begin: 30, end: 40 },
  ];
  expect([5, 15, 25, 40].map((at) => recordedAt(ranges, at))).toEqual([10, 15, 30, null]);
  expect(near(300_000)).toEqual({ begin: 0, end: 600_000 });
});
