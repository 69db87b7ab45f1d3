/** A new dispatch is noticed: a tone, the page's title, and the incident itself when nothing else is open here. */

import { effect, signal, untracked } from "@preact/signals";
import { incidentsKnown } from "../city/city";
import { ring, wakeSound } from "../console/sound";
import { chosen, choose, openHere, waitingHere } from "./desk";

const STORED = "haechi.desk.sound";

export const sound = signal(localStorage.getItem(STORED) !== "off");

export function setSound(on: boolean): void {
  sound.value = on;
  localStorage.setItem(STORED, on ? "on" : "off");
  if (on) wakeSound();
}

/** Follow what arrives; returns how to stop. */
export function watchDispatches(): () => void {
  let known: Set<string> | null = null;
  const title = document.title;
  const stop = effect(() => {
    const waiting = waitingHere.value;
    document.title = waiting.length ? `(${waiting.length}) ${title}` : title;
    if (!incidentsKnown.value) return;
    const fresh = known ? waiting.filter((incident) => !known!.has(incident.id)) : [];
    known = new Set([...(known ?? []), ...waiting.map((incident) => incident.id)]);
    const first = fresh[0] ?? openHere.value[0];
    untracked(() => {
      if (fresh[0] && sound.value) ring(fresh[0].severity);
      const isFree = chosen.value === null || (fresh.length > 0 && chosen.value.state === "closed");
      if (first && isFree) choose(first.id);
    });
  });
  return () => {
    stop();
    document.title = title;
    choose(null);
  };
}
