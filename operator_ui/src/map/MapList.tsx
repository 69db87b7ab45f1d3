import { wordFor } from "../words";
import { distance } from "../city/nearest";
import { metersFrom, nearestFirst } from "./geo";
import { worstByCamera, type Shown } from "./view";
import { say } from "./words";

interface MapListProps {
  why: string;
  shown: Shown;
  onPick: (cameraId: string) => void;
}

/** The same cameras without a map: nearest to the place first, each as large as a finger. */
export function MapList({ why, shown, onPick }: MapListProps) {
  const { cameras, incidents = [], selected, highlighted, place } = shown;
  const worst = worstByCamera(incidents);
  const listed = nearestFirst(place, highlighted ? cameras.filter((camera) => highlighted.has(camera.id)) : [...cameras]);
  return (
    <div class="map-list">
      <p>{why}</p>
      {listed.length === 0 && <p>{say("no_cameras")}</p>}
      <ul>
        {listed.map((camera) => {
          const meters = metersFrom(place, camera.position);
          return (
            <li key={camera.id}>
              <button
                type="button"
                data-camera={camera.id}
                data-state={camera.state}
                data-severity={worst.get(camera.id)}
                aria-pressed={camera.id === selected}
                onClick={() => onPick(camera.id)}
              >
                <span>{camera.name}</span>
                <small>{meters === null ? wordFor("camera", camera.state) : distance(meters)}</small>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
