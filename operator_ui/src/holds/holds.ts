/** Holds on recordings: what is kept from being deleted, of a camera, of an incident, or all. */

import { api, type Hold } from "../api/client";
import { asProblem, type Problem } from "../api/problem";

export interface Held {
  holds: Hold[];
  /** Cameras whose holds cannot be read. */
  faults: string[];
}

export interface About {
  camera?: string;
  incident?: string;
}

export const DAYS = [30, 90, 180, 365] as const;
const DAY_MS = 86_400_000;

/** Throws the center's error. */
export async function holdsOf(about: About): Promise<Held> {
  const { data, error } = await api.GET("/api/v1/holds", { params: { query: about } });
  if (!data) throw error;
  return data;
}

export function holdRange(camera_id: string, span: { begin: number; end: number }, reason: string, days: number, incident: string | null): Promise<Problem | null> {
  const [since, until] = [new Date(span.begin).toISOString(), new Date(span.end).toISOString()];
  return told(api.POST("/api/v1/holds", { body: { camera_id, since, until, reason, expires_at: end(days), incident_id: incident } }));
}

export function holdIncident(incident_id: string, reason: string, days: number): Promise<Problem | null> {
  return told(api.POST("/api/v1/incidents/{incident_id}/hold", { params: { path: { incident_id } }, body: { reason, expires_at: end(days) } }));
}

export function release(hold_id: string, reason: string): Promise<Problem | null> {
  return told(api.POST("/api/v1/holds/{hold_id}/release", { params: { path: { hold_id } }, body: { reason } }));
}

function end(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString();
}

async function told(answer: Promise<{ error?: unknown; response: Response }>): Promise<Problem | null> {
  try {
    const { error, response } = await answer;
    return response.ok ? null : asProblem(error);
  } catch (error) {
    return asProblem(error);
  }
}
