/** The map drawn by MapLibre GL. Loaded lazily: nothing of it is on the way to a picture. */

import { Map as MapLibre, Marker, ScaleControl, setWorkerUrl, type GeoJSONSource, type MapMouseEvent, type PointLike } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import { boundsOf, gridOver } from "./geo";
import { CROWD, namesFromZoom, SPACE, STATE_COLOURS, styleOf } from "./style";
import type { MapPoint, MapView } from "./view";
import { say } from "./words";

// From our own origin: the center's policy lets no code in from elsewhere, and none made at run time.
setWorkerUrl(workerUrl);

const TOUCH_PIXELS = 24;
const MOST_ALARM_MARKERS = 60;
const EASE_MS = 350;
const SPACE_PIXELS = 20;
/** The grid reaches so many screens beyond the edge, so that it is there while the map is moved. */
const AROUND = 0.6;

export interface MapHandlers {
  onPick: (cameraId: string) => void;
  onPoint: (cameraId: string | null) => void;
  /** How many metres a square of the grid is; null without a grid. */
  onGrid: (meters: number | null) => void;
  onReady: () => void;
}

/** Raises what MapLibre raises when there is no WebGL 2. */
export class DrawnMap {
  readonly #map: MapLibre;
  readonly #handlers: MapHandlers;
  readonly #markers = new Map<string, Marker>();
  #view: MapView | null = null;
  #frame: string | null = null;
  #isCrowd = false;
  #over: string | null = null;
  #isMovedByHand = false;

