/** What this desk has: the incidents dispatched to it, the one that is chosen, and its answers. */

import { computed, signal } from "@preact/signals";
import { api, type Desk, type Dispatch, type Incident, type Severity } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { closedIncidents, incidents, openIncidents, put } from "../city/city";
import { account } from "../session/session";

export const myDesk = computed<Desk | null>(() => account.value?.desk ?? null);

/** The dispatch of `incident` to this desk. */
export function ours(incident: Incident): Dispatch | undefined {
  return incident.dispatches.find((dispatch) => dispatch.desk === myDesk.value);
}

export function isWaiting(incident: Incident): boolean {
  return incident.state !== "closed" && ours(incident)?.received_at === null;
}

function dispatchedAt(incident: Incident): string {
  return ours(incident)?.dispatched_at ?? incident.raised_at;
}

const RANK: readonly Severity[] = ["attention", "caution", "alert", "serious"];

/** Not yet received first, the worst of them before the others; then the latest dispatched. */
export const openHere = computed(() =>
  [...openIncidents.value].sort(
    (a, b) =>
      Number(isWaiting(b)) - Number(isWaiting(a)) ||
      (isWaiting(a) ? RANK.indexOf(b.severity) - RANK.indexOf(a.severity) : 0) ||
      dispatchedAt(b).localeCompare(dispatchedAt(a)),
  ),
);
export const closedHere = closedIncidents;
export const waitingHere = computed(() => openHere.value.filter(isWaiting));

export const chosenId = signal<string | null>(null);
export const chosen = computed(() => incidents.value.get(chosenId.value ?? "") ?? null);
/** The granted camera that is large; null for the incident's own. */
export const pictureId = signal<string | null>(null);

export function choose(id: string | null): void {
  if (id === chosenId.value) return;
  chosenId.value = id;
  pictureId.value = null;
}

export type Answer = "receive" | "arrive" | "outcome";

/** When and by whom an answer was given; null while it was not. */
export function given(dispatch: Dispatch, answer: Answer): { at: string; by: string | null; note: string } | null {
  const [at, by, note] =
    answer === "receive"
      ? [dispatch.received_at, dispatch.received_by, dispatch.received_note]
      : answer === "arrive"
        ? [dispatch.arrived_at, dispatch.arrived_by, dispatch.arrived_note]
        : [dispatch.outcome_at, dispatch.outcome_by, dispatch.outcome];
  return at ? { at, by, note } : null;
}

/** Arrival and outcome follow on receipt; an outcome may come without an arrival (settled by telephone). */
export function mayAnswer(dispatch: Dispatch, answer: Answer): boolean {
  if (given(dispatch, answer)) return false;
  if (answer === "arrive" && given(dispatch, "outcome")) return false;
  return answer === "receive" || dispatch.received_at !== null;
}

/** Send an answer; gives what went wrong, or null. */
export async function send(incidentId: string, answer: Answer, text: string): Promise<Problem | null> {
  const params = { path: { incident_id: incidentId } };
  const request =
    answer === "outcome"
      ? api.POST("/api/v1/incidents/{incident_id}/outcome", { params, body: { outcome: text } })
      : api.POST(`/api/v1/incidents/{incident_id}/${answer}`, { params, body: { note: text } });
  try {
    const { data, error } = await request;
    if (data) put(data);
    return data ? null : asProblem(error);
  } catch (error) {
    return asProblem(error);
  }
}
