/** What the map is to show, apart from how it is drawn. Pure. */

import type { Position, Severity } from "../api/client";
import { metersBetween } from "../city/nearest";

const SAME_PLACE_METERS = 5;

export interface MapCamera {
  id: string;
  name: string;
  state: string;
  position: Position | null;
}

export interface MapIncident {
  camera_id: string;
  severity: Severity;
  state: string;
}

export interface MapPoint {
  id: string;
  name: string;
  state: string;
  position: Position;
  severity: Severity | null;
  isSelected: boolean;
  isDim: boolean;
}

export interface MapView {
  points: MapPoint[];
  /** Where something happened, apart from the cameras. */
  place: Position | null;
  /** The map is fitted to its points anew when this changes. */
  frame: string;
}

const RANK: Record<Severity, number> = { attention: 0, caution: 1, alert: 2, serious: 3 };

/** The worst open alarm of each camera. */
export function worstByCamera(incidents: readonly MapIncident[]): Map<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const { camera_id, severity, state } of incidents) {
    const known = worst.get(camera_id);
    if (state !== "closed" && (!known || RANK[severity] > RANK[known])) worst.set(camera_id, severity);
  }
  return worst;
}

export interface Shown {
  cameras: readonly MapCamera[];
  incidents?: readonly MapIncident[];
  selected?: string | null;
  /** Only these stand out; all do when it is not given. */
  highlighted?: ReadonlySet<string> | null;
  place?: Position | null;
}

export function viewOf({ cameras, incidents = [], selected = null, highlighted = null, place = null }: Shown): MapView {
  const worst = worstByCamera(incidents);
  const points = cameras.flatMap(({ id, name, state, position }) =>
    position
      ? [{ id, name, state, position, severity: worst.get(id) ?? null, isSelected: id === selected, isDim: highlighted !== null && !highlighted.has(id) }]
      : [],
  );
  const corners = [...points.map(({ position }) => position), ...(place ? [place] : [])];
  // An alarm's ring marks its own place; a second mark there would only hide the camera.
  const isRinged = points.some((point) => point.severity && place && metersBetween(point.position, place) < SAME_PLACE_METERS);
  const frame = corners.map(({ longitude, latitude }) => `${longitude},${latitude}`).sort().join(";");
  return { points, place: isRinged ? null : place, frame };
}
