/** What an operator has chosen, kept in this browser for each account. */

import { computed, signal } from "@preact/signals";
import { account } from "../session/session";

export interface Preferences {
  /** Tiles of the wall; null: as many as the cameras need. */
  tiles: number | null;
  /** Cameras with new alarms come forward. */
  comesForward: boolean;
  sound: boolean;
}

const DEFAULTS: Preferences = { tiles: null, comesForward: true, sound: false };

const key = computed(() => `haechi.console.${account.value?.account_id ?? account.value?.name ?? ""}`);
const written = signal(0);

/** The signed-in person's choices. */
export const preferences = computed<Preferences>(() => {
  void written.value;
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(key.value) ?? "{}") as Partial<Preferences>) };
  } catch {
    return DEFAULTS;
  }
});

export function prefer(chosen: Partial<Preferences>): void {
  localStorage.setItem(key.value, JSON.stringify({ ...preferences.value, ...chosen }));
  written.value += 1;
}
