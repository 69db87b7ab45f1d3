/** Layouts of the wall, and what stands on it. Pure. */

import type { Camera, Incident } from "../api/client";

export interface Layout {
  tiles: number;
  columns: number;
  rows: number;
}

const layout = (columns: number, rows: number): Layout => ({ tiles: columns * rows, columns, rows });

export const LAYOUTS: readonly Layout[] = [
  layout(1, 1), layout(2, 1), layout(2, 2), layout(3, 2), layout(3, 3), layout(4, 3), layout(4, 4),
];

/** The smallest layout that holds `count` cameras, else the largest. */
export function layoutFor(count: number): Layout {
  return LAYOUTS.find((each) => each.tiles >= count) ?? LAYOUTS.at(-1)!;
}

export function layoutOf(tiles: number | null, count: number): Layout {
  return LAYOUTS.find((each) => each.tiles === tiles) ?? layoutFor(count);
}

export function pageCount(count: number, { tiles }: Layout): number {
  return Math.max(1, Math.ceil(count / tiles));
}

export interface Placed {
  camera: Camera;
  /** Place on the wall, from 0. The list itself keeps the cameras' order: a tile that moves in the document would play anew. */
  place: number;
}

/**
 * The cameras on page `page`. With `calls` (new alarms, most urgent first), their cameras come forward to the first
 * page when the wall cannot show all cameras at once.
 */
export function placed(cameras: readonly Camera[], at: Layout, page: number, calls: readonly Incident[]): Placed[] {
  const called = cameras.length > at.tiles ? [...new Set(calls.map((incident) => incident.camera_id))] : [];
  const rank = new Map(called.map((id, index) => [id, index]));
  const indexed = cameras.map((camera, index) => ({ camera, index, key: rank.get(camera.id) ?? called.length + index }));
  const shown = [...indexed].sort((a, b) => a.key - b.key).slice(page * at.tiles, (page + 1) * at.tiles);
  return shown
    .map(({ camera, index }, place) => ({ camera, index, place }))
    .sort((a, b) => a.index - b.index)
    .map(({ camera, place }) => ({ camera, place }));
}
