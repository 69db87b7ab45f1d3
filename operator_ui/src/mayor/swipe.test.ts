import { expect, test } from "vitest";
import { swipeOf } from "./swipe";

test("a long movement across is a swipe, a short slow one is not", () => {
  expect(swipeOf(-80, 10, 600)).toBe("left");
  expect(swipeOf(80, -10, 600)).toBe("right");
  expect(swipeOf(-30, 0, 600)).toBeNull();
});

test("a short flick is a swipe", () => {
  expect(swipeOf(-30, 2, 40)).toBe("left");
});

test("down closes, aslant and up do nothing", () => {
  expect(swipeOf(10, 150, 400)).toBe("down");
  expect(swipeOf(100, 110, 400)).toBeNull();
  expect(swipeOf(0, -200, 400)).toBeNull();
});
