/** A line drawing for each of the nine categories, on a 32 by 32 ground. */

import type { ComponentChildren } from "preact";

export const CATEGORIES = [
  "road_crime_prevention",
  "traffic",
  "disaster",
  "school_zone",
  "neighbourhood_crime_prevention",
  "illegal_parking",
  "park_safety",
  "forest_fire_watch",
  "underpass",
] as const;

const DRAWINGS: Record<string, ComponentChildren> = {
  // A camera on its pole over a road.
  road_crime_prevention: (
    <>
      <path d="M8 28V5h5M13 3l10 3-1.5 5L12 8z" />
      <path d="M24 12.5l2.5 4M15 28l2-9M27 28l-2-9M21 19v3M21 25v3" />
    </>
  ),
  // Traffic lights.
  traffic: (
    <>
      <rect x="10" y="3" width="12" height="22" rx="4" />
      <circle cx="16" cy="8.5" r="2" />
      <circle cx="16" cy="14" r="2" />
      <circle cx="16" cy="19.5" r="2" />
      <path d="M16 25v4M10 8H6.5M10 14H6.5M22 8h3.5M22 14h3.5" />
    </>
  ),
  // A warning sign over water.
  disaster: (
    <>
      <path d="M16 3.5L27 21H5z" />
      <path d="M16 10v5M16 17.8v.2" />
      <path d="M4 26c2-1.6 4-1.6 6 0s4 1.6 6 0 4-1.6 6 0 4 1.6 6 0" />
    </>
  ),
  // Two children hand in hand.
  school_zone: (
    <>
      <circle cx="10" cy="8" r="3.2" />
      <circle cx="22" cy="8" r="3.2" />
      <path d="M10 12v9M22 12v9M10 21l-3 7M10 21l3 7M22 21l-3 7M22 21l3 7M10 14l6 4 6-4M10 14l-5 4M22 14l5 4" />
    </>
  ),
  // A house under an eye.
  neighbourhood_crime_prevention: (
    <>
      <path d="M5 16l11-9 11 9M8 14v14h16V14" />
      <path d="M11 21c2.7-3.4 7.3-3.4 10 0-2.7 3.4-7.3 3.4-10 0z" />
      <circle cx="16" cy="21" r="1" />
    </>
  ),
  // A car under a bar.
  illegal_parking: (
    <>
      <path d="M4 24v-5l3-1 3-5h12l3 5 3 1v5H4zM7 18h18" />
      <circle cx="10" cy="24.5" r="2.5" />
      <circle cx="22" cy="24.5" r="2.5" />
      <path d="M11 4l10 5M21 4l-10 5" />
    </>
  ),
  // A tree and a bench.
  park_safety: (
    <>
      <path d="M11 28V14M11 19l3.5-3" />
      <path d="M11 3.5c4 0 6.5 3 6.5 6.5s-2.5 6-6.5 6-6.5-2.5-6.5-6S7 3.5 11 3.500z" />
      <path d="M18 22h11M18 26h11M19.5 22v6M27.5 22v6M5 28h24" />
    </>
  ),
  // A flame before mountains.
  forest_fire_watch: (
    <>
      <path d="M3 27L11 12l4 7M29 27l-6-11-2 3" />
      <path d="M18 28c-3.6 0-5.5-2.2-5.5-5 0-3.5 3.5-4.5 3.5-9 3.5 1.5 7.5 5 7.5 9 0 2.8-2 5-5.5 5z" />
      <path d="M3 28h26" />
    </>
  ),
  // A road that dips under another; water stands in it.
  underpass: (
    <>
      <path d="M3 9h26M3 13h26" />
      <path d="M7 13v14h18V13" />
      <path d="M12 27v-5a4 4 0 018 0v5M7 24c1.5-1 3.5-1 5 0M20 24c1.5-1 3.5-1 5 0" />
    </>
  ),
};

export function CategoryIcon({ category }: { category: string }) {
  return (
    <svg class="category-icon" viewBox="0 0 32 32" aria-hidden="true">
      {DRAWINGS[category]}
    </svg>
  );
}
