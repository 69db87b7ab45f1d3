/** Addresses of moments to look back at. */

import type { Incident } from "../api/client";

const BEFORE_ALARM_MS = 10_000;

/** A camera's recordings; of an alarm, from ten seconds before it began. */
export function playbackOf(cameraId: string, incident: Pick<Incident, "id" | "started_at"> | null): string {
  const query = new URLSearchParams({ camera: cameraId });
  if (incident) {
    query.set("at", new Date(Date.parse(incident.started_at) - BEFORE_ALARM_MS).toISOString());
    query.set("incident", incident.id);
  }
  return `/playback?${query.toString()}`;
}
