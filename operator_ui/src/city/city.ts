/** What the console knows of the city, kept true by the center's event stream. */

import { computed, signal } from "@preact/signals";
import { api, problemText, type Camera, type Incident, type Verdict } from "../api/client";
import { account } from "../session/session";
import { KEPT_CLOSED, newestFirst, withIncident, withList, type IncidentMap } from "./incident-map";

const MOST_OPEN = 200;

export const cameras = signal<Camera[] | null>(null);
export const incidents = signal<IncidentMap>(new Map());
export const offline = signal(false);

const sorted = computed(() => newestFirst(incidents.value));
export const openIncidents = computed(() => sorted.value.filter((incident) => incident.state !== "closed"));
export const closedIncidents = computed(() => sorted.value.filter((incident) => incident.state === "closed"));

const REOPEN_MS = 2_000;

/** Load everything, then follow the event stream; returns how to stop. */
export function follow(): () => void {
  let source = open();
  let timer = 0;
  function open(): EventSource {
    const opened = new EventSource("/api/v1/live");
    opened.onopen = () => {
      offline.value = false;
      void refresh();
    };
    opened.onerror = () => {
      offline.value = true;
      if (opened.readyState !== EventSource.CLOSED) return;
      // The browser does not try again after a refusal: see whether we are still signed in, then open anew.
      timer = window.setTimeout(() => {
        void checkSession();
        source = open();
      }, REOPEN_MS);
    };
    const onIncident = (event: MessageEvent<string>): void => put(JSON.parse(event.data) as Incident);
    opened.addEventListener("incident.created", onIncident);
    opened.addEventListener("incident.updated", onIncident);
    opened.addEventListener("camera.state", (event: MessageEvent<string>) => {
      const changed = JSON.parse(event.data) as Partial<Camera>;
      cameras.value = (cameras.value ?? []).map((camera) => (camera.id === changed.id ? { ...camera, ...changed } : camera));
    });
    opened.addEventListener("reload", () => void refresh());
    return opened;
  }
  return () => {
    window.clearTimeout(timer);
    source.close();
  };
}

const arrivedDuringRefresh = new Set<string>();

async function refresh(): Promise<void> {
  arrivedDuringRefresh.clear();
  const inState = (state: Incident["state"], limit: number) =>
    api.GET("/api/v1/incidents", { params: { query: { state, limit } } });
  const [cameraAnswer, ...answers] = await Promise.all([
    api.GET("/api/v1/cameras"),
    inState("new", MOST_OPEN),
    inState("acknowledged", MOST_OPEN),
    inState("closed", KEPT_CLOSED),
  ]);
  if (cameraAnswer.data) cameras.value = cameraAnswer.data.cameras;
  if (answers.every((answer) => answer.data)) {
    const list = answers.flatMap((answer) => answer.data?.incidents ?? []);
    incidents.value = withList(incidents.value, list, arrivedDuringRefresh);
  }
}

async function checkSession(): Promise<void> {
  const answer = await api.GET("/api/v1/session").catch(() => null);
  if (answer?.response.status === 401) account.value = null;
}

function put(incident: Incident): void {
  arrivedDuringRefresh.add(incident.id);
  incidents.value = withIncident(incidents.value, incident);
}

/** Acknowledges; returns what went wrong, or null. */
export async function acknowledge(id: string): Promise<string | null> {
  const { data, error } = await api.POST("/api/v1/incidents/{incident_id}/acknowledge", {
    params: { path: { incident_id: id } },
  });
  if (data) put(data);
  return data ? null : problemText(error);
}

/** Closes with a verdict; returns what went wrong, or null. */
export async function close(id: string, verdict: Verdict): Promise<string | null> {
  const { data, error } = await api.POST("/api/v1/incidents/{incident_id}/close", {
    params: { path: { incident_id: id } },
    body: { verdict, note: "" },
  });
  if (data) put(data);
  return data ? null : problemText(error);
}
