/** Which cameras are near a point. Pure. */

import type { Camera, Position } from "../api/client";

export interface Near {
  camera: Camera;
  meters: number;
}

const METERS_A_DEGREE = 111_320;

/** Metres between two WGS 84 points, on the plane through them: right to a millionth within a city. */
export function metersBetween(a: Position, b: Position): number {
  const middle = (((a.latitude + b.latitude) / 2) * Math.PI) / 180;
  const north = (a.latitude - b.latitude) * METERS_A_DEGREE;
  const east = (a.longitude - b.longitude) * METERS_A_DEGREE * Math.cos(middle);
  return Math.hypot(north, east);
}

/** The `count` cameras nearest to `from`, itself and those without a position left out; none when it has no position. */
export function nearest(cameras: readonly Camera[], from: Camera, count: number): Near[] {
  const { position } = from;
  if (!position) return [];
  return cameras
    .flatMap((camera) =>
      camera.id !== from.id && camera.position ? [{ camera, meters: metersBetween(position, camera.position) }] : [],
    )
    .sort((a, b) => a.meters - b.meters)
    .slice(0, count);
}

/** `140 m`, `1.2 km`. */
export function distance(meters: number): string {
  return meters < 995 ? `${Math.max(10, Math.round(meters / 10) * 10)} m` : `${(meters / 1000).toFixed(1)} km`;
}
