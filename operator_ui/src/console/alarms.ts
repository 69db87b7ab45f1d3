/** Which alarms the rail shows, and in which order. Pure. */

import type { Incident } from "../api/client";

export type Filter = "open" | "mine" | "closed";
export const FILTERS: readonly Filter[] = ["open", "mine", "closed"];

const SEVERITIES = ["attention", "caution", "alert", "serious"];

/** Those nobody has taken first; among them the most severe, then the newest. Faults of cameras stand below them all. */
export function urgentFirst(incidents: readonly Incident[]): Incident[] {
  const weight = (incident: Incident): number =>
    (isFault(incident) ? -20 : 0) + (incident.state === "new" ? 10 : 0) + SEVERITIES.indexOf(incident.severity);
  return [...incidents].sort((a, b) => weight(b) - weight(a) || b.raised_at.localeCompare(a.raised_at));
}

/** A matter of maintenance: told calmly, without a sound. */
export function isFault(incident: Incident): boolean {
  return incident.family === "fault";
}

export function isMine(incident: Incident, accountId: string): boolean {
  return incident.owner_id === accountId;
}

/** Age for a glance: seconds, then minutes, hours, days. */
export function ageOf(at: string, now: number): { count: number; unit: "s" | "min" | "h" | "d" } {
  const seconds = Math.max(0, Math.floor((now - Date.parse(at)) / 1000));
  if (seconds < 60) return { count: seconds, unit: "s" };
  if (seconds < 3600) return { count: Math.floor(seconds / 60), unit: "min" };
  if (seconds < 86_400) return { count: Math.floor(seconds / 3600), unit: "h" };
  return { count: Math.floor(seconds / 86_400), unit: "d" };
}
