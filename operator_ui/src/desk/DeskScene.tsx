import type { Camera, Incident } from "../api/client";
import { cameraOf } from "../city/city";
import { LivePicture } from "../player/LivePicture";
import { distance } from "../city/nearest";
import { metersFrom } from "../map/geo";
import { clock, wordFor } from "../words";
import { pictureId } from "./desk";
import { say } from "./words";

type Seen = Pick<Camera, "id" | "name" | "state" | "reason"> & { meters: number | null };

/** The granted cameras, nearest first. A camera whose entry is still on its way is shown all the same. */
function grantedOf(incident: Incident): Seen[] {
  return incident.granted_cameras.map((id) => {
    const camera = cameraOf(id);
    const name = camera?.name ?? (id === incident.camera_id ? incident.camera_name : id);
    return { id, name, state: camera?.state ?? "live", reason: camera?.reason ?? "", meters: metersFrom(incident.position, camera?.position) };
  });
}

/** The live picture of the chosen incident large, and the other cameras around it. */
export function DeskScene({ incident }: { incident: Incident }) {
  const granted = grantedOf(incident);
  const large = granted.find((camera) => camera.id === pictureId.value) ?? granted[0];
  const isClosed = incident.state === "closed";
  return (
    <section class="desk-scene" data-testid="desk-scene" data-incident={incident.id} data-state={incident.state}>
      <header class="scene-title" data-severity={incident.severity}>
        <h1>
          {wordFor("kind", incident.kind)} <em>{wordFor("severity", incident.severity)}</em>
        </h1>
        <p>
          {incident.camera_name} · {clock(incident.raised_at)} · {wordFor("state", incident.state)}
        </p>
      </header>
      <div class="scene-picture" data-testid="desk-picture" data-camera={isClosed ? undefined : large?.id}>
        {isClosed || !large ? (
          <div class="scene-over" role="status" data-testid="desk-ended">
            <b>{say(isClosed ? "closed_calmly" : "grant_over")}</b>
            <p>{say(isClosed ? "closed_why" : "grant_over_why")}</p>
            {incident.verdict && incident.closed_at && (
              <small>
                {wordFor("verdict", incident.verdict)} · {clock(incident.closed_at)} · {incident.closed_by}
              </small>
            )}
          </div>
        ) : (
          <>
            <LivePicture key={large.id} camera={large} reason="desk" incident={incident.id} />
            <span class="scene-name">
              {large.name}
              {large.meters !== null && <i>{large.id === incident.camera_id ? say("scene") : `${say("distance")} ${distance(large.meters)}`}</i>}
            </span>
          </>
        )}
      </div>
      {!isClosed && granted.length > 1 && <AroundScene granted={granted} largeId={large?.id} incident={incident} />}
    </section>
  );
}

function AroundScene({ granted, largeId, incident }: { granted: Seen[]; largeId: string | undefined; incident: Incident }) {
  return (
    <div class="scene-around" role="group" aria-label={say("other_cameras")} data-testid="desk-around">
      {granted
        .filter((camera) => camera.id !== largeId)
        .map((camera) => (
          <div key={camera.id} class="around-tile" data-camera={camera.id} onClick={() => (pictureId.value = camera.id)}>
            <LivePicture camera={camera} reason="desk" incident={incident.id} whileVisible />
            <button type="button" class="tile-name">
              {camera.meters !== null && <b>{camera.id === incident.camera_id ? say("scene") : distance(camera.meters)}</b>} {camera.name}
            </button>
          </div>
        ))}
    </div>
  );
}
