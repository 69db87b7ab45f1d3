/** A walk from camera to camera: where it began, then ever farther out, each camera once before any comes again. */

import { metersFrom, nearestFirst, type Placed } from "../map/geo";

export interface Stop<T> {
  camera: T;
  /** Its place in the walk, 0 where it began. */
  index: number;
  count: number;
  /** Metres from where the walk began; null where one of the two has no position. */
  meters: number | null;
}

/**
 * The stop `steps` on from `currentId` (negative: back) in the walk that began at `originId`. After the farthest it
 * begins again; before the first there is nothing. Null there, and for unknown cameras.
 */
export function stopAt<T extends Placed>(cameras: readonly T[], originId: string, currentId: string, steps = 0): Stop<T> | null {
  const origin = cameras.find((camera) => camera.id === originId);
  if (!origin) return null;
  const others = cameras.filter((camera) => camera.id !== originId);
  const walk = [origin, ...nearestFirst(origin.position, others)];
  const from = walk.findIndex((camera) => camera.id === currentId);
  if (from < 0 || from + steps < 0) return null;
  const index = (from + steps) % walk.length;
  const camera = walk[index]!;
  return { camera, index, count: walk.length, meters: metersFrom(origin.position, camera.position) };
}
