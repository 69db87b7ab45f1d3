/** New alarms since the page was opened: they are marked for a while, and ring when sound is on. */

import { effect, signal, untracked } from "@preact/signals";
import type { Incident } from "../api/client";
import { incidents, incidentsKnown } from "../city/city";
import { isFault } from "./alarms";
import { preferences } from "./preferences";
import { ring } from "./sound";

/** Alarms that came while somebody watched, as against those found at the start. */
export const arrived = signal<ReadonlySet<string>>(new Set());
/** The last of them, for those who hear the page rather than see it. */
export const lastArrived = signal<Incident | null>(null);

/** Watch for arrivals; returns how to stop. */
export function watchArrivals(): () => void {
  let known: Set<string> | null = null;
  return effect(() => {
    const list = [...incidents.value.values()].filter((incident) => incident.state === "new");
    if (!incidentsKnown.value) return;
    const fresh = known ? list.filter((incident) => !known!.has(incident.id)) : [];
    known = new Set([...(known ?? []), ...list.map((incident) => incident.id)]);
    if (fresh.length === 0) return;
    untracked(() => {
      arrived.value = new Set([...arrived.value, ...fresh.map((incident) => incident.id)]);
      lastArrived.value = fresh.at(-1) ?? null;
      const loud = fresh.filter((incident) => !isFault(incident));
      if (loud.length === 0 || !preferences.value.sound) return;
      ring(loud.some((incident) => incident.severity === "serious") ? "serious" : loud[0]!.severity);
    });
  });
}
