import { expect, test } from "vitest";
import { boundsOf, gridOver, nearestFirst } from "./geo";

const station = { latitude: 37.2661, longitude: 127.0003 };
const gate = { latitude: 37.2776, longitude: 127.0169 };

test("nearest comes first, and what has no place last", () => {
  const places = [
    { id: "none", name: "A", position: null },
    { id: "far", name: "B", position: gate },
    { id: "near", name: "C", position: station },
  ];
  expect(nearestFirst(station, places).map((place) => place.id)).toEqual(["near", "far", "none"]);
  expect(nearestFirst(null, places).map((place) => place.id)).toEqual(["none", "far", "near"]);
});

test("the grid has whole steps, few lines, and lies still while the map moves", () => {
  const grid = gridOver([126.95, 37.23, 127.1, 37.31]);
  expect(grid?.meters).toBe(500);
  expect(grid?.lines.length).toBeLessThan(60);
  const moved = gridOver([126.951, 37.231, 127.101, 37.311]);
  const wests = (lines: [number, number][][]) => lines.filter(([a, b]) => a![0] === b![0]).map(([a]) => a![0]);
  expect(wests(moved!.lines)[1]).toBe(wests(grid!.lines)[1]);
  expect(gridOver([-180, -80, 180, 80])).toBeNull();
});

test("bounds hold every place", () => {
  expect(boundsOf([])).toBeNull();
  expect(boundsOf([station, gate])).toEqual([127.0003, 37.2661, 127.0169, 37.2776]);
});
