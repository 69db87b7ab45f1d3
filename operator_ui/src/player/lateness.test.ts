import { expect, test } from "vitest";
import { HoldRule } from "./lateness";

/** Frames at 15 a second from `from` to `until`, each `late(n)` ms late; what the rule says at the end. */
function come(rule: HoldRule, from: number, until: number, late: (n: number) => number): number {
  let hold = 0;
  for (let at = from, n = 0; at < until; at += 1000 / 15, n++) hold = rule.frame(at + late(n), (at * 90 + 0xffff_0000) >>> 0);
  return hold;
}

test("on a good line nothing is held, and neither where it trembles a little", () => {
  expect(come(new HoldRule(), 0, 60_000, () => 3)).toBe(0);
  expect(come(new HoldRule(), 0, 60_000, (n) => (n * 37) % 90)).toBe(0);
});

test("a fast start says nothing of the line", () => {
  const rule = new HoldRule();
  for (let n = 0; n < 60; n++) rule.frame(1_000 + n * 12, ((940 + n) * 90 + 0xffff_0000) >>> 0);
  expect(come(rule, 1_800, 20_000, () => 5)).toBe(0);
});

test("where repeated packets come late frames are held nearly as long, and never for more than half a second", () => {
  expect(come(new HoldRule(), 0, 20_000, (n) => (n % 20 === 0 ? 280 : n % 2 ? 130 : 10))).toBe(220);
  expect(come(new HoldRule(), 0, 20_000, (n) => (n % 5 === 0 ? 1_400 : 0))).toBe(500);
});

test("one late frame in a minute is let go, and a line that is good again is live again", () => {
  expect(come(new HoldRule(), 0, 60_000, (n) => (n === 300 ? 900 : 5))).toBe(0);
  const rule = new HoldRule();
  expect(come(rule, 0, 20_000, (n) => (n % 30 ? 10 : 300))).toBe(240);
  expect(come(rule, 20_000, 70_000, () => 10)).toBe(0);
});
