/** How the map looks. No tile and no glyph comes over the network: MapLibre draws text with the machine's own fonts. */

import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";

export const STATE_COLOURS: Record<string, string> = {
  live: "#6cc28a",
  connecting: "#f2b84b",
  backing_off: "#f2b84b",
  stalled: "#f08a3c",
  disabled: "#5b6b77",
};

/** Over so many points they are gathered into clusters, and names wait for a closer look. */
export const CROWD = 150;
const CROWD_NAMES_FROM_ZOOM = 13.5;
const FONTS = ["Noto Sans KR", "Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic", "sans-serif"];
/** An image of nothing, as large as a point. */
export const SPACE = "space";
const NOTHING = { type: "FeatureCollection" as const, features: [] };

const isCluster: ExpressionSpecification = ["has", "point_count"];
const isPoint: ExpressionSpecification = ["!", isCluster];
const unlessDim = (opacity: number): ExpressionSpecification => ["case", ["get", "isDim"], opacity * 0.22, opacity];

function byZoom(size: number, far: number, near: number): ExpressionSpecification {
  return ["interpolate", ["linear"], ["zoom"], 9, far * size, 16, near * size];
}

/** `size` 1 for a desk, more for a screen that is touched and seen from afar. */
export function styleOf(size: number): StyleSpecification {
  return {
    version: 8,
    sources: {
      grid: { type: "geojson", data: NOTHING },
      points: {
        type: "geojson",
        data: NOTHING,
        clusterRadius: Math.round(38 * size),
        clusterMaxZoom: 14,
        clusterProperties: { alarms: ["+", ["case", ["get", "isAlarmed"], 1, 0]] },
      },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": "#0d151d" } },
      { id: "grid", type: "line", source: "grid", paint: { "line-color": "#1b2934", "line-width": 1 } },
      ...clusterLayers(size),
      ...pointLayers(size),
    ],
  };
}

function clusterLayers(size: number): LayerSpecification[] {
  return [
    {
      id: "clusters",
      type: "circle",
      source: "points",
      filter: isCluster,
      paint: {
        "circle-color": ["case", [">", ["get", "alarms"], 0], "#5a3a1d", "#1f3a42"],
        "circle-stroke-color": ["case", [">", ["get", "alarms"], 0], "#f08a3c", "#4fb3a5"],
        "circle-stroke-width": 1.5,
        "circle-radius": ["step", ["get", "point_count"], 14 * size, 20, 18 * size, 100, 23 * size],
      },
    },
    {
      id: "cluster-counts",
      type: "symbol",
      source: "points",
      filter: isCluster,
      layout: { "text-field": ["get", "point_count"], "text-font": FONTS, "text-size": 13 * size, "text-allow-overlap": true },
      paint: { "text-color": "#e6eef2" },
    },
  ];
}

function pointLayers(size: number): LayerSpecification[] {
  return [
    {
      id: "selected",
      type: "circle",
      source: "points",
      filter: ["all", isPoint, ["get", "isSelected"]],
      paint: { "circle-color": "#4fb3a5", "circle-opacity": 0.35, "circle-radius": byZoom(size, 13, 19) },
    },
    {
      id: "points",
      type: "circle",
      source: "points",
      filter: isPoint,
      paint: {
        "circle-color": ["get", "colour"],
        "circle-opacity": unlessDim(1),
        "circle-radius": byZoom(size, 5.5, 9),
        "circle-stroke-color": ["case", ["get", "isSelected"], "#ffffff", "#0b1117"],
        "circle-stroke-opacity": unlessDim(1),
        "circle-stroke-width": 2,
      },
    },
    {
      id: "names",
      type: "symbol",
      source: "points",
      filter: isPoint,
      layout: {
        "text-field": ["case", ["get", "isDim"], "", ["get", "name"]],
        "text-font": FONTS,
        "text-size": 12.5 * size,
        "text-variable-anchor": ["top", "bottom", "left", "right"],
        "text-radial-offset": 1.15,
        "text-justify": "auto",
        "text-max-width": 11,
        "text-padding": 4,
        "symbol-sort-key": ["case", ["get", "isSelected"], 0, ["get", "isAlarmed"], 1, 2],
      },
      paint: { "text-color": "#c9d6de", "text-halo-color": "#0d151d", "text-halo-width": 1.6 },
    },
    {
      // Placed before the names, it keeps them off the points, which as circles take no part in that.
      id: "name-spaces",
      type: "symbol",
      source: "points",
      filter: isPoint,
      layout: { "icon-image": SPACE, "icon-size": size, "icon-allow-overlap": true, "icon-padding": 0 },
    },
  ];
}

export function namesFromZoom(isCrowd: boolean): number {
  return isCrowd ? CROWD_NAMES_FROM_ZOOM : 0;
}
