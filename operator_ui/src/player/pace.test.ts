import { expect, test } from "vitest";
import { JumpRule, PaceMeter } from "./pace";

/** Plays frames at 15 a second from `from` to `until`; `late` is the delay of each, `step` how many seconds pass between two. */
function play(meter: PaceMeter, from: number, until: number, late: (at: number) => number, step = 1000 / 15): void {
  for (let at = from; at < until; at += step) meter.frame(at + late(at), (at * 90 + 0xffff_0000) >>> 0);
}

function seen(meter: PaceMeter, from: number, until: number): string[] {
  const found: string[] = [];
  for (let at = from; at < until; at += 250) {
    const { pace, lagSeconds } = meter.look(at);
    const words = lagSeconds ? `${pace} ${lagSeconds}` : pace;
    if (found.at(-1) !== words) found.push(words);
  }
  return found;
}

test("a picture in time has nothing to say, through a fast start and a time stamp that wraps", () => {
  const meter = new PaceMeter();
  for (let n = 0; n < 40; n++) meter.frame(1000 + n * 3, (0xffff_f000 + n * 90) >>> 0);
  const live = 0xffff_f000 + 39 * 90;
  for (let n = 1; n < 150; n++) meter.frame(1120 + (n * 1000) / 15, (live + n * 6000) >>> 0);
  expect(meter.look(11_100)).toEqual({ pace: "live", lagSeconds: 0 });
  expect(meter.lagMs(11_100)).toBeLessThan(200);
});

test("lag that lasts is said in whole seconds, and taken back when it is over", () => {
  const meter = new PaceMeter();
  const said: string[] = [];
  const late = (at: number): number => (at < 5_000 ? 40 : at < 15_000 ? 2_540 : 60);
  for (let at = 0; at < 25_000; at += 250) {
    play(meter, at, at + 250, late);
    const { pace, lagSeconds } = meter.look(at + 250 + late(at));
    const words = lagSeconds ? `${pace} ${lagSeconds}` : pace;
    if (said.at(-1) !== words) said.push(words);
  }
  expect(said).toEqual(["live", "behind 2", "live"]);
});

test("one late frame is no lag", () => {
  const meter = new PaceMeter();
  play(meter, 0, 5_000, (at) => (Math.round(at) === 3_000 ? 1_100 : 20));
  expect(seen(meter, 5_000, 5_800)).toEqual(["live"]);
});

test("a picture that stands still is said at once, a halting one after a while, and neither flickers", () => {
  const meter = new PaceMeter();
  play(meter, 0, 4_000, () => 20);
  expect(seen(meter, 4_000, 5_200)).toEqual(["live"]);
  expect(meter.look(5_600).pace).toBe("still");
  const halting = new PaceMeter();
  play(halting, 0, 2_000, () => 20);
  for (let at = 2_000; at < 20_000; at += 1_000) play(halting, at, at + 400, () => 20);
  expect(halting.look(20_000).pace).toBe("live");
  play(halting, 20_000, 20_900, () => 20);
  expect(halting.look(20_900).pace).toBe("slow");
});

test("a camera of one picture a second is neither still nor slow", () => {
  const meter = new PaceMeter();
  play(meter, 0, 60_000, () => 20, 1_000);
  expect(seen(meter, 60_000, 61_200)).toEqual(["live"]);
});

test("what the browser knows of the capture time is believed", () => {
  const meter = new PaceMeter();
  for (let at = 0; at < 3_000; at += 66) meter.frame(at, at * 90, at - 1_800);
  expect(meter.lagMs(3_000)).toBeCloseTo(1_800, 0);
});

test("time that nobody looked is no freeze", () => {
  const meter = new PaceMeter();
  play(meter, 0, 2_000, () => 20);
  meter.rest();
  play(meter, 60_000, 62_000, () => 20);
  expect(seen(meter, 62_000, 63_000)).toEqual(["live"]);
});

test("three seconds of two seconds' lag end in a jump, and jumps that do not help become rare", () => {
  const rule = new JumpRule();
  const jumps: number[] = [];
  for (let at = 0; at < 300_000; at += 250) if (rule.mustJump(at, at < 10_000 ? 0 : 2_500)) jumps.push(at);
  expect(jumps[0]).toBe(13_000);
  const pauses = jumps.slice(1).map((at, index) => at - jumps[index]!);
  expect(pauses[0]).toBeGreaterThanOrEqual(10_000);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(80_000);
  expect(new JumpRule().mustJump(1, 1_999)).toBe(false);
});
