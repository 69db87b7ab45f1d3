// @vitest-environment jsdom

import { expect, test } from "vitest";
import type { Dispatch, Incident } from "../api/client";
import { incidents } from "../city/city";
import { account } from "../session/session";
import { given, isWaiting, mayAnswer, openHere, waitingHere } from "./desk";

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

function dispatch(done: Partial<Dispatch> = {}): Dispatch {
  return {
    desk: "police", note: "", dispatched_by: "operator", dispatched_at: at(0), received_by: null, received_at: null, received_note: "",
    arrived_by: null, arrived_at: null, arrived_note: "", outcome: "", outcome_by: null, outcome_at: null, ...done,
  };
}

function incident(id: string, severity: Incident["severity"], own: Dispatch, state: Incident["state"] = "dispatched"): Incident {
  return { id, severity, state, raised_at: at(0), updated_at: at(0), dispatches: [{ ...dispatch(), desk: "fire" }, own] } as unknown as Incident;
}

test("received comes first, then arrival or an outcome by telephone", () => {
  const fresh = dispatch();
  expect([mayAnswer(fresh, "receive"), mayAnswer(fresh, "arrive"), mayAnswer(fresh, "outcome")]).toEqual([true, false, false]);
  const received = dispatch({ received_at: at(1), received_by: "police" });
  expect([mayAnswer(received, "receive"), mayAnswer(received, "arrive"), mayAnswer(received, "outcome")]).toEqual([false, true, true]);
  const settled = dispatch({ received_at: at(1), outcome_at: at(2), outcome: "settled" });
  expect([mayAnswer(settled, "arrive"), mayAnswer(settled, "outcome")]).toEqual([false, false]);
  expect(given(settled, "outcome")).toEqual({ at: at(2), by: null, note: "settled" });
  expect(given(settled, "arrive")).toBeNull();
});

test("what nobody has received stands first, the worst of it at the top", () => {
  account.value = { desk: "police" } as NonNullable<typeof account.value>;
  const received = dispatch({ received_at: at(9), dispatched_at: at(8) });
  const list = [
    incident("received", "serious", received),
    incident("small", "caution", dispatch({ dispatched_at: at(7) })),
    incident("large", "serious", dispatch({ dispatched_at: at(1) })),
    incident("over", "serious", dispatch(), "closed"),
  ];
  incidents.value = new Map(list.map((each) => [each.id, each]));
  expect(openHere.value.map((each) => each.id)).toEqual(["large", "small", "received"]);
  expect(waitingHere.value.map((each) => each.id)).toEqual(["large", "small"]);
  expect(isWaiting(list[3]!)).toBe(false);
});
