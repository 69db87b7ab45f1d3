/** The figures of the day, for pages that show them. */

import { signal } from "@preact/signals";
import { api, type Figures } from "../api/client";

const EVERY_MS = 30_000;
const AFTER_NEWS_MS = 1_000;

/** Null until the center has told. */
export const figures = signal<Figures | null>(null);

let followers = 0;
let timer = 0;

/** Fetch them now, every 30 s, and a second after news of an incident; returns how to stop. */
export function followFigures(): () => void {
  followers += 1;
  if (followers === 1) void fetchFigures();
  return () => {
    followers -= 1;
    if (followers === 0) window.clearTimeout(timer);
  };
}

/** An incident changed: the figures did too. */
export function newsArrived(): void {
  if (followers > 0) fetchIn(AFTER_NEWS_MS);
}

function fetchIn(pauseMs: number): void {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void fetchFigures(), pauseMs);
}

async function fetchFigures(): Promise<void> {
  const { data } = await api.GET("/api/v1/figures/today").catch(() => ({ data: undefined }));
  if (data) figures.value = data;
  if (followers > 0) fetchIn(EVERY_MS);
}
