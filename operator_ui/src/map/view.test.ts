import { expect, test } from "vitest";
import { viewOf, worstByCamera } from "./view";

const here = { latitude: 37.27, longitude: 127.0 };
const camera = (id: string, position: typeof here | null = here) => ({ id, name: id, state: "live", position });

test("a camera stands for its worst open alarm", () => {
  const worst = worstByCamera([
    { camera_id: "a", severity: "caution", state: "new" },
    { camera_id: "a", severity: "alert", state: "dispatched" },
    { camera_id: "a", severity: "serious", state: "closed" },
  ]);
  expect([...worst]).toEqual([["a", "alert"]]);
});

test("cameras without a place are left out; others than the highlighted stand back", () => {
  const { points } = viewOf({ cameras: [camera("a"), camera("b"), camera("c", null)], highlighted: new Set(["b"]), selected: "b" });
  expect(points.map(({ id, isDim, isSelected }) => [id, isDim, isSelected])).toEqual([["a", true, false], ["b", false, true]]);
});

test("the map is fitted anew when cameras come, not when their state changes", () => {
  const first = viewOf({ cameras: [camera("a")] }).frame;
  expect(viewOf({ cameras: [{ ...camera("a"), state: "stalled" }] }).frame).toBe(first);
  expect(viewOf({ cameras: [camera("a"), camera("b", { ...here, latitude: 37.3 })] }).frame).not.toBe(first);
});

test("a scene is marked where no alarm's ring marks it already", () => {
  const incidents = [{ camera_id: "a", severity: "alert" as const, state: "new" }];
  expect(viewOf({ cameras: [camera("a")], incidents, place: here }).place).toBeNull();
  expect(viewOf({ cameras: [camera("a")], place: here }).place).toEqual(here);
});
