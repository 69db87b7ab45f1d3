import { expect, test } from "vitest";
import { filtered } from "./camera-states";

type State = "live" | "connecting" | "stalled" | "backing_off" | "disabled";

function camera(id: string, state: State, sub: State = state, more = {}) {
  const streams = [
    { name: "main" as const, state, reason: "", since: null, next_attempt_at: null },
    { name: "sub" as const, state: sub, reason: "", since: null, next_attempt_at: null },
  ];
  return { id, name: `Camera ${id}`, state, blind: false, recording: null, streams, ...more };
}

const CITY = [
  camera("well", "live"),
  camera("off", "disabled"),
  camera("dead", "backing_off", "live"),
  camera("slow", "connecting"),
  camera("full", "live", "live", { recording: { state: "failing", reason: "the disk is full" } }),
];
const ids = (filter: Parameters<typeof filtered>[1], text = "") => filtered(CITY, filter, text).map((one) => one.id);

test("trouble stands first, the worst before the rest; what is switched off is none", () => {
  expect(ids("trouble")).toEqual(["dead", "slow", "full"]);
  expect(ids("all")).toEqual(["dead", "slow", "full", "well", "off"]);
});

test("a state is looked for in every stream, and a text in name and id", () => {
  expect(ids("live")).toEqual(["dead", "full", "well"]);
  expect(ids("not_recorded")).toEqual(["full"]);
  expect(ids("all", "camera we")).toEqual(["well"]);
});
