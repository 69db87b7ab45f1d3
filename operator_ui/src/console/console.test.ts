import { expect, test } from "vitest";
import type { Camera, Incident } from "../api/client";
import { distance, nearest } from "../city/nearest";
import { offered, usualDesks } from "./actions";
import { ageOf, urgentFirst } from "./alarms";
import { commandOf, type Pressed } from "./keys";
import { LAYOUTS, layoutFor, layoutOf, pageCount, placed } from "./layout";
import { found, initialOf } from "./search";

const camera = (id: string, more: Partial<Camera> = {}): Camera => ({ id, name: id, position: null, ...more }) as Camera;
const incident = (id: string, more: Partial<Incident> = {}): Incident =>
  ({ id, camera_id: "c0", state: "new", severity: "alert", raised_at: "2026-01-01T00:00:00Z", owner_id: null, dispatches: [], ...more }) as unknown as Incident;
const ids = (list: { id: string }[]): string[] => list.map((each) => each.id);

test("untaken alarms come first, the severe before the new", () => {
  const list = [
    incident("old-serious", { severity: "serious" }),
    incident("new-caution", { severity: "caution", raised_at: "2026-01-01T00:09:00Z" }),
    incident("new-serious", { severity: "serious", raised_at: "2026-01-01T00:08:00Z" }),
    incident("taken-serious", { severity: "serious", state: "dispatched", raised_at: "2026-01-01T00:10:00Z" }),
  ];
  expect(ids(urgentFirst(list))).toEqual(["new-serious", "old-serious", "new-caution", "taken-serious"]);
});

test("a fault of a camera stands below every alarm, taken or not", () => {
  const list = [
    incident("fault", { family: "fault", kind: "camera_lost", severity: "caution" }),
    incident("taken-attention", { severity: "attention", state: "dispatched" }),
  ];
  expect(ids(urgentFirst(list))).toEqual(["taken-attention", "fault"]);
});

test("an age is told in the unit a person would use", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(ageOf("2026-01-01T23:59:18Z", now)).toEqual({ count: 42, unit: "s" });
  expect(ageOf("2026-01-01T23:01:00Z", now)).toEqual({ count: 59, unit: "min" });
  expect(ageOf("2026-01-01T22:00:00Z", now)).toEqual({ count: 2, unit: "h" });
  expect(ageOf("2026-01-02T00:00:03Z", now)).toEqual({ count: 0, unit: "s" });
});

test("layouts hold 1 to 16 tiles, and the smallest that fits is taken", () => {
  expect(LAYOUTS.map((each) => each.tiles)).toEqual([1, 2, 4, 6, 9, 12, 16]);
  expect([1, 3, 5, 10, 16, 40].map((count) => layoutFor(count).tiles)).toEqual([1, 4, 6, 12, 16, 16]);
  expect(layoutOf(9, 16).tiles).toBe(9);
  expect(layoutOf(5, 16).tiles).toBe(16);
  expect(pageCount(16, layoutOf(9, 16))).toBe(2);
  expect(pageCount(0, layoutFor(0))).toBe(1);
});

test("cameras that call come forward when the wall has pages, and no tile changes its place in the document", () => {
  const cameras = ["a", "b", "c", "d", "e", "f"].map((id) => camera(id));
  const four = layoutOf(4, 6);
  const calls = [incident("1", { camera_id: "f" }), incident("2", { camera_id: "b" })];
  const first = placed(cameras, four, 0, calls);
  expect(first.map((each) => each.camera.id)).toEqual(["a", "b", "c", "f"]);
  expect([...first].sort((x, y) => x.place - y.place).map((each) => each.camera.id)).toEqual(["f", "b", "a", "c"]);
  expect(placed(cameras, four, 1, calls).map((each) => each.camera.id)).toEqual(["d", "e"]);
  expect(placed(cameras, layoutOf(6, 6), 0, calls).map((each) => each.place)).toEqual([0, 1, 2, 3, 4, 5]);
});

test("the nearest cameras of a place, with those distances a map gives", () => {
  const here = camera("here", { position: { latitude: 37.2636, longitude: 127.0286 } });
  const north = camera("north", { position: { latitude: 37.2645, longitude: 127.0286 } });
  const east = camera("east", { position: { latitude: 37.2636, longitude: 127.0306 } });
  const list = nearest([here, east, camera("nowhere"), north], here, 5);
  expect(list.map((each) => each.camera.id)).toEqual(["north", "east"]);
  expect(list[0]!.meters).toBeCloseTo(100, -1);
  expect(list[1]!.meters).toBeCloseTo(177, -1);
  expect(nearest([here, north], camera("nowhere"), 5)).toEqual([]);
  expect([distance(3), distance(177), distance(994.9), distance(1_240)]).toEqual(["10 m", "180 m", "990 m", "1.2 km"]);
});

