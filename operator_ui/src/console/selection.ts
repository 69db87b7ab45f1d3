/** What the operator has large: a camera, and the incident that led there, if any; and the form that is open for it. */

import { computed, signal } from "@preact/signals";
import type { Verdict } from "../api/client";
import { incidents } from "../city/city";
import { forget } from "./refusals";

export interface Selection {
  cameraId: string;
  incidentId: string | null;
}

export type Form = { name: "dispatch" | "assign" } | { name: "close"; verdict: Verdict } | null;

export const selected = signal<Selection | null>(null);
export const form = signal<Form>(null);
/** Which overlay is open. */
export const overlay = signal<"search" | "help" | "cameras" | null>(null);

/** The incident of the selection, as it stands now. */
export const selectedIncident = computed(() => incidents.value.get(selected.value?.incidentId ?? "") ?? null);

const seen = signal<ReadonlySet<string>>(new Set());

/** Whether the operator has not looked at this alarm in this browser yet. */
export function isUnseen(incident: { id: string; state: string }): boolean {
  return incident.state === "new" && !seen.value.has(incident.id);
}

export function selectCamera(cameraId: string): void {
  form.value = null;
  selected.value = { cameraId, incidentId: null };
}

/** Look at another camera for the same incident. */
export function lookAlso(cameraId: string): void {
  selected.value = { cameraId, incidentId: selected.value?.incidentId ?? null };
}

export function selectIncident(incident: { id: string; camera_id: string }): void {
  if (selected.value?.incidentId !== incident.id) {
    form.value = null;
    forget(incident.id);
  }
  seen.value = new Set(seen.value).add(incident.id);
  selected.value = { cameraId: incident.camera_id, incidentId: incident.id };
}

export function clearSelection(): void {
  form.value = null;
  selected.value = null;
}

/** Escape: the form first, then the large picture. */
export function back(): void {
  if (form.value) form.value = null;
  else clearSelection();
}
