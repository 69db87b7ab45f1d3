/** The incidents a console keeps: every open one, and the newest closed ones. Pure. */

import type { Incident } from "../api/client";

export type IncidentMap = ReadonlyMap<string, Incident>;

export const KEPT_CLOSED = 50;

export function newestFirst(incidents: IncidentMap): Incident[] {
  return [...incidents.values()].sort((a, b) => b.raised_at.localeCompare(a.raised_at));
}

/** With `incident` put in, unless what is there is newer; the oldest closed ones over the bound are left out. */
export function withIncident(incidents: IncidentMap, incident: Incident): IncidentMap {
  const known = incidents.get(incident.id);
  if (known && known.updated_at > incident.updated_at) return incidents;
  const next = new Map(incidents).set(incident.id, incident);
  const closed = newestFirst(next).filter((each) => each.state === "closed");
  for (const old of closed.slice(KEPT_CLOSED)) next.delete(old.id);
  return next;
}

/** A fresh list from the center; what `arrived` by the event stream while it was on its way stays if newer. */
export function withList(incidents: IncidentMap, list: Incident[], arrived: ReadonlySet<string>): IncidentMap {
  const next = new Map(list.map((incident) => [incident.id, incident]));
  for (const known of incidents.values()) {
    const fetched = next.get(known.id);
    if (fetched ? known.updated_at > fetched.updated_at : arrived.has(known.id)) next.set(known.id, known);
  }
  return next;
}
