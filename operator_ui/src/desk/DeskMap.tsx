import { useMemo } from "preact/hooks";
import type { Incident } from "../api/client";
import { cameras } from "../city/city";
import { CityMap } from "../map/CityMap";
import { pictureId } from "./desk";
import { say } from "./words";

/** Where it is, and the cameras that this desk sees because of it. */
export function DeskMap({ incident }: { incident: Incident }) {
  const granted = new Set(incident.granted_cameras);
  const known = (cameras.value ?? []).filter((camera) => granted.has(camera.id));
  const scene = useMemo(
    () => ({ id: incident.camera_id, name: incident.camera_name, state: "disabled", position: incident.position }),
    [incident.camera_id, incident.camera_name, incident.position],
  );
  // Where the incident was stays on the map when the grants have ended.
  const shown = known.some((camera) => camera.id === incident.camera_id) ? known : [...known, scene];
  return (
    <section class="desk-map" data-testid="desk-map">
      <h2>{say("map")}</h2>
      {incident.position ? (
        <CityMap
          cameras={shown}
          incidents={[incident]}
          place={incident.position}
          selected={pictureId.value ?? incident.camera_id}
          onPick={(id) => {
            if (granted.has(id)) pictureId.value = id;
          }}
        />
      ) : (
        <p>{say("no_place")}</p>
      )}
    </section>
  );
}
