/** What is recorded of a camera: the ranges of the chosen day, the days there are, the alarms beside them. */

import { computed, signal } from "@preact/signals";
import { api, type Incident } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { dayOf, type Span } from "./time";

const FOLLOW_MS = 10_000;
const MOST_ALARMS = 500;

export const cameraId = signal<string | null>(null);
/** A moment of the day that is shown. */
export const shownDay = signal(Date.now());
export const day = computed(() => dayOf(shownDay.value));
/** Null until the center has told. */
export const ranges = signal<Span[] | null>(null);
export const days = signal<string[]>([]);
export const earliest = signal<number | null>(null);
export const alarms = signal<Incident[]>([]);
export const problem = signal<Problem | null>(null);
/** Cameras that were removed, with recordings still there. */
export const removed = signal<{ id: string; name: string }[]>([]);

export async function loadRemoved(): Promise<void> {
  const { data } = await api.GET("/api/v1/removed-cameras").catch(() => ({ data: undefined }));
  if (data) removed.value = data.cameras;
}

let asked = 0;

/** Fetch the ranges of the day shown. */
export async function refresh(): Promise<void> {
  const id = cameraId.value;
  if (!id) return;
  asked += 1;
  const mine = asked;
  const query = { from: new Date(day.value.begin).toISOString(), to: new Date(day.value.end).toISOString() };
  const { data, error } = await api
    .GET("/api/v1/cameras/{camera_id}/recordings", { params: { path: { camera_id: id }, query } })
    .catch((thrown: unknown) => ({ data: undefined, error: thrown }));
  if (mine !== asked) return;
  if (!data) {
    problem.value = asProblem(error);
    return;
  }
  problem.value = null;
  // Rounded up: a millisecond holds less than the center tells, and nothing before it may be asked for.
  earliest.value = data.earliest ? Date.parse(data.earliest) + 1 : null;
  ranges.value = data.ranges.map(({ start, end }) => ({ begin: Date.parse(start), end: Date.parse(end) }));
}

async function refreshDays(id: string): Promise<void> {
  const { data } = await api
    .GET("/api/v1/cameras/{camera_id}/recordings/days", { params: { path: { camera_id: id } } })
    .catch(() => ({ data: undefined }));
  if (data && cameraId.value === id) days.value = data.days.map((one) => one.day);
}

async function refreshAlarms(id: string): Promise<void> {
  const { data } = await api
    .GET("/api/v1/incidents", { params: { query: { camera: id, limit: MOST_ALARMS } } })
    .catch(() => ({ data: undefined }));
  if (data && cameraId.value === id) alarms.value = data.incidents;
}

/** Show another camera; follows what is being recorded. Gives how to stop. */
export function followCamera(id: string): () => void {
  cameraId.value = id;
  ranges.value = null;
  problem.value = null;
  earliest.value = null;
  days.value = [];
  alarms.value = [];
  void refresh();
  void refreshDays(id);
  void refreshAlarms(id);
  const timer = setInterval(() => {
    if (problem.value || day.value.end > Date.now()) void refresh();
  }, FOLLOW_MS);
  return () => clearInterval(timer);
}

/** Show another day. */
export function showDay(at: number): void {
  if (at >= day.value.begin && at < day.value.end) return;
  shownDay.value = at;
  ranges.value = null;
  void refresh();
}
