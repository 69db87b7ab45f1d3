import type { Camera } from "../api/client";
import { asProblem } from "../api/problem";
import { ProblemNote } from "../api/ProblemNote";
import { cameras, cityError, openIncidents, refresh } from "../city/city";
import { LivePicture } from "../player/LivePicture";
import { word, wordFor } from "../words";
import { blindText } from "../city/blind";
import { urgentFirst } from "./alarms";
import { layout, onTheWall } from "./pages";
import { selectCamera, selectIncident } from "./selection";
import { WallBar } from "./WallBar";
import { say } from "./words";

export function Wall() {
  const all = cameras.value;
  if (all === null) return <NotYet />;
  if (all.length === 0) return <p class="page-note">{say("no_cameras_yet")}</p>;
  const { columns, rows } = layout.value;
  return (
    <>
      <WallBar />
      <div class="wall-room">
        <section class="wall" style={{ "--columns": String(columns), "--rows": String(rows) }} data-tiles={layout.value.tiles} aria-label={say("wall")}>
          {onTheWall.value.map(({ camera, place }) => (
            <Tile key={camera.id} camera={camera} place={place} />
          ))}
        </section>
      </div>
    </>
  );
}

function NotYet() {
  if (!cityError.value) return <p class="page-note">{word("loading")}</p>;
  return (
    <div class="page-note">
      <ProblemNote problem={asProblem(cityError.value)} />
      <button type="button" onClick={() => void refresh()}>
        {word("try_again")}
      </button>
    </div>
  );
}

function Tile({ camera, place }: { camera: Camera; place: number }) {
  const mine = openIncidents.value.filter((incident) => incident.camera_id === camera.id);
  const alarm = urgentFirst(mine)[0];
  const calls = alarm?.state === "new";
  // A link may lie in a note on the picture: the tile is no button, its name is.
  return (
    <div
      class="tile"
      style={{ order: place }}
      data-camera={camera.id}
      data-place={place}
      data-severity={calls ? alarm.severity : undefined}
      data-open={alarm !== undefined}
      data-blind={camera.blind_reason ?? undefined}
      onClick={() => (alarm ? selectIncident(alarm) : selectCamera(camera.id))}
    >
      <LivePicture camera={camera} reason="wall" whileVisible />
      <button type="button" class="tile-name" aria-label={alarm ? `${camera.name}, ${wordFor("kind", alarm.kind)}` : camera.name}>
        {camera.name}
      </button>
      {camera.blind_reason && (
        <span class="tile-blind" data-testid="blind" title={blindText(camera)}>
          <svg width="16" height="16" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true">
            <path d="M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zM4 4l16 16" />
          </svg>
          <span class="only-heard">{blindText(camera)}</span>
        </span>
      )}
      {alarm && (
        <span class="tile-alarm">
          {wordFor("kind", alarm.kind)}
          {!calls && ` · ${wordFor("state", alarm.state)}`}
        </span>
      )}
    </div>
  );
}