const CAMERAS = [
  { id: "seodun-alley", name: "서둔동 골목 1 Seodun-dong Alley", words: ["생활방범", "Neighbourhood safety"] },
  { id: "jidong-market", name: "지동시장 뒷길 Ji-dong Market Lane", words: ["도로방범", "Road crime prevention"] },
  { id: "maetan-ro", name: "매탄로 142 Maetan-ro", words: ["불법주정차", "Illegal parking"] },
];

test("a camera is found by name, id and category, in Korean and English", () => {
  expect(ids(found(CAMERAS, "market"))).toEqual(["jidong-market"]);
  expect(ids(found(CAMERAS, "maetan-ro"))).toEqual(["maetan-ro"]);
  expect(ids(found(CAMERAS, "방범"))).toEqual(["seodun-alley", "jidong-market"]);
  expect(ids(found(CAMERAS, "parking 142"))).toEqual(["maetan-ro"]);
  expect(ids(found(CAMERAS, "  "))).toHaveLength(3);
  expect(found(CAMERAS, "수원역")).toEqual([]);
});

test("initial consonants and a syllable begun find it too", () => {
  expect(initialOf("쌍")).toBe("ㅆ");
  expect(initialOf("a")).toBeNull();
  expect(ids(found(CAMERAS, "ㅈㄷㅅㅈ"))).toEqual(["jidong-market"]);
  expect(ids(found(CAMERAS, "서둔동골"))).toEqual(["seodun-alley"]);
  expect(ids(found(CAMERAS, "매타"))).toEqual(["maetan-ro"]);
  expect(ids(found(CAMERAS, "ㅂㅂㅈㅈㅊ"))).toEqual(["maetan-ro"]);
});

const OPERATOR = { account_id: "me", rights: ["handle_incidents"] };
const LEAD = { account_id: "lead", rights: ["handle_incidents", "assign_incidents"] };

test("what is offered follows the state, the owner and the role", () => {
  expect(offered(incident("x"), OPERATOR)).toMatchObject({ acknowledge: true, takeOver: false, close: true, assign: false, dispatch: ["police", "fire"] });
  const others = incident("x", { state: "acknowledged", owner_id: "somebody" });
  expect(offered(others, OPERATOR)).toMatchObject({ takeOver: true, close: false, dispatch: [], note: true, isAnothers: true });
  expect(offered(others, LEAD)).toMatchObject({ takeOver: true, close: true, assign: true, dispatch: ["police", "fire"] });
  const sent = incident("x", { state: "dispatched", owner_id: "me", dispatches: [{ desk: "fire" } as Incident["dispatches"][0]] });
  expect(offered(sent, OPERATOR)).toMatchObject({ dispatch: ["police"], close: true });
  const closed = offered(incident("x", { state: "closed" }), LEAD);
  expect(Object.values(closed).flat().some(Boolean)).toBe(false);
  expect(offered(incident("x"), { account_id: "mayor", rights: [] }).acknowledge).toBe(false);
  expect([usualDesks("fire"), usualDesks("intrusion"), usualDesks("parking")]).toEqual([["fire"], ["police"], []]);
});

const press = (code: string, more: Partial<Pressed> = {}): Pressed => ({
  code, key: "x", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, repeat: false, ...more,
});

test("keys go by their place, and never out of a text field", () => {
  expect(commandOf(press("KeyJ", { key: "ㅓ" }), false)).toEqual({ name: "next" });
  expect(commandOf(press("KeyA", { key: "ㅁ" }), false)).toEqual({ name: "acknowledge" });
  expect(commandOf(press("Digit2", { key: "2" }), false)).toEqual({ name: "verdict", verdict: "false" });
  expect(commandOf(press("Digit5", { altKey: true }), false)).toEqual({ name: "layout", tiles: 9 });
  expect(commandOf(press("KeyK", { ctrlKey: true }), true)).toEqual({ name: "search" });
  for (const code of ["KeyJ", "KeyA", "Digit1", "Slash"]) expect(commandOf(press(code, { key: "/" }), true)).toBeNull();
  expect(commandOf(press("Escape", { key: "Escape" }), true)).toEqual({ name: "back" });
  expect(commandOf(press("KeyR", { ctrlKey: true }), false)).toBeNull();
  expect(commandOf(press("KeyA", { repeat: true }), false)).toBeNull();
  expect(commandOf(press("KeyJ", { repeat: true }), false)).toEqual({ name: "next" });
  expect(commandOf(press("Escape", { key: "Escape", isComposing: true }), true)).toBeNull();
});
