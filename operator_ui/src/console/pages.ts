/** The wall's page, and what stands on it. */

import { computed, signal } from "@preact/signals";
import { cameras, openAlarms } from "../city/city";
import { urgentFirst } from "./alarms";
import { layoutOf, pageCount, placed } from "./layout";
import { preferences } from "./preferences";
import { selected } from "./selection";

const wanted = signal(0);

export const layout = computed(() => layoutOf(preferences.value.tiles, cameras.value?.length ?? 0));
export const pages = computed(() => pageCount(cameras.value?.length ?? 0, layout.value));
export const page = computed(() => Math.min(wanted.value, pages.value - 1));

const calls = computed(() => urgentFirst(openAlarms.value.filter((incident) => incident.state === "new")));

export const onTheWall = computed(() =>
  placed(cameras.value ?? [], layout.value, page.value, preferences.value.comesForward ? calls.value : []),
);

/** Gives whether there was a page to turn. */
export function turnPage(by: 1 | -1): boolean {
  if (selected.value || pages.value < 2) return false;
  wanted.value = (page.value + by + pages.value) % pages.value;
  return true;
}
