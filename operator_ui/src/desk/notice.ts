/** A new dispatch is noticed: a tone, the page's title, and the incident itself when nothing else is open here. */

import { effect, signal, untracked } from "@preact/signals";
import { incidentsKnown } from "../city/city";
import { ring, wakeSound } from "../console/sound";
import { chosen, choose, openHere, waitingHere } from "./desk";

const STORED = "haechi.desk.sound";

export const sound = signal(localStorage.getItem(STORED) !== "off");

/** Whether the browser keeps quiet until somebody touches the page, as after a reload. */
export const isMuted = signal(!navigator.userActivation?.hasBeenActive);

/** The first touch on it while the browser keeps quiet only ends that. */
export function toggleSound(): void {
  if (sound.value && isMuted.value) return;
  sound.value = !sound.value;
  localStorage.setItem(STORED, sound.value ? "on" : "off");
  if (sound.value) wakeSound();
}

function onTouch(): void {
  if (!isMuted.value) return;
  isMuted.value = false;
  if (sound.value) wakeSound();
}

/** Follow what arrives; returns how to stop. */
export function watchDispatches(): () => void {
  let known: Set<string> | null = null;
  const title = document.title;
  addEventListener("click", onTouch);
  addEventListener("keyup", onTouch);
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
    removeEventListener("click", onTouch);
    removeEventListener("keyup", onTouch);
    document.title = title;
    choose(null);
  };
}
