import type { Camera } from "../api/client";
import { cameras, openIncidents } from "../city/city";
import { LivePicture } from "../player/LivePicture";
import { word, wordFor } from "../words";
import { selectCamera, selected } from "./selection";

export function Wall() {
  const all = cameras.value;
  if (all === null) return <p class="page-note">{word("loading")}</p>;
  if (all.length === 0) return <p class="page-note">{word("no_cameras")}</p>;
  const columns = Math.ceil(Math.sqrt(all.length));
  return (
    <div class="wall-room">
      <section
        class="wall"
        style={{ "--columns": String(columns), "--rows": String(Math.ceil(all.length / columns)) }}
        aria-label={word("cameras")}
      >
        {all.map((camera) => (
          <Tile key={camera.id} camera={camera} />
        ))}
      </section>
    </div>
  );
}

function Tile({ camera }: { camera: Camera }) {
  const alarm = openIncidents.value.find((incident) => incident.camera_id === camera.id && incident.state === "new");
  const isSelected = selected.value?.cameraId === camera.id;
  return (
    <button
      type="button"
      class="tile"
      data-camera={camera.id}
      data-severity={alarm?.severity}
      aria-pressed={isSelected}
      onClick={() => selectCamera(camera.id)}
    >
      <LivePicture camera={camera} stream="sub" />
      <span class="tile-name">{camera.name}</span>
      {alarm && <span class="tile-alarm">{wordFor("kind", alarm.kind)}</span>}
    </button>
  );
}
