import { expect, test } from "vitest";
import type { Incident } from "../api/client";
import { KEPT_CLOSED, newestFirst, withIncident, withList } from "./incident-map";

function incident(id: string, updatedAt: string, state: Incident["state"] = "new"): Incident {
  return {
    id, camera_id: "c", camera_name: "C", kind: "fire", family: "fire", severity: "serious", zone: "z", label: "fire", state,
    started_at: updatedAt, raised_at: updatedAt, received_at: updatedAt, updated_at: updatedAt,
    acknowledged_by: null, acknowledged_at: null, closed_by: null, closed_at: null, verdict: null, note: "",
    event_count: 1, score: 0.9, box: [0, 0, 1, 1], snapshot_url: null, owner: null, owner_id: null, dispatched_at: null,
    arrived_at: null, dwell_seconds: null, category: "traffic", position: null, dispatches: [], granted_cameras: [],
  };
}

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

test("news older than what is known changes nothing", () => {
  const known = withIncident(new Map(), incident("a", at(5), "acknowledged"));
  expect(withIncident(known, incident("a", at(4)))).toBe(known);
  expect(withIncident(known, incident("a", at(6), "closed")).get("a")?.state).toBe("closed");
});

test("a list that was on its way does not undo newer news", () => {
  const known = withIncident(withIncident(new Map(), incident("a", at(9), "closed")), incident("b", at(9)));
  const merged = withList(known, [incident("a", at(5))], new Set(["b"]));
  expect(merged.get("a")?.state).toBe("closed");
  expect(merged.has("b")).toBe(true);
});

test("what the center no longer lists goes", () => {
  const known = withIncident(new Map(), incident("old", at(1)));
  expect(withList(known, [], new Set()).size).toBe(0);
});

test("open incidents are never dropped, closed ones are bounded", () => {
  let all = withIncident(new Map(), incident("open", at(0)));
  for (let i = 0; i < KEPT_CLOSED + 10; i++) all = withIncident(all, incident(`c${i}`, at(i + 1), "closed"));
  expect(all.size).toBe(KEPT_CLOSED + 1);
  expect(all.has("open")).toBe(true);
  expect(newestFirst(all)[0]?.id).toBe(`c${KEPT_CLOSED + 9}`);
});
