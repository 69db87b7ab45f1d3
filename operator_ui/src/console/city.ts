/** What the console knows of the city, kept true by the center's event stream. */

import { computed, signal } from "@preact/signals";
import { api, problemText, type Camera, type Incident, type Verdict } from "../api/client";
import { account } from "../session/session";

const KEPT_INCIDENTS = 200;
const KEPT_CLOSED = 50;

export const cameras = signal<Camera[] | null>(null);
export const incidents = signal<ReadonlyMap<string, Incident>>(new Map());
export const offline = signal(false);

const newestFirst = computed(() => [...incidents.value.values()].sort((a, b) => b.raised_at.localeCompare(a.raised_at)));
export const openIncidents = computed(() => newestFirst.value.filter((incident) => incident.state !== "closed"));
export const closedIncidents = computed(() => newestFirst.value.filter((incident) => incident.state === "closed"));

/** Load everything, then follow the event stream; returns how to stop. */
export function follow(): () => void {
  const source = new EventSource("/api/v1/live");
  source.onopen = () => {
    offline.value = false;
    void refresh();
  };
  source.onerror = () => {
    offline.value = true;
    // A refused stream (signed out elsewhere) is not retried by the browser: see who we are.
    if (source.readyState === EventSource.CLOSED) void checkSession();
  };
  const onIncident = (event: MessageEvent<string>): void => put(JSON.parse(event.data) as Incident);
  source.addEventListener("incident.created", onIncident);
  source.addEventListener("incident.updated", onIncident);
  source.addEventListener("camera.state", (event: MessageEvent<string>) => {
    const changed = JSON.parse(event.data) as Camera;
    cameras.value = (cameras.value ?? []).map((camera) => (camera.id === changed.id ? { ...camera, ...changed } : camera));
  });
  source.addEventListener("reload", () => void refresh());
  return () => source.close();
}

async function refresh(): Promise<void> {
  const inState = (state: Incident["state"], limit: number) =>
    api.GET("/api/v1/incidents", { params: { query: { state, limit } } });
  const [cameraAnswer, ...answers] = await Promise.all([
    api.GET("/api/v1/cameras"),
    inState("new", KEPT_INCIDENTS),
    inState("acknowledged", KEPT_INCIDENTS),
    inState("closed", KEPT_CLOSED),
  ]);
  if (cameraAnswer.data) cameras.value = cameraAnswer.data.cameras;
  if (answers.every((answer) => answer.data)) {
    const all = answers.flatMap((answer) => answer.data?.incidents ?? []);
    incidents.value = new Map(all.map((incident) => [incident.id, incident]));
  }
}

async function checkSession(): Promise<void> {
  const { response } = await api.GET("/api/v1/session");
  if (response.status === 401) account.value = null;
}

function put(incident: Incident): void {
  const next = new Map(incidents.value);
  next.set(incident.id, incident);
  for (const old of closedIncidents.value.slice(KEPT_CLOSED)) next.delete(old.id);
  incidents.value = next;
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
