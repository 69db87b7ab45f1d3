/** The steps that the center's staff take with an incident. Each gives what went wrong, or null. */

import { api, type Desk, type Incident, type Step, type Verdict } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { put } from "./city";

type Answer = Promise<{ data?: unknown; error?: unknown }>;

async function taken(answer: Answer): Promise<Problem | null> {
  try {
    const { data, error } = await answer;
    if (data) put(data as Incident);
    return data ? null : asProblem(error);
  } catch (error) {
    return asProblem(error);
  }
}

const at = (incident_id: string) => ({ path: { incident_id } });

export function acknowledge(id: string): Promise<Problem | null> {
  return taken(api.POST("/api/v1/incidents/{incident_id}/acknowledge", { params: at(id) }));
}

export function takeOver(id: string): Promise<Problem | null> {
  return taken(api.POST("/api/v1/incidents/{incident_id}/take-over", { params: at(id) }));
}

export function assign(id: string, accountId: string, note = ""): Promise<Problem | null> {
  return taken(api.POST("/api/v1/incidents/{incident_id}/assign", { params: at(id), body: { account_id: accountId, note } }));
}

export function dispatch(id: string, desks: Desk[], note: string): Promise<Problem | null> {
  return taken(api.POST("/api/v1/incidents/{incident_id}/dispatch", { params: at(id), body: { desks, note } }));
}

export function addNote(id: string, note: string): Promise<Problem | null> {
  return taken(api.POST("/api/v1/incidents/{incident_id}/notes", { params: at(id), body: { note } }));
}

export function close(id: string, verdict: Verdict, note = ""): Promise<Problem | null> {
  return taken(api.POST("/api/v1/incidents/{incident_id}/close", { params: at(id), body: { verdict, note } }));
}

/** What happened with it, oldest first. Throws the center's error. */
export async function stepsOf(id: string): Promise<Step[]> {
  const { data, error } = await api.GET("/api/v1/incidents/{incident_id}/steps", { params: at(id) });
  if (!data) throw error;
  return data.steps;
}
