import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { DrawnMap, MapHandlers } from "./gl";
import { MapLegend } from "./MapLegend";
import { MapList } from "./MapList";
import { viewOf, type Shown } from "./view";
import { say } from "./words";
import "./map.css";

interface CityMapProps extends Shown {
  onPick: (cameraId: string) => void;
  /** The camera under the pointer, null when there is none. */
  onPoint?: (cameraId: string | null) => void;
  /** How large points and names are; 1 for a desk. */
  size?: number;
}

type State = "loading" | "ready" | "no_webgl" | "failed";

/** Camera points on a plain ground with a grid of true distances; a list where there is no WebGL. */
export function CityMap({ onPick, onPoint, size = 1, ...shown }: CityMapProps) {
  const state = useSignal<State>("loading");
  const over = useSignal<string | null>(null);
  const grid = useSignal<number | null>(null);
  const container = useRef<HTMLDivElement>(null);
  const drawn = useRef<DrawnMap | null>(null);
  const view = viewOf(shown);
  const latest = useRef({ onPick, onPoint, view });
  latest.current = { onPick, onPoint, view };

  useEffect(() => {
    const room = container.current;
    if (!room) return;
    let isGone = false;
    const handlers: MapHandlers = {
      onPick: (id) => latest.current.onPick(id),
      onPoint: (id) => {
        over.value = id;
        latest.current.onPoint?.(id);
      },
      onGrid: (meters) => (grid.value = meters),
      onReady: () => (state.value = "ready"),
    };
    const open = async (): Promise<void> => {
      if (!hasWebgl()) throw new NoWebgl();
      const { DrawnMap } = await import("./gl");
      if (isGone) return;
      drawn.current = new DrawnMap(room, size, handlers);
      drawn.current.show(latest.current.view);
    };
    open().catch((error: unknown) => (state.value = error instanceof NoWebgl ? "no_webgl" : "failed"));
    return () => {
      isGone = true;
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, [size]);
  useEffect(() => drawn.current?.show(view));

  const isList = state.value === "no_webgl" || state.value === "failed";
  return (
    <section class="city-map" data-testid="map" data-map={isList ? "list" : state.value} data-over={over.value} aria-label={say("map")}>
      {isList ? (
        <MapList why={say(state.value === "failed" ? "failed" : "no_webgl")} shown={shown} onPick={onPick} />
      ) : (
        <>
          <div class="map-room" ref={container} />
          {state.value === "loading" && <p class="map-note">{say("loading")}</p>}
          {state.value === "ready" && view.points.length === 0 && (
            <p class="map-note">{say(shown.cameras.length ? "no_places" : "no_cameras")}</p>
          )}
          <MapLegend grid={grid.value} without={shown.cameras.length - view.points.length} hasPlace={view.place !== null} />
        </>
      )}
    </section>
  );
}

class NoWebgl extends Error {}

let webgl: boolean | undefined;

function hasWebgl(): boolean {
  if (webgl !== undefined) return webgl;
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  webgl = context !== null;
  return webgl;
}
