/** Which cameras a list of states shows, and in what order. Pure. */

import type { Camera } from "../api/client";

export const FILTERS = ["trouble", "all", "live", "connecting", "stalled", "backing_off", "disabled", "blind", "not_recorded"] as const;
export type Filter = (typeof FILTERS)[number];

type Looked = Pick<Camera, "id" | "name" | "state" | "blind" | "recording" | "streams">;

const WORST_FIRST: readonly Camera["state"][] = ["backing_off", "stalled", "connecting", "live", "disabled"];

export function isInTrouble(camera: Looked): boolean {
  return camera.blind || camera.recording?.state === "failing" || (camera.state !== "live" && camera.state !== "disabled");
}

export function filtered<T extends Looked>(cameras: readonly T[], filter: Filter, text: string): T[] {
  const parts = text.toLowerCase().split(/\s+/);
  const fits = (camera: T): boolean => parts.every((part) => `${camera.id} ${camera.name}`.toLowerCase().includes(part)) && isMeant(camera, filter);
  return cameras.filter(fits).sort((one, other) => Number(isInTrouble(other)) - Number(isInTrouble(one)) || rank(one) - rank(other));
}

function isMeant(camera: Looked, filter: Filter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "trouble":
      return isInTrouble(camera);
    case "blind":
      return camera.blind;
    case "not_recorded":
      return camera.recording?.state === "failing";
    default:
      return camera.streams.some((stream) => stream.state === filter);
  }
}

function rank(camera: Looked): number {
  return WORST_FIRST.indexOf(camera.state);
}