  constructor(container: HTMLElement, size: number, handlers: MapHandlers) {
    this.#handlers = handlers;
    this.#map = new MapLibre({
      container,
      style: styleOf(size),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      doubleClickZoom: false,
      maxZoom: 18,
      minZoom: 4,
      renderWorldCopies: false,
      fadeDuration: 0,
      // On a telephone one finger scrolls the page past the map, two move the map.
      cooperativeGestures: isPhone(),
      locale: {
        "CooperativeGesturesHandler.MobileHelpText": say("two_fingers"),
        "CooperativeGesturesHandler.WindowsHelpText": say("ctrl_wheel"),
        "CooperativeGesturesHandler.MacHelpText": say("ctrl_wheel"),
      },
      center: [127.5, 36.5],
      zoom: 6,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.keyboard.disableRotation();
    this.#map.addControl(new ScaleControl({ unit: "metric", maxWidth: 90 * size }), "bottom-left");
    this.#map.on("load", () => {
      this.#map.addImage(SPACE, { width: SPACE_PIXELS, height: SPACE_PIXELS, data: new Uint8Array(4 * SPACE_PIXELS ** 2) });
      this.#draw();
      handlers.onReady();
    });
    this.#map.on("moveend", () => this.#drawGrid());
    this.#map.on("resize", () => this.#onResize());
    this.#map.on("movestart", (event) => {
      // Only a person's own hand comes with an event of the browser.
      if (event.originalEvent && event.originalEvent.type !== "resize") this.#isMovedByHand = true;
    });
    this.#map.on("click", (event) => this.#click(event));
    this.#map.on("mousemove", (event) => this.#hover(event));
  }

  show(view: MapView): void {
    this.#view = view;
    if (this.#map.isStyleLoaded() || this.#frame !== null) this.#draw();
  }

  destroy(): void {
    this.#map.remove();
  }

  #draw(): void {
    const view = this.#view;
    if (!view) return;
    const source = this.#map.getSource<GeoJSONSource>("points");
    // In a crowd what stands back would hide what stands out, in clusters most of all.
    const points = view.points.length > CROWD ? view.points.filter((point) => !point.isDim) : view.points;
    const isCrowd = points.length > CROWD;
    if (isCrowd !== this.#isCrowd || this.#frame === null) {
      this.#isCrowd = isCrowd;
      source?.setClusterOptions({ cluster: isCrowd });
      for (const layer of ["names", "name-spaces"]) this.#map.setLayerZoomRange(layer, namesFromZoom(isCrowd), 24);
    }
    source?.setData({ type: "FeatureCollection", features: points.map(featureOf) });
    this.#placeMarkers(view);
    if (view.frame !== this.#frame) this.#fit(view, this.#frame === null ? 0 : EASE_MS);
  }

  #onResize(): void {
    if (this.#view && this.#frame !== null && !this.#isMovedByHand) this.#fit(this.#view, 0);
    else this.#drawGrid();
  }

  #fit(view: MapView, duration: number): void {
    const corners = [...view.points.map((point) => point.position), ...(view.place ? [view.place] : [])];
    const bounds = boundsOf(corners);
    this.#frame = view.frame;
    this.#isMovedByHand = false;
    const { clientWidth, clientHeight } = this.#map.getContainer();
    // Room for the names beside the outermost points, and below them for the legend.
    const side = Math.max(Math.min(60, clientWidth / 4), Math.min(90, clientWidth / 6));
    const top = Math.min(64, clientHeight / 5);
    const padding = { left: side, right: side, top, bottom: 1.5 * top };
    if (bounds) this.#map.fitBounds(bounds, { padding, maxZoom: 15.5, duration });
    this.#drawGrid();
  }

  /** Alarms are elements, so that they can pulse, be focused, and stand above a cluster. */
  #placeMarkers(view: MapView): void {
    const wanted = new Map<string, () => Marker>();
    const alarmed = view.points.filter((point) => point.severity && !point.isDim);
    for (const point of alarmed.slice(0, MOST_ALARM_MARKERS)) {
      wanted.set(`${point.id} ${point.severity} ${point.name}`, () => this.#alarmMarker(point));
    }
    if (view.place) {
      const { longitude, latitude } = view.place;
      wanted.set(`place ${longitude} ${latitude}`, () => markerAt("map-place", [longitude, latitude]));
    }
    for (const [key, marker] of this.#markers) {
      if (wanted.has(key)) continue;
      marker.remove();
      this.#markers.delete(key);
    }
    for (const [key, make] of wanted) {
      if (!this.#markers.has(key)) this.#markers.set(key, make().addTo(this.#map));
    }
  }

  #alarmMarker(point: MapPoint): Marker {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset["camera"] = point.id;
    button.dataset["severity"] = point.severity ?? "";
    button.setAttribute("aria-label", point.name);
    button.title = point.name;
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#handlers.onPick(point.id);
    });
    return markerAt("map-alarm", [point.position.longitude, point.position.latitude], button);
  }

  #drawGrid(): void {
    const bounds = this.#map.getBounds();
    const [west, south, east, north] = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    const [across, up] = [(east - west) * AROUND, (north - south) * AROUND];
    const grid = gridOver([west - across, south - up, east + across, north + up]);
    const geometry = { type: "MultiLineString" as const, coordinates: grid?.lines ?? [] };
    this.#map.getSource<GeoJSONSource>("grid")?.setData({ type: "Feature", properties: {}, geometry });
    this.#handlers.onGrid(grid?.meters ?? null);
  }

  /** The camera or cluster nearest to a touch, within a finger's breadth. */
  #at(point: { x: number; y: number }) {
    const box: [PointLike, PointLike] = [
      [point.x - TOUCH_PIXELS, point.y - TOUCH_PIXELS],
      [point.x + TOUCH_PIXELS, point.y + TOUCH_PIXELS],
    ];
    const layers = ["points", "clusters"].filter((layer) => this.#map.getLayer(layer));
    return this.#map
      .queryRenderedFeatures(box, { layers })
      .flatMap((feature) => {
        if (feature.geometry.type !== "Point") return [];
        const [longitude, latitude] = feature.geometry.coordinates as [number, number];
        const drawn = this.#map.project([longitude, latitude]);
        const far = Math.hypot(drawn.x - point.x, drawn.y - point.y) + (feature.properties["isDim"] ? TOUCH_PIXELS : 0);
        return [{ properties: feature.properties, longitude, latitude, far }];
      })
      .sort((a, b) => a.far - b.far)[0];
  }

  #click(event: MapMouseEvent): void {
    const found = this.#at(event.point);
    if (!found) return;
    const cluster: unknown = found.properties["cluster_id"];
    if (typeof cluster !== "number") {
      this.#handlers.onPick(String(found.properties["id"]));
      return;
    }
    void this.#map
      .getSource<GeoJSONSource>("points")
      ?.getClusterExpansionZoom(cluster)
      .then((zoom) => this.#map.easeTo({ center: [found.longitude, found.latitude], zoom: zoom + 0.3, duration: EASE_MS }));
  }

  #hover(event: MapMouseEvent): void {
    if (this.#map.isMoving()) return;
    const found = this.#at(event.point);
    const canvas = this.#map.getCanvas();
    canvas.style.cursor = found ? "pointer" : "";
    const id: unknown = found?.properties["id"];
    const over = typeof id === "string" ? id : null;
    if (over === this.#over) return;
    this.#over = over;
    canvas.title = over ? String(found?.properties["name"]) : "";
    this.#handlers.onPoint(over);
  }
}

function isPhone(): boolean {
  return matchMedia("(max-width: 900px) and (pointer: coarse)").matches;
}

function featureOf({ id, name, state, position, severity, isSelected, isDim }: MapPoint) {
  const colour = STATE_COLOURS[state] ?? STATE_COLOURS["disabled"];
  return {
    type: "Feature" as const,
    geometry: { type: "Point" as const, coordinates: [position.longitude, position.latitude] },
    properties: { id, name, colour, isSelected, isDim, isAlarmed: severity !== null },
  };
}

function markerAt(name: string, place: [number, number], element: HTMLElement = document.createElement("span")): Marker {
  element.classList.add(name);
  return new Marker({ element }).setLngLat(place);
}
