/** What a page knows of the city, kept true by the center's event stream. */

import { computed, signal } from "@preact/signals";
import { api, type Camera, type Incident } from "../api/client";
import { checkSession, unreachable } from "../session/session";
import { newsArrived } from "./figures";
import { KEPT_CLOSED, newestFirst, withIncident, withList, type IncidentMap } from "./incident-map";

const MOST_OPEN = 500;
const REOPEN_MS = 2_000;
const RETRY_MS = 3_000;

/** Null until the center has told. */
export const cameras = signal<Camera[] | null>(null);
export const incidents = signal<IncidentMap>(new Map());
/** Whether the list of incidents was fetched once. */
export const incidentsKnown = signal(false);
/** Why the last fetch of cameras or incidents failed, as the center's error; null when it did not. */
export const cityError = signal<unknown>(null);

const streamDown = signal(false);
/** True while the center does not answer. */
export const offline = computed(() => streamDown.value || unreachable.value);

const sorted = computed(() => newestFirst(incidents.value));
export const openIncidents = computed(() => sorted.value.filter((incident) => incident.state !== "closed"));
/** Without the faults of cameras: what happens in the city. */
export const openAlarms = computed(() => openIncidents.value.filter((incident) => incident.family !== "fault"));
export const closedIncidents = computed(() => sorted.value.filter((incident) => incident.state === "closed"));

export function cameraOf(id: string): Camera | undefined {
  return cameras.value?.find((camera) => camera.id === id);
}

let followers = 0;
let stop: (() => void) | null = null;

/** Load everything, then follow the event stream; returns how to stop. Who follows second shares the first's stream. */
export function follow(): () => void {
  followers += 1;
  stop ??= listen();
  let isFollowing = true;
  return () => {
    if (!isFollowing) return;
    isFollowing = false;
    followers -= 1;
    if (followers > 0) return;
    stop?.();
    stop = null;
    cameras.value = null;
    incidents.value = new Map();
    incidentsKnown.value = false;
    cityError.value = null;
    streamDown.value = false;
  };
}

function listen(): () => void {
  let source = open();
  let timer = 0;
  function open(): EventSource {
    const opened = new EventSource("/api/v1/live");
    opened.onopen = () => {
      streamDown.value = false;
      void refresh();
    };
    opened.onerror = () => {
      streamDown.value = true;
      if (opened.readyState !== EventSource.CLOSED) return;
      // The browser does not try again after a refusal: see whether we are still signed in, then open anew.
      timer = window.setTimeout(() => {
        void checkSession();
        source = open();
      }, REOPEN_MS);
    };
    const onIncident = (event: MessageEvent<string>): void => {
      put(JSON.parse(event.data) as Incident);
      newsArrived();
    };
    opened.addEventListener("incident.created", onIncident);
    opened.addEventListener("incident.updated", onIncident);
    opened.addEventListener("camera.state", (event: MessageEvent<string>) => {
      const changed = JSON.parse(event.data) as Partial<Camera>;
      cameras.value = cameras.value?.map((camera) => (camera.id === changed.id ? { ...camera, ...changed } : camera)) ?? null;
    });
    opened.addEventListener("cameras.changed", () => void refreshCameras());
    opened.addEventListener("reload", () => void refresh());
    return opened;
  }
  return () => {
    window.clearTimeout(timer);
    window.clearTimeout(retryTimer);
    source.close();
  };
}

const arrivedDuringRefresh = new Set<string>();

let retryTimer = 0;

/** Fetch cameras and incidents anew; again after a while when the center could not give them. */
export async function refresh(): Promise<void> {
  window.clearTimeout(retryTimer);
  cityError.value = null;
  await Promise.all([refreshCameras(), refreshIncidents()]);
  if (cityError.value !== null && followers > 0) retryTimer = window.setTimeout(() => void refresh(), RETRY_MS);
}

async function refreshCameras(): Promise<void> {
  const { data, error } = await api.GET("/api/v1/cameras").catch((thrown: unknown) => ({ data: undefined, error: thrown }));
  if (data) cameras.value = data.cameras;
  else cityError.value = error;
}

async function refreshIncidents(): Promise<void> {
  arrivedDuringRefresh.clear();
  // Apart, so that a switch that takes hundreds of cameras along does not push a single alarm out of the list.
  const list = (query: { open: boolean; limit: number; faults?: boolean }) => api.GET("/api/v1/incidents", { params: { query } });
  try {
    const answers = await Promise.all([list({ open: true, limit: MOST_OPEN, faults: false }), list({ open: true, limit: MOST_OPEN, faults: true }), list({ open: false, limit: KEPT_CLOSED })]);
    const failed = answers.find((answer) => !answer.data);
    if (failed) {
      cityError.value = failed.error;
      return;
    }
    const all = answers.flatMap((answer) => answer.data?.incidents ?? []);
    incidents.value = withList(incidents.value, all, arrivedDuringRefresh);
    incidentsKnown.value = true;
  } catch (error) {
    cityError.value = error;
  }
}

/** Take over an incident as an answer of the center gave it. */
export function put(incident: Incident): void {
  arrivedDuringRefresh.add(incident.id);
  incidents.value = withIncident(incidents.value, incident);
}
