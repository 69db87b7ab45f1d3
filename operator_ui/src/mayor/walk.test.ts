import { expect, test } from "vitest";
import { stopAt } from "./walk";

const camera = (id: string, longitude: number | null) => ({
  id,
  name: id,
  position: longitude === null ? null : { latitude: 37.27, longitude },
});
const city = [camera("west", 126.99), camera("middle", 127.0), camera("near", 127.002), camera("lost", null), camera("east", 127.02)];

test("a walk goes outward and comes to every camera before one comes again", () => {
  const seen: string[] = [];
  let at = "middle";
  for (let n = 0; n < city.length; n++) {
    seen.push(at);
    at = stopAt(city, "middle", at, 1)!.camera.id;
  }
  expect(seen).toEqual(["middle", "near", "west", "east", "lost"]);
  expect(at).toBe("middle");
});

test("back leads where one came from", () => {
  const near = stopAt(city, "middle", "middle", 1)!;
  expect(stopAt(city, "middle", near.camera.id, -1)?.camera.id).toBe("middle");
  expect(stopAt(city, "middle", "middle", -1)).toBeNull();
});

test("a stop says how far it is from where the walk began", () => {
  const stop = stopAt(city, "middle", "west")!;
  expect(stop.index).toBe(2);
  expect(stop.count).toBe(5);
  expect(Math.round(stop.meters! / 100)).toBe(9);
  expect(stopAt(city, "middle", "lost")?.meters).toBeNull();
});

test("a camera that has gone ends the walk", () => {
  expect(stopAt(city, "gone", "west", 1)).toBeNull();
  expect(stopAt(city, "west", "gone", 1)).toBeNull();
});
