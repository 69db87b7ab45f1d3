import { expect, test } from "vitest";
import { wishAt } from "./tile-size";

test("a tile of a wall of sixteen asks for the sub stream, the large picture for the best", () => {
  expect(wishAt(474, 267, 1, null)).toBe("sub");
  expect(wishAt(1280, 720, 1, null)).toBe("auto");
});

test("the pixels of the screen count, and only those that the picture covers", () => {
  expect(wishAt(640, 360, 2, null)).toBe("auto");
  expect(wishAt(390, 844, 1, null)).toBe("sub");
});

test("a size about the border changes nothing", () => {
  expect(wishAt(738, 415, 1, "auto")).toBe("auto");
  expect(wishAt(738, 415, 1, "sub")).toBe("sub");
  expect(wishAt(640, 360, 1, "auto")).toBe("sub");
});
