import { distance } from "../city/nearest";
import { say } from "./words";

interface MapLegendProps {
  grid: number | null;
  /** Cameras that have no position. */
  without: number;
  hasPlace: boolean;
}

export function MapLegend({ grid, without, hasPlace }: MapLegendProps) {
  return (
    <ul class="map-legend">
      {hasPlace && <li data-mark="place">{say("place")}</li>}
      <li data-mark="live">{say("live")}</li>
      <li data-mark="not-live">{say("not_live")}</li>
      <li data-mark="alarm">{say("alarm")}</li>
      {grid !== null && (
        <li data-mark="grid">
          {say("grid")} {grid < 1_000 ? distance(grid) : `${grid / 1_000} km`}
        </li>
      )}
      {without > 0 && (
        <li>
          {say("without_place")} {without}
        </li>
      )}
    </ul>
  );
}
