/** The one live picture that is open, and the walk it belongs to. */

import { signal } from "@preact/signals";
import { cameras, openAlarms } from "../city/city";
import { stopAt } from "./walk";

/** How the person came to it, for the ledger. */
export type Way = "touch" | "map" | "alarm";

export interface Picture {
  cameraId: string;
  /** Where the walk began. */
  originId: string;
  way: Way;
  /** The newest open incident of the camera, under which the look is written down. */
  incidentId: string | null;
}

export const picture = signal<Picture | null>(null);
/** The category whose cameras stand out; null for all. */
export const category = signal<string | null>(null);

function incidentAt(cameraId: string): string | null {
  return openAlarms.value.find((incident) => incident.camera_id === cameraId)?.id ?? null;
}

export function openPicture(cameraId: string, way: Way): void {
  picture.value = { cameraId, originId: cameraId, way, incidentId: incidentAt(cameraId) };
}

/** To the next camera outward (1), or back (-1). */
export function walkOn(steps: 1 | -1): void {
  const now = picture.value;
  const stop = now && stopAt(cameras.value ?? [], now.originId, now.cameraId, steps);
  if (!now || !stop || stop.camera.id === now.cameraId) return;
  picture.value = { ...now, cameraId: stop.camera.id, incidentId: incidentAt(stop.camera.id) };
}

export function closePicture(): void {
  picture.value = null;
}
