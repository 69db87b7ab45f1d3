/** What the operator has large: a camera, and the incident that led there, if any. */

import { signal } from "@preact/signals";

export interface Selection {
  cameraId: string;
  incidentId: string | null;
}

export const selected = signal<Selection | null>(null);

export function selectCamera(cameraId: string): void {
  selected.value = { cameraId, incidentId: null };
}

export function selectIncident(incident: { id: string; camera_id: string }): void {
  selected.value = { cameraId: incident.camera_id, incidentId: incident.id };
}

export function clearSelection(): void {
  selected.value = null;
}
