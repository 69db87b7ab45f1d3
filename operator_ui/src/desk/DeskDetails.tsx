import { useMemo } from "preact/hooks";
import type { Incident } from "../api/client";
import { cameras } from "../city/city";
import { CityMap } from "../map/CityMap";
import { clock, wordFor } from "../words";
import { DeskAnswers } from "./DeskAnswers";
import { DeskReason } from "./DeskReason";
import { myDesk, ours, pictureId } from "./desk";
import { say } from "./words";

/** Beside the picture: the desk's answers, what the operator wrote, why, and where. */
export function DeskDetails({ incident }: { incident: Incident }) {
  const dispatch = ours(incident);
  const others = incident.dispatches.filter((each) => each.desk !== myDesk.value);
  return (
    <aside class="desk-details">
      {dispatch && <DeskAnswers key={incident.id} incident={incident} dispatch={dispatch} />}
      <section class="desk-card" data-testid="desk-operator-note">
        <h2>{say("from_operator")}</h2>
        <p class={dispatch?.note ? "operator-note" : "operator-note none"}>{dispatch?.note || say("no_note")}</p>
        {dispatch && (
          <small>
            {dispatch.dispatched_by} · {clock(dispatch.dispatched_at)}
            {others.map((each) => ` · ${say("other_desk")}: ${wordFor("desk", each.desk)}`)}
          </small>
        )}
      </section>
      <DeskReason incident={incident} />
      <Where incident={incident} />
    </aside>
  );
}

function Where({ incident }: { incident: Incident }) {
  const granted = new Set(incident.granted_cameras);
  const known = (cameras.value ?? []).filter((camera) => granted.has(camera.id));
  const scene = useMemo(
    () => ({ id: incident.camera_id, name: incident.camera_name, state: "disabled", position: incident.position }),
    [incident.camera_id, incident.camera_name, incident.position],
  );
  // Where the incident was stays on the map when the grants have ended.
  const shown = known.some((camera) => camera.id === incident.camera_id) ? known : [...known, scene];
  if (!incident.position) return <section class="desk-card desk-map"><h2>{say("map")}</h2><p>{say("no_place")}</p></section>;
  return (
    <section class="desk-card desk-map" data-testid="desk-map">
      <h2>{say("map")}</h2>
      <div class="desk-map-room">
        <CityMap
          cameras={shown}
          incidents={[incident]}
          place={incident.position}
          selected={pictureId.value ?? incident.camera_id}
          onPick={(id) => {
            if (granted.has(id)) pictureId.value = id;
          }}
        />
      </div>
    </section>
  );
}
