/** Places on the ground: which is nearer, what they span, and a grid over them. WGS 84 in degrees, metres out. Pure. */

import type { Position } from "../api/client";
import { metersBetween } from "../city/nearest";

export interface Placed {
  id: string;
  name: string;
  position: Position | null;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Metres from `from`; null where either has no place. */
export function metersFrom(from: Position | null | undefined, to: Position | null | undefined): number | null {
  return from && to ? metersBetween(from, to) : null;
}

/** `Gate 9` before `Gate 10`. */
export function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name, undefined, { numeric: true });
}

/** Nearest first; what has no place comes last, by name. */
export function nearestFirst<T extends Placed>(from: Position | null | undefined, places: readonly T[]): T[] {
  return places
    .map((place) => ({ place, meters: metersFrom(from, place.position) ?? Infinity }))
    .sort((a, b) => (a.meters === b.meters ? byName(a.place, b.place) : a.meters - b.meters))
    .map(({ place }) => place);
}

/** West, south, east, north. */
export type Bounds = [number, number, number, number];

export function boundsOf(positions: readonly Position[]): Bounds | null {
  if (positions.length === 0) return null;
  const longitudes = positions.map((each) => each.longitude);
  const latitudes = positions.map((each) => each.latitude);
  return [Math.min(...longitudes), Math.min(...latitudes), Math.max(...longitudes), Math.max(...latitudes)];
}

const METERS_A_DEGREE = 111_320;
const STEPS = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
const MOST_LINES = 30;

/** A grid of whole steps on the ground over `bounds`: how many metres a square is, and its lines. */
export function gridOver([west, south, east, north]: Bounds): { meters: number; lines: [number, number][][] } | null {
  const middle = radians((south + north) / 2);
  const width = (east - west) * METERS_A_DEGREE * Math.cos(middle);
  const meters = STEPS.find((step) => width / step <= MOST_LINES);
  if (!meters) return null;
  // The width of a square follows the latitude of a whole square, so that lines stay put while the map is moved.
  const up = meters / METERS_A_DEGREE;
  const across = up / Math.cos(radians(Math.round((south + north) / 2)));
  const lines: [number, number][][] = [];
  for (let x = Math.ceil(west / across) * across; x <= east; x += across) lines.push([[x, south], [x, north]]);
  for (let y = Math.ceil(south / up) * up; y <= north; y += up) lines.push([[west, y], [east, y]]);
  return { meters, lines };
}
